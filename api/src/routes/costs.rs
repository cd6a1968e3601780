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
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far back is looked unless the caller says otherwise.
const BACK: TimeDelta = TimeDelta::days(30);

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `day`, `kind`, `model` or `account`; `day` unless said otherwise.
    #[param(pattern = "^(day|kind|model|account)$")]
    by: Option<String>,
    /// From this time on; 30 days back unless said otherwise.
    from: Option<DateTime<Utc>>,
    /// Up to this time; now unless said otherwise.
    to: Option<DateTime<Utc>>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
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
) -> Result<axum::Json<CostsTold>, Problem> {
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
    Ok(axum::Json(CostsTold {
        by: word.to_owned(),
        from,
        to,
        total: Spent::from(&total),
        items: items.iter().map(|costs| Group::of(costs, by)).collect(),
        next_cursor: None,
    }))
}

/// What was spent from one time to another.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Costs)]
pub(crate) struct CostsTold {
    by: String,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    total: Spent,
    items: Vec<Group>,
    /// There is no next page: whoever has more groups asks for a shorter time.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<()>,
}

/// What calls of models took and cost.
#[derive(Default, Serialize, utoipa::ToSchema)]
struct Spent {
    calls: i64,
    /// Calls that are in no sum, since nobody knows what they cost.
    calls_of_unknown_cost: i64,
    input_tokens: i64,
    output_tokens: i64,
    images: i64,
    cost_usd: String,
}

/// What one day, kind, model or account spent: the one of them that was asked for is said.
#[derive(Default, Serialize, utoipa::ToSchema)]
#[schema(as = CostsGroup)]
struct Group {
    #[serde(flatten)]
    spent: Spent,
    day: Option<String>,
    kind: Option<String>,
    model: Option<String>,
    /// Null also for jobs that are nobody's.
    account: Option<Uuid>,
}

impl From<&Costs> for Spent {
    fn from(costs: &Costs) -> Self {
        Self {
            calls: costs.calls,
            calls_of_unknown_cost: costs.unknown,
            input_tokens: costs.input_tokens,
            output_tokens: costs.output_tokens,
            images: costs.images,
            cost_usd: dollars(costs.cost_micros),
        }
    }
}

impl Group {
    fn of(costs: &Costs, by: CostsBy) -> Self {
        let mut group = Self {
            spent: costs.into(),
            ..Self::default()
        };
        let name = costs.name.clone();
        match by {
            CostsBy::Day => group.day = name,
            CostsBy::Kind => group.kind = name,
            CostsBy::Model => group.model = name,
            CostsBy::Account => group.account = costs.account,
        }
        group
    }
}
