//! `/admin/limits`: the caps on what is spent on models, what kinds are held to, and the setting of others
//! without a restart.

use super::dead_letters::words;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use saga_core::Kinds;
use saga_core::caps::Scope;
use saga_core::prices::{dollars, micros};
use saga_core::store::{Bound, ByHand, KindLimit, Limit, NewLimit};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// More steps than any fleet has slots for, or begins in a minute.
const BOUND_MAX: i64 = 1_000_000;

/// The caps in force.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Limits)]
pub(crate) struct Told {
    items: Vec<CapTold>,
    /// There is no next page.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<()>,
    /// Kinds that are held to less than all the workers could do.
    kinds: Vec<KindLimitTold>,
}

/// The caps in force, and what is spent of today's.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LimitsToday)]
pub(crate) struct ToldToday {
    #[serde(flatten)]
    caps: Told,
    today: Today,
}

/// What is spent today, and set aside for calls that are not answered yet.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SpentToday)]
struct Today {
    spent_usd: String,
    held_usd: String,
}

/// The most that may be spent.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Cap)]
struct CapTold {
    scope: Scope,
    /// `saga` or `day`.
    per: &'static str,
    /// Null is no bound.
    cap_usd: Option<String>,
    /// What the settings say.
    setting_usd: Option<String>,
    set: Option<SetByHand>,
}

/// Who set a cap, and why.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CapSet)]
struct SetByHand {
    by: String,
    at: DateTime<Utc>,
    reason: String,
}

impl From<&ByHand> for SetByHand {
    fn from(set: &ByHand) -> Self {
        Self {
            by: set.decided_by.clone(),
            at: set.decided_at,
            reason: set.reason.clone(),
        }
    }
}

impl From<&Limit> for CapTold {
    fn from(limit: &Limit) -> Self {
        Self {
            scope: limit.scope,
            per: match limit.scope {
                Scope::Saga => "saga",
                Scope::Account | Scope::All => "day",
            },
            cap_usd: limit.micros.map(dollars),
            setting_usd: limit.of_settings.map(dollars),
            set: limit.set.as_ref().map(SetByHand::from),
        }
    }
}

/// What a kind is held to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KindLimit)]
struct KindLimitTold {
    kind: String,
    /// Steps of it at work at once, in the whole fleet; null is no limit.
    running_max: Option<i64>,
    /// Steps of it begun in a minute, in the whole fleet; null is no limit.
    per_minute: Option<i64>,
    set: SetByHand,
}

impl From<&KindLimit> for KindLimitTold {
    fn from(limit: &KindLimit) -> Self {
        Self {
            kind: limit.kind.clone(),
            running_max: limit.running_max,
            per_minute: limit.per_minute,
            set: SetByHand {
                by: limit.decided_by.clone(),
                at: limit.decided_at,
                reason: limit.reason.clone(),
            },
        }
    }
}

/// Tells the caps in force, and what is spent of today's.
pub(crate) async fn show(_: Staff, In(state): In<State>) -> Result<axum::Json<ToldToday>, Problem> {
    let limits = state.store().limits().await?;
    let caps = told(&limits, &state.store().kind_limits().await?);
    let today = state.store().spent_today().await?;
    Ok(axum::Json(ToldToday {
        caps,
        today: Today {
            spent_usd: dollars(today.spent_micros),
            held_usd: dollars(today.held_micros),
        },
    }))
}

fn told(limits: &[Limit], kinds: &[KindLimit]) -> Told {
    Told {
        items: limits.iter().map(CapTold::from).collect(),
        next_cursor: None,
        kinds: kinds.iter().map(KindLimitTold::from).collect(),
    }
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLimits)]
pub(crate) struct Wanted {
    /// For one saga and all that it began, for its whole life, as text such as "2.50"; null goes back to the settings.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,9}([.][0-9]{1,6})?$")]
    saga_usd: Cap,
    /// For one account, in a day, as text such as "2.50"; null goes back to the settings.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,9}([.][0-9]{1,6})?$")]
    account_usd: Cap,
    /// For everybody, in a day, as text such as "2.50"; null goes back to the settings.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,9}([.][0-9]{1,6})?$")]
    all_usd: Cap,
    /// For kinds, by name.
    #[serde(default)]
    kinds: BTreeMap<String, Bounds>,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// What a kind is to be held to; what is left out stays, null is no limit.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKindLimit)]
struct Bounds {
    /// Steps of it at work at once.
    #[serde(default, deserialize_with = "bound")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    running_max: Bound,
    /// Steps of it begun in a minute.
    #[serde(default, deserialize_with = "bound")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    per_minute: Bound,
}

fn bound<'de, D: Deserializer<'de>>(from: D) -> Result<Bound, D::Error> {
    let given: Option<i64> = Option::deserialize(from)?;
    Ok(given.map_or(Bound::Lifted, Bound::At))
}

/// What is to become of a cap.
#[derive(Default)]
enum Cap {
    #[default]
    Stays,
    /// It goes back to the settings.
    AsSet,
    Dollars(String),
}

impl<'de> Deserialize<'de> for Cap {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let given: Option<String> = Option::deserialize(from)?;
        Ok(given.map_or(Self::AsSet, Self::Dollars))
    }
}

