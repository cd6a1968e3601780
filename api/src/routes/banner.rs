//! `/`: which service this is.

use axum::Json;
use serde::Serialize;

/// Which service this is, and where to go on.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Banner {
    service: &'static str,
    version: &'static str,
    api: &'static str,
    health: &'static str,
    docs: &'static str,
    openapi: &'static str,
}

pub(crate) async fn banner() -> Json<Banner> {
    Json(Banner {
        service: "chorus",
        version: env!("CARGO_PKG_VERSION"),
        api: "/api/v1",
        health: "/health",
        docs: "/docs",
        openapi: "/api/v1/openapi.json",
    })
}
