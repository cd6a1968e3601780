//! A model server in trouble: everybody leaves it alone, nobody's attempts are used up, and all goes on after.

use crate::costs::forge;
use crate::provider::Unwilling;
use crate::support::{App, Person, on_each};
use axum::http::StatusCode;
use chorus_workers::providers::local::Writer;
use chorus_workers::providers::{
    Answered, Call, CallError, Completion, Prompt, TextModel, Unreadable,
};
use futures_util::future::BoxFuture;
use saga_core::store::Gate;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Asks the server as long as it is in trouble, and then writes as the local writer does.
struct Recovering {
    server: Arc<dyn TextModel>,
    well: AtomicBool,
}

impl TextModel for Recovering {
    fn provider(&self) -> &'static str {
        self.server.provider()
    }
    fn model(&self) -> &str {
        self.server.model()
    }
    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        if self.well.load(Ordering::SeqCst) {
            return Writer.send(prompt, call);
        }
        self.server.send(prompt, call)
    }
    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        Writer.read(raw)
    }
}

struct Trouble {
    server: Unwilling,
    model: Arc<Recovering>,
    ana: Person,
    jobs: Vec<(Uuid, Person)>,
}

impl Trouble {
    /// Forges of so many accounts, with a model server that answers so.
    async fn start(
        app: &App,
        status: StatusCode,
        retry_after: &'static str,
        forges: usize,
    ) -> Self {
        let server = Unwilling::saying(status, retry_after).await;
        let model = Arc::new(Recovering {
            server: server.writer(),
            well: AtomicBool::new(false),
        });
        let mut jobs = vec![];
        for _ in 0..forges {
            let me = app.person(&["member"]);
            jobs.push((forge(app, &me).await, me));
        }
        app.work_with(Arc::clone(&model) as _);
        let ana = app.person(&["admin"]);
        Self {
            server,
            model,
            ana,
            jobs,
        }
    }

    /// Waits until each of them waits for the server, by its own account.
    async fn until_all_wait(&self, app: &App) -> Vec<Value> {
        let mut reasons = vec![];
        for (job, _) in &self.jobs {
            let at = format!("/api/v1/admin/sagas/{job}");
            let waits = |told: &crate::support::Answer| told.body["why"][0]["code"] == "throttled";
            let mut told = app.until(&at, &self.ana, waits).await;
            reasons.push(told.body["why"][0].take());
        }
        reasons
    }

    fn calls(&mut self) -> usize {
        std::iter::from_fn(|| self.server.calls.try_recv().ok()).count()
    }

    /// The server is well again, and the time is over for which it is left alone.
    async fn ends(&self, app: &App) {
        self.model.well.store(true, Ordering::SeqCst);
        let now = app.store.db().now().await.unwrap();
        let over = "UPDATE provider_gates SET closed_until = $1, patience_until = $1 WHERE provider = 'openai'";
        app.store
            .db()
            .query(over)
            .bind(now)
            .execute()
            .await
            .unwrap();
        let began = Instant::now();
        for (job, me) in &self.jobs {
            let at = format!("/api/v1/jobs/{job}");
            while app.get(&at, me).await.body["status"] != "succeeded" {
                assert!(began.elapsed() < Duration::from_mins(1), "never: {job}");
                // Nobody has the patience to wait for real. One row at a time: the workers lock them in an
                // order of their own.
                let wake =
                    "UPDATE steps SET wake_at = $1 WHERE state = 'retrying' AND saga_id = $2";
                let wake = app.store.db().query(wake).bind(now).bind(*job);
                wake.execute().await.unwrap();
            }
        }
    }

    async fn gate(&self, app: &App) -> Gate {
        let gates = app.store.gates().await.unwrap();
        let of_server = |gate: &Gate| gate.provider == "openai";
        gates.into_iter().find(of_server).unwrap()
    }
}

#[tokio::test]
async fn a_server_that_asks_for_patience_is_asked_by_nobody_until_then() {
    on_each(async |app| {
        let mut trouble = Trouble::start(app, StatusCode::TOO_MANY_REQUESTS, "40", 3).await;
        let reasons = trouble.until_all_wait(app).await;
        assert!(trouble.calls() <= 3, "those that were under way");
        let until = |reason: &Value| reason["until"].as_str().unwrap().to_owned();
        let closed = trouble.gate(app).await.patience_until;
        assert!(reasons.iter().all(|reason| !until(reason).is_empty()));
        assert!(closed > app.store.db().now().await.unwrap());
        // Somebody who comes later does not even ask.
        let me = app.person(&["member"]);
        trouble.jobs.push((forge(app, &me).await, me));
        let reasons = trouble.until_all_wait(app).await;
        let message = reasons.last().unwrap()["message"].as_str().unwrap();
        assert!(
            message.contains("asked everybody for patience"),
            "{message}"
        );
        assert_eq!(trouble.calls(), 0);
        for (job, me) in &trouble.jobs {
            let told = app.get(&format!("/api/v1/jobs/{job}"), me).await;
            assert_eq!(told.body["attempt"], 0, "{told:?}");
        }
        trouble.ends(app).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_down_is_left_alone_and_tried_by_one_at_a_time() {
    on_each(async |app| {
        let mut trouble = Trouble::start(app, StatusCode::SERVICE_UNAVAILABLE, "0", 6).await;
        let reasons = trouble.until_all_wait(app).await;
        for reason in &reasons {
            let message = reason["message"].as_str().unwrap();
            assert!(message.contains("left alone until"), "{message}");
        }
        let gate = trouble.gate(app).await;
        assert!(gate.opened && gate.failures >= 5, "{gate:?}");
        assert!(trouble.calls() >= 5);
        let letters = app.get("/api/v1/admin/dead-letters", &trouble.ana).await;
        assert_eq!(letters.body["items"], json!([]));
        trouble.ends(app).await;
        let gate = trouble.gate(app).await;
        assert_eq!((gate.opened, gate.failures), (false, 0));
        assert_eq!(trouble.calls(), 0, "the server was well by then");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_turns_calls_down_is_there_again() {
    on_each(async |app| {
        let opened = "INSERT INTO provider_gates (provider, model, failures, successes, opened, trying, closed_until, patience_until)
            VALUES ('openai', 'unwilling', 5, 0, TRUE, FALSE, $1, $1)";
        let now = app.store.db().now().await.unwrap();
        let opened = app.store.db().query(opened).bind(now);
        opened.execute().await.unwrap();
        // One by one they are told that their requests are wrong, by a server that is well.
        for tried in 1..=3 {
            let trouble = Trouble::start(app, StatusCode::BAD_REQUEST, "0", 0).await;
            assert!(trouble.gate(app).await.opened, "after {tried} of 3");
            let me = app.person(&["member"]);
            let job = forge(app, &me).await;
            app.until_status(job, &me, "parked").await;
        }
        let gate = app.store.gates().await.unwrap();
        let gate = gate.iter().find(|gate| gate.provider == "openai").unwrap();
        assert_eq!((gate.opened, gate.failures), (false, 0), "{gate:?}");
    })
    .await;
}
