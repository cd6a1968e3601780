//! Nobody may ask for more than its share, and everybody is told what is left of it.

use crate::log;
use crate::support::{App, Person, answers};
use chorus_api::{ApiSettings, Origins, SharedRates};
use process::Secret;
use process::settings::{Proxies, Quota, Rates, Scope};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const MINUTE: Duration = Duration::from_mins(1);

fn limited(scope: Scope, most: u32) -> impl FnOnce(&mut ApiSettings) {
    move |settings| {
        settings.rates = Rates::off().with(scope, vec![Quota::new(most, MINUTE)]);
    }
}

#[tokio::test]
async fn an_account_is_told_what_is_left_and_then_refused() {
    let app = App::new(None, limited(Scope::Commands, 3)).await;
    let (me, other) = (app.person(&["member"]), app.person(&["member"]));
    let start = |by: &Person| {
        let request = app.request(Method::POST, "/api/v1/jobs", Some(by));
        app.send(request.json(&json!({"kind": "demo.patient"})))
    };
    for left in [2, 1, 0] {
        let taken = start(&me).await.is(202);
        assert_eq!(taken.header("ratelimit-policy"), "\"commands\";q=3;w=60");
        let told = format!("\"commands\";r={left};t=");
        assert!(taken.header("ratelimit").starts_with(&told), "{taken:#?}");
    }
    let refused = start(&me).await.is_problem(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{refused:#?}");
    assert!(
        refused
            .header("ratelimit")
            .starts_with("\"commands\";r=0;t=")
    );
    assert_eq!(refused.body["violated-policies"], json!(["commands"]));
    assert_eq!(refused.body["retryable"], json!(true));
    start(&other).await.is(202);
    let listed = app.get("/api/v1/jobs", &me).await.is(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 3);
    assert!(
        listed.headers.get("ratelimit").is_none(),
        "reads have no limit here"
    );
    app.end().await;
}

#[tokio::test]
async fn of_two_limits_the_tighter_one_refuses() {
    let app = App::new(None, |settings| {
        let both = vec![
            Quota::new(5, MINUTE),
            Quota::new(2, Duration::from_hours(1)),
        ];
        settings.rates = Rates::off().with(Scope::Surveys, both);
    })
    .await;
    let me = app.person(&["member"]);
    for _ in 0..2 {
        let made = app.post("/api/v1/surveys", &me, &json!({})).await.is(201);
        assert_eq!(
            made.header("ratelimit-policy"),
            "\"surveys-60s\";q=5;w=60, \"surveys-3600s\";q=2;w=3600"
        );
    }
    let refused = app.post("/api/v1/surveys", &me, &json!({})).await;
    let refused = refused.is_problem(429, "rate_limited");
    assert_eq!(refused.body["violated-policies"], json!(["surveys-3600s"]));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1_700..=1_800).contains(&wait), "{wait}");
    app.end().await;
}

#[tokio::test]
async fn an_address_is_refused_before_anybody_asks_who_calls() {
    let app = App::new(None, |settings| {
        limited(Scope::Address, 4)(settings);
        settings.proxies = Proxies::Hops(1);
        settings.origins = Origins::Loopback;
    })
    .await;
    let me = app.person(&["member"]);
    let from = |address: &str, path: &str| {
        let request = app.request(Method::GET, path, Some(&me));
        app.send(request.header("x-forwarded-for", address))
    };
    for path in ["/api/v1/jobs", "/nonsense", "/", "/api/v1/surveys/none"] {
        let told = from("203.0.113.7", path).await;
        assert!(
            told.header("ratelimit").starts_with("\"address\";r="),
            "{told:#?}"
        );
    }
    for path in ["/api/v1/jobs", "/nonsense"] {
        from("203.0.113.7", path)
            .await
            .is_problem(429, "rate_limited");
    }
    from("198.51.100.1, 203.0.113.7", "/")
        .await
        .is_problem(429, "rate_limited");
    from("203.0.113.8", "/api/v1/jobs").await.is(200);
    // One customer's network of IPv6 is one address.
    for host in 1..=4 {
        from(&format!("2001:db8:0:1::{host}"), "/").await.is(200);
    }
    from("2001:db8:0:1::ffff", "/")
        .await
        .is_problem(429, "rate_limited");
    from("2001:db8:0:2::1", "/").await.is(200);
    // Who watches the process, and a browser that only asks whether it may ask, are not counted.
    for path in ["/livez", "/readyz", "/health", "/api/v1/health", "/metrics"] {
        let watched = from("203.0.113.7", path).await;
        assert!(
            [200, 503].contains(&watched.status.as_u16()),
            "{watched:#?}"
        );
    }
    let preflight = app
        .request(Method::OPTIONS, "/api/v1/jobs", None)
        .header("x-forwarded-for", "203.0.113.7")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST");
    app.send(preflight).await.is(200);
    app.end().await;
}

