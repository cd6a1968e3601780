//! `/admin/limits`: the caps on what is spent on models, and the setting of others without a restart.

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
use saga_core::caps::Scope;
use saga_core::prices::{dollars, micros};
use saga_core::store::{ByHand, Limit};
use serde::{Deserialize, Deserializer, Serialize};

/// The caps in force.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Limits)]
pub(crate) struct Told {
    items: Vec<CapTold>,
    /// There is no next page.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<()>,
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

/// Tells the caps in force, and what is spent of today's.
pub(crate) async fn show(_: Staff, In(state): In<State>) -> Result<axum::Json<ToldToday>, Problem> {
    let caps = told(&state.store().limits().await?);
    let today = state.store().spent_today().await?;
    Ok(axum::Json(ToldToday {
        caps,
        today: Today {
            spent_usd: dollars(today.spent_micros),
            held_usd: dollars(today.held_micros),
        },
    }))
}

fn told(limits: &[Limit]) -> Told {
    Told {
        items: limits.iter().map(CapTold::from).collect(),
        next_cursor: None,
    }
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLimits)]
pub(crate) struct Wanted {
    /// For one saga, for its whole life, as text such as "2.50"; null goes back to the settings.
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
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
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
        if caps.is_empty() {
            let how = "Name at least one of saga_usd, account_usd and all_usd.";
            return Err(Problem::field("/all_usd", "missing", how));
        }
        Ok(caps)
    }
}

/// Sets caps, for admins. They count from the next call on, and whoever waits for money looks again.
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
    let caps = value.caps()?;
    let words = words(value.reason.as_deref(), value.note.as_deref())?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let decision = (&*caller.signature(), &*words);
    let limits = state.store().set_caps(&mut tx, &caps, decision).await?;
    let given = Given::telling(StatusCode::OK, &told(&limits))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}
