//! `chorus token`.

use crate::support::Place;

#[test]
fn a_token_opens_what_its_role_may() {
    let place = Place::new();
    let _house = place.house();
    let made = |extra: &[&str]| {
        let mut arguments = vec!["token", "--email", "ana.maria@example.org"];
        arguments.extend(extra);
        place.chorus(&arguments).is(0).out.trim().to_owned()
    };
    let member = made(&["--name", "Ana"]);
    let with =
        |arguments: &[&str], token: &str| place.chorus_with(arguments, &[("CHORUS_TOKEN", token)]);
    with(&["jobs", "list"], &member).is(0);
    with(&["dead-letters", "list"], &member).is(4);
    with(&["dead-letters", "list"], &made(&["--role", "operator"])).is(0);
    with(&["jobs", "list"], "nonsense").is(4);
}

#[test]
fn a_token_needs_an_address_a_known_role_and_a_plain_name() {
    let place = Place::new();
    for arguments in [
        &["token"][..],
        &["token", "--email", "nobody"],
        &["token", "--email", "a@b", "--role", "emperor"],
        &["token", "--email", "a@b", "--name", " "],
    ] {
        place.chorus(arguments).is(2);
    }
}
