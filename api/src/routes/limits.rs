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
use saga_core::Kinds;
use saga_core::caps::Scope;
use saga_core::prices::{dollars, micros};
use saga_core::store::{Bound, ByHand, KindLimit, Limit, NewLimit};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// More steps than any fleet has slots for, or begins in a minute.
const BOUND_MAX: i64 = 1_000_000;

/// Tells the caps in force, and what is spent of today's.
pub(crate) async fn show(_: Staff, In(state): In<State>) -> Result<axum::Json<Value>, Problem> {
    let limits = state.store().limits().await?;
    let mut body = told(&limits, &state.store().kind_limits().await?);
    let today = state.store().spent_today().await?;
    body["today"] = json!({
        "spent_usd": dollars(today.spent_micros),
        "held_usd": dollars(today.held_micros),
    });
    Ok(axum::Json(body))
}

fn told(limits: &[Limit], kinds: &[KindLimit]) -> Value {
    let by_hand =
        |set: &ByHand| json!({"by": set.decided_by, "at": set.decided_at, "reason": set.reason});
    let each = |limit: &Limit| {
        json!({
            "scope": limit.scope,
            "per": match limit.scope {
                Scope::Saga => "saga",
                Scope::Account | Scope::All => "day",
            },
            "cap_usd": limit.micros.map(dollars),
            "setting_usd": limit.of_settings.map(dollars),
            "set": limit.set.as_ref().map(by_hand),
        })
    };
    let items: Vec<Value> = limits.iter().map(each).collect();
    let kind = |limit: &KindLimit| {
        json!({
            "kind": limit.kind,
            "running_max": limit.running_max,
            "per_minute": limit.per_minute,
            "set": {"by": limit.decided_by, "at": limit.decided_at, "reason": limit.reason},
        })
    };
    let kinds: Vec<Value> = kinds.iter().map(kind).collect();
    json!({"items": items, "next_cursor": null, "kinds": kinds})
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    saga_usd: Cap,
    #[serde(default)]
    account_usd: Cap,
    #[serde(default)]
    all_usd: Cap,
    #[serde(default)]
    kinds: BTreeMap<String, Bounds>,
    reason: Option<String>,
    note: Option<String>,
}

/// What a kind is to be held to; what is left out stays, null is no limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    #[serde(default, deserialize_with = "bound")]
    running_max: Bound,
    #[serde(default, deserialize_with = "bound")]
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
    let given = Given::new(StatusCode::OK, told(&limits, &kinds));
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}