#[tokio::test]
async fn friends_are_counted_by_address_and_sign_in_by_its_own_limit() {
    let app = App::new(None, |settings| {
        let quota = |most| vec![Quota::new(most, MINUTE)];
        settings.rates = Rates::off()
            .with(Scope::Responses, quota(2))
            .with(Scope::Auth, quota(3));
    })
    .await;
    let me = app.person(&["member"]);
    let survey = crate::mirror::survey(&app, &me).await;
    for friend in 0..2 {
        crate::mirror::respond(&app, &survey, friend).await.is(201);
    }
    let third = crate::mirror::respond(&app, &survey, 3).await;
    third.is_problem(429, "rate_limited");
    let another = app.request(
        Method::POST,
        &format!("/api/v1/surveys/{}/responses", Uuid::now_v7()),
        None,
    );
    let another = app.send(another.json(&json!({"answers": answers()}))).await;
    another.is_problem(429, "rate_limited");
    app.get(&format!("/api/v1/surveys/{survey}/status"), &me)
        .await
        .is(200);
    app.end().await;
}

#[tokio::test]
async fn five_streams_are_open_at_once_and_no_more() {
    let app = App::new(None, limited(Scope::Streams, 100)).await;
    let (me, other) = (app.person(&["member"]), app.person(&["member"]));
    let (mine, theirs) = (
        app.start("demo.patient", &me).await,
        app.start("demo.patient", &other).await,
    );
    let open = async |job: Uuid, by: &Person| {
        let path = format!("/api/v1/jobs/{job}/events");
        let request = app.request(Method::GET, &path, Some(by));
        let request = request.header("accept", "text/event-stream");
        request.send().await.unwrap()
    };
    let mut all = vec![];
    for _ in 0..5 {
        all.push(open(mine, &me).await);
    }
    assert!(all.iter().all(|stream| stream.status() == 200));
    assert_eq!(open(mine, &me).await.status(), 429);
    assert_eq!(open(theirs, &other).await.status(), 200);
    all.pop();
    let began = std::time::Instant::now();
    while open(mine, &me).await.status() != 200 {
        assert!(
            began.elapsed().as_secs() < 30,
            "a stream that ended keeps its place"
        );
        tokio::task::yield_now().await;
    }
    drop(all);
    app.end().await;
}

/// A Redis to count in, under names of this test's own.
fn redis(what: &str) -> Option<SharedRates> {
    Some(SharedRates {
        url: Secret::new(testing::redis(what)?),
        prefix: format!("chorus-test-{}", Uuid::now_v7().simple()),
    })
}

#[tokio::test]
async fn two_processes_count_together_in_a_redis() {
    let Some(shared) = redis("rate limits that processes share") else {
        return;
    };
    let app = App::new(None, |settings| {
        limited(Scope::Commands, 4)(settings);
        settings.shared_rates = Some(shared.clone());
    })
    .await;
    let bases = [app.base.clone(), app.serve_again().await];
    let me = app.person(&["member"]);
    let start = |base: &str, by: &Person| {
        let request = app.http.post(format!("{base}/api/v1/jobs"));
        let request = request.bearer_auth(&by.token);
        app.send(request.json(&json!({"kind": "demo.patient"})))
    };
    for turn in 0..4 {
        let taken = start(&bases[turn % 2], &me).await.is(202);
        let told = format!("\"commands\";r={};t=", 3 - turn);
        assert!(taken.header("ratelimit").starts_with(&told), "{taken:#?}");
    }
    for base in &bases {
        let refused = start(base, &me).await.is_problem(429, "rate_limited");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=15).contains(&wait), "{wait}");
    }
    let all = (0..12).map(|turn| start(&bases[turn % 2], &me));
    for answer in futures_util::future::join_all(all).await {
        answer.is_problem(429, "rate_limited");
    }
    // Many at once, of both: as many as there may be are taken, and not one more.
    let crowd = app.person(&["member"]);
    let all = (0..20).map(|turn| start(&bases[turn % 2], &crowd));
    let answers = futures_util::future::join_all(all).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(taken, 4);
    app.end().await;
}

#[tokio::test]
async fn nothing_stops_without_the_redis_and_each_process_counts_its_own() {
    log::keep();
    let port = testing::held_port();
    let app = App::new(None, |settings| {
        let quota = |most| vec![Quota::new(most, MINUTE)];
        settings.rates = Rates::off()
            .with(Scope::Commands, quota(3))
            .with(Scope::Auth, quota(2));
        settings.shared_rates = Some(SharedRates {
            url: Secret::new(format!("redis://:canary-of-redis@127.0.0.1:{}", port.1)),
            prefix: "chorus".to_owned(),
        });
    })
    .await;
    let me = app.person(&["member"]);
    let start = async || {
        let body = json!({"kind": "demo.patient"});
        app.post("/api/v1/jobs", &me, &body).await
    };
    for _ in 0..3 {
        start().await.is(202);
    }
    start().await.is_problem(429, "rate_limited");
    let sign_in = || {
        let request = app.request(Method::POST, "/api/v1/auth/login", None);
        app.send(request.json(&json!({})))
    };
    for _ in 0..2 {
        assert_ne!(sign_in().await.status, 429);
    }
    sign_in().await.is_problem(429, "rate_limited");
    let scraped = app
        .request(Method::GET, "/metrics", None)
        .send()
        .await
        .unwrap();
    let scraped = scraped.text().await.unwrap();
    let faults = scraped.lines().any(|line| {
        let count = line.strip_prefix("chorus_rate_limit_faults_total ");
        count.is_some_and(|count| count.parse::<u64>().unwrap() > 0)
    });
    assert!(faults, "{scraped}");
    let log = log::kept();
    let told = "The Redis of the rate limits does not answer";
    assert_eq!(log.matches(told).count(), 1, "it is told once");
    assert!(!log.contains("canary-of-redis"));
    app.end().await;
}
