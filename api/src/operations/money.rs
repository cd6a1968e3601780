//! Money: what calls of models cost, and the caps on it.

use crate::reference::{Api, staff};
use crate::routes::{ai_requests, costs, limits};
use saga_core::store::LedgerEntry;
use serde_json::json;

pub(super) fn operations() -> Api {
    let api = Api::of("Money").get(
        "/api/v1/admin/ai-requests",
        ai_requests::list,
        staff(
            "listAiRequests",
            "List calls of models, the latest first, without what was said",
        )
        .query::<ai_requests::Filter>()
        .page::<LedgerEntry>("Calls."),
    );
    let api = api.get(
        "/api/v1/admin/costs",
        costs::list,
        staff(
            "getCosts",
            "Tell what was spent, by day, kind, model or account",
        )
        .query::<costs::Wanted>()
        .answer::<costs::CostsTold>(200, "What was spent."),
    );
    let api = api.get(
        "/api/v1/admin/limits",
        limits::show,
        staff(
            "getLimits",
            "Tell the caps in force, and what is spent today",
        )
        .answer::<limits::ToldToday>(200, "The caps."),
    );
    api.put(
        "/api/v1/admin/limits",
        limits::change,
        staff("setLimits", "Set caps, as an admin")
            .says("They count from the next call on, and whoever waits for money looks again.")
            .body::<limits::Wanted>(
                json!({"account_usd": "2.50", "all_usd": null, "reason": "A trial."}),
            )
            .answer::<limits::Told>(200, "The caps.")
            .once(),
    )
}
