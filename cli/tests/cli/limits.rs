//! Limits that several API processes share.

use crate::ground::{Ground, Serving};
use crate::support::Place;
use serde_json::json;

async fn start(at: &Serving, token: &str) -> u16 {
    let request = reqwest::Client::new().post(format!("{}/api/v1/jobs", at.url));
    let request = request
        .bearer_auth(token)
        .json(&json!({"kind": "demo.pair"}));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn two_api_processes_count_together_in_a_redis_and_go_on_without_it() {
    let Some(redis) = testing::redis("rate limits that API processes share") else {
        return;
    };
    let what = "rate limits of two API processes";
    let Some(ground) = Ground::made(what).await else {
        return;
    };
    let place = Place::new();
    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let (_held, gone) = testing::held_port();
    let away = format!("redis://127.0.0.1:{gone}");
    for (redis, together) in [(&redis, true), (&away, false)] {
        let more = [
            ("RATE_LIMITS", "commands=4/h"),
            ("REDIS_URL", redis.as_str()),
        ];
        let one = ground.serve(&place, &["api"], "PORT", &more);
        let two = ground.serve(&place, &["api"], "PORT", &more);
        let mint = ["token", "--email", "bo@example.com", "--role", "admin"];
        let email = if together {
            "bo@example.com"
        } else {
            "cy@example.com"
        };
        let mint = mint.map(|word| if word.contains('@') { email } else { word });
        let token = place.chorus_with(&mint, &ground.settings()).is(0).out;
        let mut answers = vec![];
        for _ in 0..6 {
            answers.push((
                start(&one, token.trim()).await,
                start(&two, token.trim()).await,
            ));
        }
        let mut expected = vec![(202, 202); 2];
        if !together {
            expected.extend([(202, 202); 2]);
        }
        expected.resize(6, (429, 429));
        assert_eq!(answers, expected, "together: {together}");
    }
    ground.clear().await;
}
