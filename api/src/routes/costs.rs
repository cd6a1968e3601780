//! `/admin/costs`: what calls of models cost, all together and by day, kind, model or account.

use crate::auth::Staff;
use crate::page;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::prices::dollars;
use saga_core::store::{Costs, CostsBy};
use serde::Deserialize;
use serde_json::{Value, json};

/// How far back is looked unless the caller says otherwise.
const BACK: TimeDelta = TimeDelta::days(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    by: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<i64>,
}

fn by(word: &str) -> Result<CostsBy, Problem> {
    match word {
        "day" => Ok(CostsBy::Day),
        "kind" => Ok(CostsBy::Kind),
        "model" => Ok(CostsBy::Model),
        "account" => Ok(CostsBy::Account),
        _ => {
            let how = format!("by: {word:?} is none of day, kind, model and account.");
            Err(Problem::new(Code::BadParameter, how))
        }
    }
}

/// Tells what was spent from one time to another.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(wanted): Params<Wanted>,
) -> Result<axum::Json<Value>, Problem> {
    let word = wanted.by.as_deref().unwrap_or("day");
    let (by, limit) = (by(word)?, page::limit(wanted.limit)?);
    let to = match wanted.to {
        Some(to) => to,
        None => state.db().now().await? + TimeDelta::seconds(1), // what is written just now is in it
    };
    let from = wanted.from.unwrap_or(to - BACK);
    if from >= to {
        let how = "from: must be earlier than to.";
        return Err(Problem::new(Code::BadParameter, how));
    }
    let items = state.store().costs_by(by, (from, to), limit).await?;
    let total = state.store().costs(from, to).await?;
    let items: Vec<Value> = items.iter().map(|costs| told(costs, Some(word))).collect();
    Ok(axum::Json(json!({
        "by": word, "from": from, "to": to, "total": told(&total, None), "items": items, "next_cursor": null,
    })))
}

fn told(costs: &Costs, by: Option<&str>) -> Value {
    let mut told = json!({
        "calls": costs.calls,
        "calls_of_unknown_cost": costs.unknown,
        "input_tokens": costs.input_tokens,
        "output_tokens": costs.output_tokens,
        "images": costs.images,
        "cost_usd": dollars(costs.cost_micros),
    });
    if let Some(by) = by {
        told[by] = if by == "account" {
            json!(costs.account)
        } else {
            json!(costs.name)
        };
    }
    told
}
