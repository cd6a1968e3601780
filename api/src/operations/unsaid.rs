//! Routes that serve, and of which the document says nothing yet.

use crate::reference::Api;
use crate::routes::{accounts, api_keys, sign_in};
use axum::routing::{post, put};

pub(super) fn operations() -> Api {
    Api::of("Unsaid")
        .unsaid("/api/v1/auth/google", post(sign_in::google))
        .unsaid("/api/v1/auth/oidc/{provider}", post(sign_in::oidc))
        .unsaid("/api/v1/auth/login", post(sign_in::login))
        .unsaid("/api/v1/auth/refresh", post(sign_in::refresh))
        .unsaid(
            "/api/v1/admin/accounts",
            post(accounts::create).get(accounts::list),
        )
        .unsaid("/api/v1/admin/accounts/{id}/roles", put(accounts::roles))
        .unsaid(
            "/api/v1/admin/accounts/{id}/password",
            put(accounts::password),
        )
        .unsaid(
            "/api/v1/admin/accounts/{id}/disable",
            post(accounts::disable),
        )
        .unsaid("/api/v1/admin/accounts/{id}/enable", post(accounts::enable))
        .unsaid(
            "/api/v1/admin/api-keys",
            post(api_keys::create).get(api_keys::list),
        )
        .unsaid("/api/v1/admin/api-keys/{id}/revoke", post(api_keys::revoke))
}
