//! The harness as the paid provider, which writes down who called, and as keeper of the gates.

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;
use uuid::Uuid;

/// One call that was paid for.
#[derive(Debug, Clone)]
pub struct Call {
    /// For which saga.
    pub saga: Uuid,
    /// Under which idempotency key.
    pub key: String,
    /// By which process.
    pub process: u32,
    /// When that process had decided to call, in microseconds.
    pub decided: i64,
}

#[derive(Default)]
struct Book {
    calls: Vec<Call>,
    open: BTreeSet<(Uuid, String)>,
}

/// A provider on a port of its own; dropping it closes it.
pub struct Provider {
    /// Where it is.
    pub url: String,
    book: Arc<Mutex<Book>>,
    _serving: JoinSet<()>,
}

impl Provider {
    /// Opens it.
    pub async fn start() -> anyhow::Result<Self> {
        let book: Arc<Mutex<Book>> = Arc::default();
        let app = Router::new()
            .route("/pay/{saga}", post(pay))
            .route("/gate/{saga}/{name}", get(gate))
            .with_state(Arc::clone(&book));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut serving = JoinSet::new();
        serving.spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self {
            url,
            book,
            _serving: serving,
        })
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.book
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .calls
            .clone()
    }

    /// Opens the gate before a deed.
    pub fn open(&self, saga: Uuid, name: &str) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.open.insert((saga, name.replace(' ', "-")));
    }
}

async fn pay(
    State(book): State<Arc<Mutex<Book>>>,
    Path(saga): Path<Uuid>,
    headers: HeaderMap,
) -> String {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let call = Call {
        saga,
        key: text("idempotency-key"),
        process: text("x-process").parse().unwrap_or(0),
        decided: text("x-decided").parse().unwrap_or(0),
    };
    let receipt = format!("receipt for {}", call.key);
    book.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .calls
        .push(call);
    receipt
}

async fn gate(
    State(book): State<Arc<Mutex<Book>>>,
    Path((saga, name)): Path<(Uuid, String)>,
) -> StatusCode {
    let open = book
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .open
        .contains(&(saga, name));
    if open {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::FORBIDDEN
    }
}
