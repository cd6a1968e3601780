//! What begins by the clock, as settings say it.

use crate::settings::{complaint, fleet, some};
use process::settings::{Given, Recurring, Role};

fn given(words: &str) -> Given {
    Given {
        topic_round_schedule: some(words),
        ..fleet()
    }
}

#[test]
fn rounds_begin_by_themselves_where_it_is_said_and_never_else() {
    for none in [fleet(), given(" ")] {
        assert_eq!(none.check(Role::Worker).unwrap().topic_rounds, None);
    }
    let friday = Recurring {
        cron: "0 18 * * FRI".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    for role in [Role::Api, Role::Worker, Role::Tool] {
        let told = given("  0 18 * *  FRI Europe/Berlin").check(role).unwrap();
        assert_eq!(told.topic_rounds, Some(friday.clone()));
    }
    let rows = given("0 18 * * FRI Europe/Berlin").rows();
    let name = "TOPIC_ROUND_SCHEDULE";
    let row = rows.iter().find(|row| row.name == name).unwrap();
    assert_eq!(
        (&*row.value, &*row.default),
        ("0 18 * * FRI Europe/Berlin", "none")
    );
}

#[test]
fn a_time_that_means_nothing_is_one_problem_with_what_would_do() {
    for (wrong, why) in [
        ("weekly", "has 1 of 6 parts"),
        ("0 18 * * FRI", "has 5 of 6 parts"),
        ("0 0 18 * * FRI Europe/Berlin", "has 7 parts instead of 6"),
        (
            "0 18 * * FRI Europe/Atlantis",
            "nobody knows the time zone Europe/Atlantis",
        ),
        ("0 25 * * FRI Europe/Berlin", ""),
        ("0 18 * * FREITAG Europe/Berlin", ""),
        ("0 0 30 2 * Europe/Berlin", "no day fits it"),
    ] {
        let told = complaint(given(wrong));
        let head =
            format!("error: 1 configuration problem\n  TOPIC_ROUND_SCHEDULE   {wrong:?}   {why}");
        assert!(told.starts_with(&head), "{told}");
        let fix = "; write minute, hour, day, month, day of the week and a time zone, as 0 18 * * FRI Europe/Berlin\n";
        assert!(told.contains(fix), "{told}");
    }
}
