//! The process itself: health, metrics, and this reference.

use crate::problem::Code;
use crate::reference::{Api, Operation, anybody};
use crate::routes::{banner, docs};
use process::health::Health;
use serde_json::{Value, json};

fn page(id: &'static str, summary: &'static str) -> Operation {
    anybody(id, summary)
        .of_type(200, "text/html", "The page.", &json!({"type": "string"}))
        .kept()
}

fn health(id: &'static str) -> Operation {
    anybody(id, "Tell how the process and what it stands on are")
        .says("From the last look: it answers at once, even when a dependency hangs.")
        .answer::<Health>(200, "All is well.")
        .answer::<Health>(503, "A dependency is down.")
}

pub(super) fn operations() -> Api {
    let text = |operation: Operation, status: u16, when: &str| {
        let shape: Value = json!({"type": "string"});
        operation.of_type(status, "text/plain", when, &shape)
    };
    let live = anybody("getLivez", "Tell whether the process lives");
    let ready = anybody("getReadyz", "Tell whether the process may be given work")
        .says("A line for each dependency that is down comes first. That alone keeps nobody from being ready.")
        .parameter(
            "verbose",
            json!({"type": "string"}),
            "Lists all that was looked at.",
        );
    let ready = text(ready, 200, "It may.");
    let metrics = anybody("getMetrics", "Tell numbers, for Prometheus").says(
        "To everybody, unless the server has a METRICS_TOKEN: then to whoever shows that as a bearer token.",
    );
    let metrics = metrics.refuses(&[Code::MissingCredentials, Code::InvalidToken]);
    Api::of("Service")
        .get(
            "/",
            banner::banner,
            anybody("getBanner", "Tell which service this is")
                .answer::<banner::Banner>(200, "Where to go on."),
        )
        .get(
            "/api/v1/openapi.json",
            docs::document,
            anybody("getOpenApi", "Send this document")
                .of_type(
                    200,
                    "application/json",
                    "The document.",
                    &json!({"type": "object"}),
                )
                .kept(),
        )
        .get(
            "/docs",
            docs::operations,
            page("getDocs", "Show this reference as a page"),
        )
        .get(
            "/api/v1/docs",
            docs::operations,
            page("getApiDocs", "Show this reference as a page"),
        )
        .get(
            "/docs/errors",
            docs::errors,
            page("getErrorDocs", "Show what each code of a problem means"),
        )
        .served("/health", health("getHealth"))
        .served("/api/v1/health", health("getApiHealth"))
        .served("/livez", text(live, 200, "It does."))
        .served("/readyz", text(ready, 503, "Not now, or not yet."))
        .served(
            "/metrics",
            text(metrics, 200, "Numbers, in Prometheus's text format."),
        )
}
