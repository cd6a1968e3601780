//! Which permission each route asks for: the one table, which the door reads and the tests walk.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is for everybody.
    Nobody,
    /// Credentials, whatever they permit: it is about the caller alone.
    Anybody,
    /// This permission; where it is for rows of one's own, the others are not there.
    Own(&'static str),
    /// This permission, for everybody's rows.
    All(&'static str),
}

/// A route: its method, its address as the router has it, and what it asks for.
pub type Guarded = (&'static str, &'static str, Need);

use Need::{All, Anybody, Nobody, Own};

/// Every route of the API. One that is not here is refused to everybody.
pub const ROUTES: &[Guarded] = &[
    ("POST", "/api/v1/auth/google", Nobody),
    ("POST", "/api/v1/auth/oidc/{provider}", Nobody),
    ("POST", "/api/v1/auth/login", Nobody),
    ("POST", "/api/v1/auth/refresh", Nobody),
    ("POST", "/api/v1/auth/logout", Anybody),
    ("GET", "/api/v1/auth/me", Anybody),
    ("DELETE", "/api/v1/auth/me", Anybody),
    ("GET", "/api/v1/auth/sessions", Anybody),
    ("DELETE", "/api/v1/auth/sessions/{id}", Anybody),
    ("POST", "/api/v1/jobs", Own("jobs.write")),
    ("GET", "/api/v1/jobs", Own("jobs.read")),
    ("GET", "/api/v1/jobs/{id}", Own("jobs.read")),
    ("GET", "/api/v1/jobs/{id}/events", Own("jobs.read")),
    ("POST", "/api/v1/jobs/{id}/cancel", Own("jobs.write")),
    ("POST", "/api/v1/surveys", Own("surveys.write")),
    ("GET", "/api/v1/surveys", Own("surveys.read")),
    ("GET", "/api/v1/surveys/{name}", Nobody),
    ("POST", "/api/v1/surveys/{name}/responses", Nobody),
    ("GET", "/api/v1/surveys/{name}/status", Own("surveys.read")),
    ("POST", "/api/v1/surveys/{name}/close", Own("surveys.write")),
    ("GET", "/api/v1/personas", Own("personas.read")),
    ("GET", "/api/v1/personas/me", Own("personas.read")),
    ("POST", "/api/v1/personas/me/forge", Own("personas.write")),
    ("GET", "/api/v1/personas/{id}", Own("personas.read")),
    ("GET", "/api/v1/media/{id}/file", Own("media.read")),
    ("POST", "/api/v1/submissions", Own("submissions.write")),
    ("GET", "/api/v1/submissions/me", Own("submissions.read")),
    (
        "PATCH",
        "/api/v1/submissions/{id}",
        Own("submissions.write"),
    ),
    (
        "DELETE",
        "/api/v1/submissions/{id}",
        Own("submissions.write"),
    ),
    ("POST", "/api/v1/submissions/seed", All("submissions.seed")),
    ("POST", "/api/v1/topic-rounds", All("rounds.start")),
    ("GET", "/api/v1/topic-rounds", All("rounds.review")),
    ("GET", "/api/v1/topic-rounds/{id}", All("rounds.review")),
    (
        "GET",
        "/api/v1/topic-rounds/{id}/clusters",
        All("rounds.review"),
    ),
    (
        "PATCH",
        "/api/v1/topic-rounds/{id}/clusters/{name}",
        All("rounds.review"),
    ),
    (
        "POST",
        "/api/admin/start_generation_round",
        All("rounds.start"),
    ),
    ("GET", "/api/v1/topics", Own("topics.read")),
    ("GET", "/api/v1/topics/{id}", Own("topics.read")),
    ("POST", "/api/v1/topics/{id}/retract", All("topics.retract")),
    ("GET", "/api/v1/topics/{id}/posts", Own("topics.read")),
    ("POST", "/api/v1/topics/{id}/posts", Own("posts.write")),
    (
        "PATCH",
        "/api/v1/topics/{id}/posts/{name}",
        Own("posts.write"),
    ),
    (
        "DELETE",
        "/api/v1/topics/{id}/posts/{name}",
        Own("posts.write"),
    ),
    ("GET", "/api/v1/events/stream", Anybody),
    // Whose they are to decide is a matter of each review, which names a permission of its own.
    ("GET", "/api/v1/reviews", Anybody),
    ("GET", "/api/v1/reviews/{id}", Anybody),
    ("POST", "/api/v1/reviews/{id}/approve", Anybody),
    ("POST", "/api/v1/reviews/{id}/revise", Anybody),
    ("POST", "/api/v1/reviews/{id}/reject", Anybody),
    ("GET", "/api/v1/admin/dead-letters", All("sagas.read")),
    (
        "GET",
        "/api/v1/admin/dead-letters/groups",
        All("sagas.read"),
    ),
    (
        "PATCH",
        "/api/v1/admin/dead-letters/groups/{name}",
        All("dead.replay"),
    ),
    ("GET", "/api/v1/admin/dead-letters/{id}", All("sagas.read")),
    (
        "POST",
        "/api/v1/admin/dead-letters/{id}/replay",
        All("dead.replay"),
    ),
    (
        "POST",
        "/api/v1/admin/dead-letters/{id}/skip",
        All("dead.replay"),
    ),
    (
        "POST",
        "/api/v1/admin/dead-letters/{id}/discard",
        All("dead.replay"),
    ),
    (
        "POST",
        "/api/v1/admin/dead-letters/{id}/restore",
        All("dead.replay"),
    ),
    ("POST", "/api/v1/admin/replays", All("dead.replay")),
    ("GET", "/api/v1/admin/replays", All("sagas.read")),
    ("GET", "/api/v1/admin/replays/{id}", All("sagas.read")),
    (
        "GET",
        "/api/v1/admin/replays/{id}/letters",
        All("sagas.read"),
    ),
    (
        "POST",
        "/api/v1/admin/replays/{id}/pause",
        All("dead.replay"),
    ),
    (
        "POST",
        "/api/v1/admin/replays/{id}/resume",
        All("dead.replay"),
    ),
    (
        "POST",
        "/api/v1/admin/replays/{id}/stop",
        All("dead.replay"),
    ),
    ("GET", "/api/v1/admin/workers", All("queues.read")),
    (
        "POST",
        "/api/v1/admin/workers/{name}/drain",
        All("queues.control"),
    ),
    ("GET", "/api/v1/admin/schedules", All("queues.read")),
    ("GET", "/api/v1/admin/queues", All("queues.read")),
    ("GET", "/api/v1/admin/queues/{name}", All("queues.read")),
    (
        "GET",
        "/api/v1/admin/queues/{name}/scale",
        All("queues.read"),
    ),
    ("GET", "/api/v1/admin/kinds", All("queues.read")),
    ("GET", "/api/v1/admin/kinds/{name}", All("queues.read")),
    (
        "POST",
        "/api/v1/admin/kinds/{name}/pause",
        All("queues.control"),
    ),
    (
        "POST",
        "/api/v1/admin/kinds/{name}/drain",
        All("queues.control"),
    ),
    (
        "POST",
        "/api/v1/admin/kinds/{name}/resume",
        All("queues.control"),
    ),
    (
        "POST",
        "/api/v1/admin/queues/{name}/pause",
        All("queues.control"),
    ),
    (
        "POST",
        "/api/v1/admin/queues/{name}/resume",
        All("queues.control"),
    ),
    ("GET", "/api/v1/admin/sagas", All("sagas.read")),
    ("GET", "/api/v1/admin/sagas/{id}", All("sagas.read")),
    ("GET", "/api/v1/admin/sagas/{id}/events", All("sagas.read")),
    (
        "POST",
        "/api/v1/admin/sagas/{id}/cancel",
        All("sagas.control"),
    ),
    (
        "POST",
        "/api/v1/admin/sagas/{id}/pause",
        All("sagas.control"),
    ),
    (
        "POST",
        "/api/v1/admin/sagas/{id}/resume",
        All("sagas.control"),
    ),
    (
        "POST",
        "/api/v1/admin/sagas/{id}/retry-step",
        All("sagas.control"),
    ),
    (
        "POST",
        "/api/v1/admin/sagas/{id}/skip-step",
        All("sagas.control"),
    ),
    ("GET", "/api/v1/admin/audit", All("audit.read")),
    ("GET", "/api/v1/admin/ai-requests", All("costs.read")),
    ("GET", "/api/v1/admin/costs", All("costs.read")),
    ("GET", "/api/v1/admin/limits", All("limits.read")),
    ("PUT", "/api/v1/admin/limits", All("limits.write")),
    ("GET", "/api/v1/admin/accounts", All("accounts.read")),
    ("POST", "/api/v1/admin/accounts", All("accounts.write")),
    (
        "PUT",
        "/api/v1/admin/accounts/{id}/roles",
        All("accounts.write"),
    ),
    (
        "PUT",
        "/api/v1/admin/accounts/{id}/password",
        All("accounts.write"),
    ),
    (
        "POST",
        "/api/v1/admin/accounts/{id}/disable",
        All("accounts.write"),
    ),
    (
        "POST",
        "/api/v1/admin/accounts/{id}/enable",
        All("accounts.write"),
    ),
    ("GET", "/api/v1/admin/api-keys", All("keys.read")),
    ("POST", "/api/v1/admin/api-keys", All("keys.write")),
    (
        "POST",
        "/api/v1/admin/api-keys/{id}/revoke",
        All("keys.write"),
    ),
];

static BY_ROUTE: LazyLock<HashMap<(&str, &str), Need>> = LazyLock::new(|| {
    let route = |(method, path, need): &Guarded| ((*method, *path), *need);
    ROUTES.iter().map(route).collect()
});

/// What a route asks for; `None` where it is none of the table.
pub(crate) fn need(method: &str, path: &str) -> Option<Need> {
    let method = if method == "HEAD" { "GET" } else { method }; // as the router has it
    BY_ROUTE.get(&(method, path)).copied()
}
