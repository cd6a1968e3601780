//! `chorus`: everything in one process, to stay.

use crate::support::{Place, Running};
use testing::Throwaway;

#[test]
fn the_banner_says_where_everything_is_and_ctrl_c_ends_it_well() {
    let place = Place::new();
    let house = place.house();
    let url = std::fs::read_to_string(place.path("chorus-data/url")).unwrap();
    let banner = house.out();
    for part in [
        "embedded mode",
        &format!("{}/api/v1", url.trim()),
        &format!("{}/docs", url.trim()),
        "chorus-data/token",
        "curl -s",
    ] {
        assert!(banner.contains(part), "no {part}: {banner}");
    }
    place.chorus(&["healthcheck", "--url", url.trim()]).is(0);
    let ended = house.interrupt().is(0);
    assert!(ended.out.contains("Stopped."), "{}", ended.out);
    assert!(!place.path("chorus-data/url").exists());
    place.chorus(&["jobs", "list"]).is(3);
}

#[test]
fn a_second_house_on_the_same_data_is_refused() {
    let place = Place::new();
    let _house = place.house();
    let refused = place.chorus(&["--port", "0"]).is(1);
    assert!(
        refused.err.contains("uses the data folder") && refused.err.contains("\ntry: "),
        "{}",
        refused.err
    );
}

#[test]
fn what_was_accepted_goes_on_after_a_kill() {
    let place = Place::new();
    let house = place.house();
    let submit = |kind: &str| {
        let told = place.chorus(&["jobs", "submit", kind, "--json"]).is(0);
        told.json()["id"].as_str().unwrap().to_owned()
    };
    let (fails, pairs) = (submit("demo.fail"), submit("demo.pair"));
    let parked = place.chorus(&["jobs", "get", &fails, "--wait", "--json"]);
    assert_eq!(parked.is(1).json()["status"], "parked");
    let relays = submit("demo.relay");
    house.kill();

    let house = place.house();
    for job in [pairs, relays] {
        let done = place.chorus(&["jobs", "get", &job, "--wait", "--json"]);
        assert_eq!(done.is(0).json()["status"], "succeeded");
    }
    let still = place.chorus(&["jobs", "get", &fails, "--json"]).is(0);
    assert_eq!(still.json()["status"], "parked");
    house.interrupt().is(0);
}

#[tokio::test]
async fn on_postgresql_and_rabbitmq_it_makes_its_own_folder() {
    let Some((server, amqp)) = testing::services("chorus on PostgreSQL and RabbitMQ") else {
        return;
    };
    let empty = Throwaway::create(server, "cli").await;
    let place = Place::new();
    let house: Running = place.house_with(&[
        ("DATABASE_URL", &empty.url()),
        ("AMQP_URL", &amqp),
        ("QUEUE_PREFIX", empty.name()),
        ("MIGRATE_ON_START", "true"),
        ("JWT_SECRET", &"j".repeat(32)),
        ("HASH_PEPPER", &"p".repeat(32)),
    ]);
    place.chorus(&["jobs", "list"]).is(0);
    house.interrupt().is(0);
    empty.end().await;
}
