//! How an API process leaves from behind a balancer: not ready first, closed later.

use crate::ground::Ground;
use crate::support::{Place, until};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_accepts_for_a_while_after_it_has_said_that_it_leaves() {
    let Some(ground) = Ground::made("an API that leaves slowly").await else {
        return;
    };
    let place = Place::new();
    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let delay = [("DRAIN_DELAY_S", "4")];
    let api = ground.serve(&place, &["api"], "PORT", &delay);
    let (url, token) = (api.url.clone(), ground.token(&place));
    api.signal("TERM");
    let ready = ["healthcheck", "--ready", "--url", &url];
    until("it is not ready any more", || {
        (place.chorus(&ready).code != 0).then_some(())
    });
    let request = reqwest::Client::new().post(format!("{url}/api/v1/jobs"));
    let request = request
        .bearer_auth(&token)
        .json(&json!({"kind": "demo.pair"}));
    let accepted = request.send().await.unwrap();
    assert_eq!(accepted.status(), 202, "a balancer has not seen it yet");
    let told = reqwest::get(format!("{url}/readyz")).await.unwrap();
    assert_eq!(told.status(), 503);
    assert_eq!(told.text().await.unwrap(), "draining\n");
    api.ended().is(0);
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_a_process_at_once() {
    let Some(ground) = Ground::made("a process that is in a hurry").await else {
        return;
    };
    let place = Place::new();
    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let delay = [("DRAIN_DELAY_S", "60")];
    let api = ground.serve(&place, &["api"], "PORT", &delay);
    let ready = ["healthcheck", "--ready", "--url", &api.url];
    api.signal("TERM");
    until("it is not ready any more", || {
        (place.chorus(&ready).code != 0).then_some(())
    });
    api.signal("INT");
    api.ended().is(130);
    ground.clear().await;
}
