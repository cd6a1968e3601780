//! Commands and looks need the store alone: here no worker ever runs.

use crate::mirror::survey;
use crate::support::{Answer, App, Person, answers, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// So many of each, one after the other.
const REQUESTS: usize = 200;

/// How long each request of one sort took.
struct Times(Vec<Duration>);

impl Times {
    /// Sends requests of one sort; every one of them must be answered with 2xx.
    async fn of(mut send: impl AsyncFnMut(usize) -> Answer) -> Self {
        let mut all = vec![];
        for at in 0..REQUESTS {
            let began = Instant::now();
            let answer = send(at).await;
            all.push(began.elapsed());
            assert!(answer.status.is_success(), "{answer:#?}");
        }
        all.sort();
        Self(all)
    }

    #[expect(clippy::print_stdout, reason = "figures for whoever looks")]
    fn print(&self, what: &str) {
        let at = |percent: usize| self.0[(self.0.len() - 1) * percent / 100];
        println!("{what:<40} p50 {:>9.2?}   p99 {:>9.2?}", at(50), at(99));
    }
}

async fn looks(app: &App, me: &Person, survey: &str, job: Uuid) {
    for path in [
        "/api/v1/personas/me".to_owned(),
        format!("/api/v1/surveys/{survey}/status"),
        format!("/api/v1/jobs/{job}"),
    ] {
        let times = Times::of(async |_| app.get(&path, me).await).await;
        times.print(&format!("GET {}", path.replace(&job.to_string(), "{id}")));
    }
}

/// A forge that nobody works on is cancelled at once, which makes way for the next.
async fn make_way(app: &App, me: &Person) {
    let job = app.get("/api/v1/personas/me", me).await.text("job");
    app.post(&format!("{job}/cancel"), me, &json!({}))
        .await
        .is(200);
}

#[tokio::test]
async fn every_command_and_look_is_answered_without_any_worker() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let made = Times::of(async |_| app.post("/api/v1/surveys", &me, &json!({})).await).await;
        made.print("POST /api/v1/surveys");

        let asked = survey(app, &me).await;
        let path = format!("/api/v1/surveys/{asked}/responses");
        let answered = Times::of(async |friend| {
            let body = json!({"answers": answers(), "fingerprint": format!("friend {friend}")});
            app.send(app.request(Method::POST, &path, None).json(&body))
                .await
        })
        .await;
        answered.print("POST /api/v1/surveys/{name}/responses");

        let mut forged = vec![];
        for _ in 0..REQUESTS {
            make_way(app, &me).await;
            let (began, wish) = (Instant::now(), json!({"survey_id": asked}));
            let forge = app.post("/api/v1/personas/me/forge", &me, &wish).await;
            forged.push(began.elapsed());
            assert_eq!(forge.is(202).body["done"], false);
        }
        forged.sort();
        Times(forged).print("POST /api/v1/personas/me/forge");

        let mut job = Value::Null;
        let started = Times::of(async |_| {
            let new = json!({"kind": "demo.relay"});
            let answer = app.post("/api/v1/jobs", &me, &new).await.is(202);
            job = answer.body["id"].clone();
            answer
        })
        .await;
        started.print("POST /api/v1/jobs");
        looks(app, &me, &asked, job.as_str().unwrap().parse().unwrap()).await;
    })
    .await;
}
