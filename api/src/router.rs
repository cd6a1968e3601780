//! What surrounds the routes; `operations` has them.

use crate::front::{self, OwnBody};
use crate::state::State;
use crate::{client, cors, operations, problem::Problem, rate};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use process::metrics::{self, Scrape};
use process::{Probe, health};

/// The whole API.
pub fn router(state: State) -> Router {
    let (cors, probe) = (
        cors::layer(&state.settings().origins),
        state.probe().clone(),
    );
    let scrape = Scrape::whole(state.store().clone(), probe.clone());
    let router = operations::all()
        .router()
        .layer(from_fn_with_state(state.clone(), rate::layer::by_account))
        .fallback(|| async { Problem::not_found("address") })
        .layer(from_fn_with_state(state.clone(), rate::layer::by_address))
        .merge(healthy(probe)) // whoever watches the process is not counted
        .merge(metrics::routes(scrape))
        .with_state(state.clone());
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        .layer(from_fn_with_state(state, client::note))
        .layer(from_fn(front::front))
}

/// The health routes: what they say when all is not well is theirs, what they refuse is a problem.
fn healthy(probe: Probe) -> Router<State> {
    let told = probe.clone();
    Router::new()
        .route("/api/v1/health", get(async move || health::health(&told)))
        .merge(health::routes(probe))
        .layer(axum::middleware::map_response(own_body))
}

async fn own_body(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.extensions_mut().insert(OwnBody);
    }
    response
}
