//! Every route, and what surrounds them.

use crate::front::{self, OwnBody};
use crate::state::State;
use crate::{client, cors, problem::Problem, rate, routes};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use process::metrics::{self, Scrape};
use process::{Probe, health};

/// The whole API.
pub fn router(state: State) -> Router {
    let api = Router::new()
        .route("/jobs", post(routes::jobs::create).get(routes::jobs::list))
        .route("/jobs/{id}", get(routes::jobs::show))
        .route("/jobs/{id}/cancel", post(routes::jobs::cancel))
        .route("/jobs/{id}/events", get(routes::events::events))
        .route(
            "/surveys",
            post(routes::surveys::create).get(routes::surveys::list),
        )
        .route("/surveys/{name}", get(routes::surveys::show))
        .route("/surveys/{name}/responses", post(routes::responses::create))
        .route("/surveys/{name}/status", get(routes::surveys::status))
        .route("/surveys/{name}/close", post(routes::surveys::close))
        .route("/auth/me", delete(routes::erase::erase))
        .route("/personas", get(routes::personas::list))
        .route("/personas/me", get(routes::personas::me))
        .route("/personas/me/forge", post(routes::personas::forge))
        .route("/personas/{id}", get(routes::personas::show))
        .route("/media/{id}/file", get(routes::media::file))
        .merge(admin())
        .layer(from_fn_with_state(state.clone(), rate::layer::by_account));
    let (cors, probe) = (
        cors::layer(&state.settings().origins),
        state.probe().clone(),
    );
    let scrape = Scrape::whole(state.store().clone(), probe.clone());
    let router = Router::new()
        .route("/", get(routes::banner::banner))
        .route("/p/{id}", get(routes::share::page))
        .nest("/api/v1", api)
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

/// What operators and admins look at, and decide.
fn admin() -> Router<State> {
    Router::new()
        .route("/admin/dead-letters", get(routes::dead_letters::list))
        .route(
            "/admin/dead-letters/groups",
            get(routes::dead_letter_groups::list),
        )
        .route(
            "/admin/dead-letters/groups/{name}",
            patch(routes::dead_letter_groups::note),
        )
        .route("/admin/dead-letters/{id}", get(routes::dead_letters::show))
        .route(
            "/admin/dead-letters/{id}/replay",
            post(routes::letter_verbs::replay),
        )
        .route(
            "/admin/dead-letters/{id}/skip",
            post(routes::letter_verbs::skip),
        )
        .route(
            "/admin/dead-letters/{id}/discard",
            post(routes::letter_verbs::discard),
        )
        .route(
            "/admin/dead-letters/{id}/restore",
            post(routes::letter_verbs::restore),
        )
        .route(
            "/admin/replays",
            post(routes::replays::begin).get(routes::replays::list),
        )
        .route("/admin/replays/{id}", get(routes::replays::show))
        .route("/admin/replays/{id}/letters", get(routes::replays::letters))
        .route(
            "/admin/replays/{id}/pause",
            post(routes::replay_verbs::pause),
        )
        .route(
            "/admin/replays/{id}/resume",
            post(routes::replay_verbs::resume),
        )
        .route("/admin/replays/{id}/stop", post(routes::replay_verbs::stop))
        .route("/admin/workers", get(routes::workers::list))
        .route("/admin/workers/{id}/drain", post(routes::workers::drain))
        .route("/admin/queues", get(routes::queues::list))
        .route("/admin/queues/{name}", get(routes::queues::show))
        .route("/admin/queues/{name}/scale", get(routes::queues::scale))
        .route("/admin/queues/{name}/pause", post(routes::queues::pause))
        .route("/admin/queues/{name}/resume", post(routes::queues::resume))
        .route("/admin/sagas", get(routes::sagas::list))
        .route("/admin/sagas/{id}", get(routes::saga::show))
        .route("/admin/sagas/{id}/events", get(routes::saga::events))
        .route("/admin/sagas/{id}/cancel", post(routes::sagas::cancel))
        .route("/admin/sagas/{id}/pause", post(routes::saga_verbs::pause))
        .route("/admin/sagas/{id}/resume", post(routes::saga_verbs::resume))
        .route(
            "/admin/sagas/{id}/retry-step",
            post(routes::saga_verbs::retry_step),
        )
        .route(
            "/admin/sagas/{id}/skip-step",
            post(routes::saga_verbs::skip_step),
        )
        .route("/admin/audit", get(routes::audit::list))
        .route("/admin/ai-requests", get(routes::ai_requests::list))
        .route("/admin/costs", get(routes::costs::list))
        .route(
            "/admin/limits",
            get(routes::limits::show).put(routes::limits::change),
        )
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
