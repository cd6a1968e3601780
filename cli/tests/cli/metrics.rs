//! `/metrics`, as Prometheus reads it: of everything in one process, of an API, of a worker.

use crate::exposition::Exposition;
use crate::ground::Ground;
use crate::support::{Place, Running};
use process::metrics::DESCRIBED;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Families<'a> = BTreeMap<&'a str, (&'a str, BTreeSet<&'a str>)>;

async fn scrape(url: &str) -> Exposition {
    let answer = reqwest::get(format!("{url}/metrics")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let told = Exposition::read(&answer.text().await.unwrap());
    told.lint();
    told
}

/// Scrapes until it is so: what the store holds is looked up once a second.
async fn scraped_when(url: &str, what: &str, met: impl Fn(&Exposition) -> bool) -> Exposition {
    let began = std::time::Instant::now();
    loop {
        let told = scrape(url).await;
        if met(&told) {
            return told;
        }
        assert!(began.elapsed().as_secs() < 60, "never: {what}: {told:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn meant() -> Families<'static> {
    let described = DESCRIBED.iter();
    described
        .map(|one| {
            let labels = one.labels.iter().copied().collect();
            (one.name, (one.shape.word(), labels))
        })
        .collect()
}

struct House {
    place: Place,
    running: Running,
    url: String,
}

impl House {
    fn open() -> Self {
        let place = Place::new();
        let running = place.house();
        let url = std::fs::read_to_string(place.path("chorus-data/url")).unwrap();
        let url = url.trim().to_owned();
        Self {
            place,
            running,
            url,
        }
    }

    fn submit(&self, kind: &str, code: i32) -> Value {
        let told = ["jobs", "submit", kind, "--wait", "--json"];
        self.place.chorus(&told).is(code).json()
    }
}

#[tokio::test]
async fn a_job_moves_the_counters_by_exactly_itself() {
    let house = House::open();
    let before = scrape(&house.url).await;
    house.submit("demo.relay", 0);
    house.submit("demo.relay", 0);
    let after = scraped_when(&house.url, "nothing is under way", |told| {
        told.sum("chorus_worker_slots", &[("state", "busy")]) < 0.5
    })
    .await;
    let moved = |name: &str, labels: &[(&str, &str)]| {
        let by = after.sum(name, labels) - before.sum(name, labels);
        format!("{by}")
    };
    let (relay, done) = (("kind", "demo.relay"), ("outcome", "succeeded"));
    assert_eq!(moved("chorus_jobs_submitted_total", &[relay]), "2");
    assert_eq!(moved("chorus_jobs_submitted_total", &[]), "2");
    assert_eq!(moved("chorus_jobs_finished_total", &[relay, done]), "2");
    assert_eq!(moved("chorus_jobs_finished_total", &[]), "2");
    assert_eq!(
        moved("chorus_job_duration_seconds_count", &[relay, done]),
        "2"
    );
    for step in ["demo.touch", "demo.touch_image"] {
        let labels = [relay, ("step", step), done];
        assert_eq!(moved("chorus_step_attempts_total", &labels), "2");
        assert_eq!(moved("chorus_step_duration_seconds_count", &labels), "2");
    }
    assert_eq!(moved("chorus_step_attempts_total", &[]), "4");
    for queue in ["synthesis", "image"] {
        assert_eq!(
            moved("chorus_queue_wait_seconds_count", &[("queue", queue)]),
            "2"
        );
    }
    let posts = [
        ("route", "/api/v1/jobs"),
        ("method", "POST"),
        ("status", "202"),
    ];
    assert_eq!(
        moved("chorus_http_request_duration_seconds_count", &posts),
        "2"
    );
    for name in [
        "chorus_dead_letters_total",
        "chorus_compensations_total",
        "chorus_redeliveries_total",
        "chorus_provider_tokens_total",
    ] {
        assert_eq!(moved(name, &[]), "0", "{name}");
    }
    let queue = [("queue", "image")];
    assert_eq!(
        format!("{}", after.sum("chorus_queue_consumers", &queue)),
        "1"
    );
    let slots = [("queue", "image"), ("state", "total")];
    assert_eq!(
        format!("{}", after.sum("chorus_worker_slots", &slots)),
        "10"
    );
    house.running.interrupt().is(0);
}

#[tokio::test]
async fn everything_in_one_process_serves_what_is_described_and_nothing_else() {
    let house = House::open();
    let parked = house.submit("demo.fail", 1);
    let letter = parked["dead_letter"].as_str().unwrap();
    let open = scraped_when(&house.url, "the open letter", |told| {
        told.sum("chorus_dead_letters", &[("state", "open")]) > 0.5
    })
    .await;
    let labels = [
        ("kind", "demo.fail"),
        ("step", "demo.stumble"),
        ("code", "permanent"),
    ];
    assert_eq!(
        format!("{}", open.sum("chorus_dead_letters_total", &labels)),
        "1"
    );
    let discard = ["dead-letters", "discard", letter, "--json"];
    house.place.chorus(&discard).is(0);
    house.place.forge().await;
    let forged = [("kind", "persona.forge"), ("outcome", "succeeded")];
    let told = scraped_when(
        &house.url,
        "the persona and the end of the failure",
        |told| {
            let failed = [("kind", "demo.fail"), ("outcome", "failed")];
            told.sum("chorus_jobs_finished_total", &forged) > 0.5
                && told.sum("chorus_jobs_finished_total", &failed) > 0.5
                && told.sum("chorus_dead_letters", &[("state", "discarded")]) > 0.5
                && told.families().contains_key("chorus_breaker_state")
        },
    )
    .await;
    assert_eq!(told.families(), meant());
    let submitted = [("kind", "persona.forge")];
    assert_eq!(
        format!("{}", told.sum("chorus_jobs_submitted_total", &submitted)),
        "1"
    );
    let calls = "chorus_provider_request_duration_seconds_count";
    let local = [("provider", "local"), ("outcome", "answered")];
    assert_eq!(
        format!("{}", told.sum(calls, &local)),
        "2",
        "one writes, one paints"
    );
}

#[tokio::test]
async fn an_api_and_a_worker_each_serve_their_share() {
    let Some(ground) = Ground::made("metrics of an API and a worker").await else {
        return;
    };
    let place = Place::new();
    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let serving = ground.serve(&place, &["api"], "PORT", &[]);
    let working = ground.serve(&place, &["worker", "synthesis"], "WORKER_PORT", &[]);
    let (api, worker) = (&*serving.url, &*working.url);
    let token = ground.token(&place);
    let client = [("CHORUS_URL", api), ("CHORUS_TOKEN", &token)];
    let submit = ["jobs", "submit", "demo.pair", "--wait", "--json"];
    place.chorus_with(&submit, &client).is(0);

    let of_api = scraped_when(api, "one consumer", |told| {
        let consumers = [("queue", "synthesis")];
        told.sum("chorus_queue_consumers", &consumers) > 0.5
    })
    .await;
    let of_worker = scrape(worker).await;
    let pair = [("kind", "demo.pair")];
    let count = |told: &Exposition, name: &str| format!("{}", told.sum(name, &pair));
    assert_eq!(count(&of_api, "chorus_jobs_submitted_total"), "1");
    assert_eq!(count(&of_api, "chorus_jobs_finished_total"), "0");
    assert_eq!(count(&of_worker, "chorus_jobs_submitted_total"), "0");
    assert_eq!(count(&of_worker, "chorus_jobs_finished_total"), "1");
    assert_eq!(count(&of_worker, "chorus_step_attempts_total"), "2");
    // The store's numbers are told once, the worker's by itself.
    let (api_has, worker_has) = (of_api.families(), of_worker.families());
    assert!(
        !worker_has.contains_key("chorus_queue_depth")
            && !api_has.contains_key("chorus_worker_slots")
    );
    let meant = meant();
    for (name, family) in api_has.iter().chain(&worker_has) {
        assert_eq!(meant.get(name), Some(family), "{name}");
    }
    drop((serving, working));
    ground.clear().await;
}
