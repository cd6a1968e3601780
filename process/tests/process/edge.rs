//! Settings of the edge: who may ask how often, and whose word about a caller counts.

use crate::settings::{complaint, fleet, some};
use process::settings::{Given, Proxies, Quota, Rates, Role, Scope};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

fn rates(given: Given) -> Rates {
    given.check(Role::Api).unwrap().rates
}

#[test]
fn limits_are_on_unless_nobody_else_can_call() {
    assert!(rates(Given::default()).is_off());
    assert_eq!(rates(fleet()), Rates::default());
    let open = Given {
        host: some("0.0.0.0"),
        ..Given::default()
    };
    assert_eq!(rates(open), Rates::default());
    // A proxy on the same machine brings everybody to it.
    for proxies in ["1", "127.0.0.1", "127.0.0.0/8,::1"] {
        let behind = Given {
            trusted_proxies: some(proxies),
            ..Given::default()
        };
        assert_eq!(rates(behind), Rates::default(), "{proxies}");
    }
    let given = |limits| Given {
        rate_limits: some(limits),
        ..Given::default()
    };
    assert_eq!(rates(given("on")), Rates::default());
    assert!(rates(given("OFF")).is_off());
}

#[test]
fn what_differs_is_written_and_the_rest_stays() {
    let given = Given {
        rate_limits: some("commands=200/min + 2000/h, reads=off,auth=3/s"),
        ..fleet()
    };
    let rates = rates(given);
    let hour = Duration::from_hours(1);
    assert_eq!(
        rates.of(Scope::Commands),
        [Quota::new(200, MINUTE), Quota::new(2_000, hour)]
    );
    assert_eq!(rates.of(Scope::Reads), []);
    assert_eq!(
        rates.of(Scope::Auth),
        [Quota::new(3, Duration::from_secs(1))]
    );
    assert_eq!(rates.of(Scope::Responses), [Quota::new(30, MINUTE)]);
}

#[test]
fn limits_that_cannot_be_read_are_told_with_the_way_to_write_them() {
    for (wrong, told) in [
        ("many", "has no `=`"),
        (
            "command=1/s",
            "one of: address, auth, responses, commands, reads, surveys, streams",
        ),
        ("commands=100", "its units are s, min, h, day"),
        ("commands=0/min", "cannot be read"),
        ("commands=-1/min", "cannot be read"),
        ("commands=1/week", "cannot be read"),
        ("commands=1/s+2/s+3/s+4/s", "cannot be read"),
    ] {
        let complaint = complaint(Given {
            rate_limits: some(wrong),
            ..fleet()
        });
        assert!(
            complaint.contains("RATE_LIMITS") && complaint.contains(told),
            "{wrong}: {complaint}"
        );
    }
}

#[test]
fn proxies_are_counted_or_listed() {
    let of = |given: &str| {
        let given = Given {
            trusted_proxies: some(given),
            ..fleet()
        };
        given.check(Role::Api).unwrap().trusted_proxies
    };
    assert_eq!(of(""), Proxies::Hops(0));
    assert_eq!(of("2"), Proxies::Hops(2));
    let listed = ["10.0.0.0/8", "::1"].map(|one| one.parse().unwrap());
    assert_eq!(of("10.0.0.0/8, ::1"), Proxies::Within(listed.to_vec()));
    for wrong in ["17", "-1", "many", "10.0.0.0/40", "10.0.0.0/8,"] {
        let complaint = complaint(Given {
            trusted_proxies: some(wrong),
            ..fleet()
        });
        assert!(
            complaint.contains("their networks, as 10.0.0.0/8"),
            "{complaint}"
        );
    }
}

#[test]
fn a_redis_is_named_by_its_address_and_never_shown() {
    let given = |url| Given {
        redis_url: some(url),
        ..fleet()
    };
    let settings = given("rediss://:hunter2@cache:6380/1")
        .check(Role::Api)
        .unwrap();
    assert!(settings.redis_url.is_some() && !format!("{settings:?}").contains("hunter2"));
    for wrong in ["http://hunter2@cache", "cache:6379", "redis://"] {
        let complaint = complaint(given(wrong));
        assert!(
            complaint.contains("REDIS_URL") && !complaint.contains("hunter2"),
            "{complaint}"
        );
    }
}

#[test]
fn an_address_has_so_many_connections_where_limits_are_on() {
    let of = |given: Given| given.check(Role::Api).unwrap().connections_per_address;
    assert_eq!(of(Given::default()), None);
    assert_eq!(of(fleet()), Some(256));
    let given = |connections, limits| Given {
        connections_per_address: some(connections),
        rate_limits: some(limits),
        ..fleet()
    };
    assert_eq!(of(given("8", "on")), Some(8));
    assert_eq!(of(given("8", "off")), Some(8));
    assert_eq!(of(given(" ", "off")), None);
    assert_eq!(of(given("0", "on")), None);
    let complaint = complaint(given("many", "on"));
    assert!(
        complaint.contains("CONNECTIONS_PER_ADDRESS") && complaint.contains("from 0 to 10000"),
        "{complaint}"
    );
}
