//! Routes that serve, and of which the document says nothing yet.

use crate::reference::Api;
use crate::routes::{erase, kinds, me};
use axum::routing::{delete, get, post};

pub(super) fn operations() -> Api {
    Api::of("Unsaid")
        .unsaid("/api/v1/auth/logout", post(me::logout))
        .unsaid("/api/v1/auth/me", get(me::show).delete(erase::erase))
        .unsaid("/api/v1/auth/sessions", get(me::sessions))
        .unsaid("/api/v1/auth/sessions/{id}", delete(me::end))
        .unsaid("/api/v1/admin/kinds", get(kinds::list))
        .unsaid("/api/v1/admin/kinds/{name}", get(kinds::show))
        .unsaid("/api/v1/admin/kinds/{name}/pause", post(kinds::pause))
        .unsaid("/api/v1/admin/kinds/{name}/drain", post(kinds::drain))
        .unsaid("/api/v1/admin/kinds/{name}/resume", post(kinds::resume))
}
