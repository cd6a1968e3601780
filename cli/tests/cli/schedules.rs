//! `TOPIC_ROUND_SCHEDULE`: rounds that begin by the clock.

use crate::ground::Ground;
use crate::support::{Place, until};
use saga_core::db::{Db, Location};
use serde_json::Value;

const FRIDAY: (&str, &str) = ("TOPIC_ROUND_SCHEDULE", "0 18 * * FRI Europe/Berlin");

/// Has the next round be due now; tells whether there is one.
async fn due(location: &Location) -> bool {
    let db = Db::open(location).await.unwrap();
    let now = db.now().await.unwrap();
    let due = db.query("UPDATE schedules SET next_at = $1").bind(now);
    let count = due.execute().await.unwrap();
    db.close().await;
    count == 1
}

async fn schedules(url: &str, token: &str) -> Vec<Value> {
    let asked = reqwest::Client::new().get(format!("{url}/api/v1/admin/schedules"));
    let answer = asked.bearer_auth(token).send().await.unwrap();
    let told: Value = answer.error_for_status().unwrap().json().await.unwrap();
    told["items"].as_array().unwrap().clone()
}

/// What a doctor says of schedules, and how it is.
fn told(place: &Place, more: &[&str], settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let arguments = [&["doctor", "--json"], more].concat();
    let lines = place.chorus_with(&arguments, settings).lines();
    let ours = lines.iter().filter(|line| line["check"] == "schedules");
    let word = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    ours.map(|line| (word(line, "state"), word(line, "found")))
        .collect()
}

#[test]
fn a_schedule_that_means_nothing_is_told_with_the_setting_and_what_would_do() {
    let place = Place::new();
    for wrong in [
        "weekly",
        "0 25 * * FRI Europe/Berlin",
        "0 18 * * FRI Europe/Atlantis",
    ] {
        let settings = [(FRIDAY.0, wrong)];
        for command in [&["config", "check"][..], &["worker", "synthesis"], &[]] {
            let told = place.chorus_with(command, &settings).is(2);
            assert!(
                told.err.contains("error: 1 configuration problem\n"),
                "{told:?}"
            );
            for part in [FRIDAY.0, wrong, "time zone, as 0 18 * * FRI Europe/Berlin"] {
                assert!(told.err.contains(part), "{told:?}");
            }
        }
    }
    place.chorus_with(&["config", "check"], &[FRIDAY]).is(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_begins_a_round_by_the_clock_and_says_when_the_next_is() {
    let place = Place::new();
    let _house = place.house_with(&[FRIDAY]);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let (url, token) = (read("chorus-data/url"), read("chorus-data/token"));
    let kept = || told(&place, &[], &[FRIDAY]);
    let known = until("it is written down", || {
        kept().into_iter().find(|(state, _)| state == "ok")
    });
    assert!(
        known.1.starts_with("topic-rounds comes next at "),
        "{known:?}"
    );
    assert_eq!(told(&place, &[], &[]), [], "nothing is scheduled there");
    let other = told(&place, &[], &[(FRIDAY.0, "0 9 * * MON Europe/Berlin")]);
    assert_eq!(other[0].0, "warning");
    assert!(other[0].1.contains("0 18 * * FRI"), "{other:?}");

    let path = place.path("chorus-data/chorus.db");
    assert!(due(&Location::Sqlite { path }).await);
    let round = until("a round is over", || {
        let rounds = place.chorus(&["rounds", "list", "--json"]).is(0).lines();
        rounds.into_iter().find(|round| round["state"] == "empty")
    });
    assert_eq!(round["trigger"], "schedule");
    let listed = schedules(url.trim(), token.trim()).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (
            &listed[0]["kind"],
            &listed[0]["time_zone"],
            &listed[0]["last_job_id"]
        ),
        (&"topic.round".into(), &"Europe/Berlin".into(), &round["id"])
    );
    assert!(listed[0]["last_error"].is_null(), "{listed:?}");
    let (state, found) = kept().remove(0);
    assert!(state == "ok" && found.contains("came last at "), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_processes_one_begins_the_round() {
    let Some(ground) = Ground::made("a fleet's rounds by the clock").await else {
        return;
    };
    let place = Place::new();
    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let api = ground.serve(&place, &["api"], "PORT", &[FRIDAY]);
    let settings = [&ground.settings()[..], &[FRIDAY]].concat();
    let doctor = || told(&place, &["--url", &api.url], &settings);
    let (state, found) = doctor().remove(0);
    assert!(
        state == "warning" && found.contains("no worker has heard"),
        "{found}"
    );
    let worker = |queue| ground.serve(&place, &["worker", queue], "WORKER_PORT", &[FRIDAY]);
    let _working = ["synthesis", "synthesis", "image"].map(worker);
    until("it is written down", || {
        (doctor()[0].0 == "ok").then_some(())
    });

    let url = ground.setting("DATABASE_URL").to_owned();
    let location = Location::Postgres {
        url,
        connections_max: 1,
    };
    assert!(due(&location).await);
    let token = ground.token(&place);
    let client = [("CHORUS_URL", &*api.url), ("CHORUS_TOKEN", &token)];
    let rounds = || {
        place
            .chorus_with(&["rounds", "list", "--json"], &client)
            .is(0)
            .lines()
    };
    let round = until("a round is over", || {
        rounds().into_iter().find(|round| round["state"] == "empty")
    });
    assert_eq!(round["trigger"], "schedule");
    assert_eq!(rounds().len(), 1);
    let listed = schedules(&api.url, &token).await;
    assert_eq!(listed[0]["last_job_id"], round["id"]);
    ground.clear().await;
}
