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
use saga_core::caps::Scope;
use saga_core::prices::{dollars, micros};
use saga_core::store::{ByHand, Limit};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// Tells the caps in force, and what is spent of today's.
pub(crate) async fn show(_: Staff, In(state): In<State>) -> Result<axum::Json<Value>, Problem> {
    let mut body = told(&state.store().limits().await?);
    let today = state.store().spent_today().await?;
    body["today"] = json!({
        "spent_usd": dollars(today.spent_micros),
        "held_usd": dollars(today.held_micros),
    });
    Ok(axum::Json(body))
}

fn told(limits: &[Limit]) -> Value {
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
    json!({"items": items, "next_cursor": null})
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
    reason: Option<String>,
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
    let given = Given::new(StatusCode::OK, told(&limits));
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}
