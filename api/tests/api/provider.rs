//! A model server that turns every call down.

use axum::http::{HeaderMap, StatusCode};
use chorus_workers::providers::TextModel;
use chorus_workers::providers::openai::{Chat, Settings};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub(crate) struct Unwilling {
    /// The request id that each call came with.
    pub(crate) calls: mpsc::UnboundedReceiver<String>,
    address: String,
}

impl Unwilling {
    pub(crate) async fn start() -> Self {
        Self::saying(StatusCode::BAD_REQUEST, "0").await
    }

    /// With this status, and so many seconds of patience asked for.
    pub(crate) async fn saying(status: StatusCode, retry_after: &'static str) -> Self {
        let (told, calls) = mpsc::unbounded_channel();
        let turn_down = move |headers: HeaderMap| async move {
            let id = headers["x-request-id"].to_str().unwrap().to_owned();
            drop(told.send(id));
            (status, [("retry-after", retry_after)])
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(turn_down);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { calls, address }
    }

    /// Whoever writes by asking it.
    pub(crate) fn writer(&self) -> Arc<dyn TextModel> {
        let settings = Settings::text(&self.address, None, "unwilling");
        Arc::new(Chat::new(settings).unwrap())
    }
}
