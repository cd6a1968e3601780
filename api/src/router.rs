//! What surrounds the routes; `operations` has them.

use crate::client::Threshold;
use crate::front::{self, OwnBody};
use crate::state::State;
use crate::{cors, operations, problem::Problem, rate};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use process::metrics::{self, Scrape};
use process::{Probe, health};
use std::sync::Arc;

/// The whole API.
pub fn router(state: State) -> Router {
    let (cors, probe) = (
        cors::layer(&state.settings().origins),
        state.probe().clone(),
    );
    let scrape = Scrape::whole(state.store().clone(), probe.clone());
    let scrape = scrape.for_token(state.settings().metrics_token.clone());
    let mut router = operations::all()
        .router()
        .fallback(|| async { Problem::not_found("address") });
    if state.limiter().is_on() {
        router = router.layer(from_fn_with_state(state.clone(), rate::layer::count));
    }
    let mut router = router
        .merge(healthy(probe)) // whoever watches the process is not counted
        .merge(metrics::routes(scrape))
        .with_state(state.clone());
    if let Some(cors) = cors {
        router = router.layer(cors);
    }
    let threshold = Threshold {
        proxies: state.settings().proxies.clone(),
        crowd: state.crowd().clone(),
    };
    router.layer(from_fn_with_state(Arc::new(threshold), front::front))
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
