//! `/`: which service this is.

use axum::Json;
use serde_json::{Value, json};

pub(crate) async fn banner() -> Json<Value> {
    Json(json!({
        "service": "chorus",
        "version": env!("CARGO_PKG_VERSION"),
        "api": "/api/v1",
        "health": "/health",
    }))
}