impl Wanted {
    /// The caps to set, or every field that is no amount.
    fn caps(&self) -> Result<Vec<(Scope, Option<i64>)>, Problem> {
        let (mut caps, mut wrong) = (vec![], vec![]);
        for (field, scope, given) in [
            ("/saga_usd", Scope::Saga, &self.saga_usd),
            ("/account_usd", Scope::Account, &self.account_usd),
            ("/all_usd", Scope::All, &self.all_usd),
        ] {
            let amount = match given {
                Cap::Stays => continue,
                Cap::AsSet => None,
                Cap::Dollars(given) => Some(micros(given)),
            };
            match amount {
                None => caps.push((scope, None)),
                Some(Some(micros)) => caps.push((scope, Some(micros))),
                Some(None) => wrong.push(FieldProblem {
                    pointer: field.to_owned(),
                    code: "no_amount".into(),
                    detail: "Give dollars as text, with at most six digits behind the point, such as \"2.50\"; null goes back to the settings.".to_owned(),
                }),
            }
        }
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        if caps.is_empty() && self.kinds.is_empty() {
            let how = "Name at least one of saga_usd, account_usd, all_usd and kinds.";
            return Err(Problem::field("/all_usd", "missing", how));
        }
        Ok(caps)
    }

    /// The kinds to limit, or every field that is none or no bound.
    fn limits(&self, known: &Kinds) -> Result<Vec<NewLimit>, Problem> {
        let mut wrong = vec![];
        let mut refuse = |pointer: String, code: &'static str, detail: String| {
            wrong.push(FieldProblem {
                pointer,
                code: code.into(),
                detail,
            });
        };
        for (kind, bounds) in &self.kinds {
            let at = format!("/kinds/{}", kind.replace('~', "~0").replace('/', "~1"));
            if known.get(kind).is_none() {
                let names: Vec<&str> = known.iter().map(|kind| kind.name).collect();
                let how = format!("There is no such kind; there are {}.", names.join(", "));
                refuse(at.clone(), "unknown", how);
            }
            for (field, bound) in [
                ("running_max", bounds.running_max),
                ("per_minute", bounds.per_minute),
            ] {
                if matches!(bound, Bound::At(most) if !(1..=BOUND_MAX).contains(&most)) {
                    let how = format!(
                        "From 1 to {BOUND_MAX}, or null for no limit; to let none run, pause the kind."
                    );
                    refuse(format!("{at}/{field}"), "out_of_range", how);
                }
            }
            if [bounds.running_max, bounds.per_minute] == [Bound::Stays; 2] {
                let how = "Name at least one of running_max and per_minute.";
                refuse(at, "missing", how.to_owned());
            }
        }
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        let new = |(kind, bounds): (&String, &Bounds)| NewLimit {
            kind: kind.clone(),
            running_max: bounds.running_max,
            per_minute: bounds.per_minute,
        };
        Ok(self.kinds.iter().map(new).collect())
    }
}

/// Sets caps and limits, for admins. Caps count from the next call on, and whoever waits for money looks again.
pub(crate) async fn change(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Wanted>,
) -> Result<Response, Problem> {
    if !caller.is_admin() {
        let how = "Setting limits needs the role admin.";
        return Err(Problem::new(Code::Forbidden, how));
    }
    let (caps, kinds) = (value.caps()?, value.limits(state.store().kinds())?);
    let words = words(value.reason.as_deref(), value.note.as_deref())?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let decision = (&*caller.signature(), &*words);
    let limits = state.store().set_caps(&mut tx, &caps, decision).await?;
    let kinds = state.store().limit_kinds(&mut tx, &kinds, decision).await?;
    let given = Given::telling(StatusCode::OK, &told(&limits, &kinds))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}
