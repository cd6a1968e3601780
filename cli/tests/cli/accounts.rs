//! `chorus accounts`, `chorus api-keys` and `chorus seed`.

use crate::support::Place;
use serde_json::json;

#[test]
fn an_account_is_made_changed_and_disabled() {
    let place = Place::new();
    let _house = place.house();
    let password = place.path("password");
    std::fs::write(&password, "a long enough password\n").unwrap();
    let file = password.to_str().unwrap();
    let create = [
        "accounts",
        "create",
        "ana@example.org",
        "--name",
        "Ana",
        "--role",
        "member",
        "--role",
        "curator",
        "--password-file",
        file,
        "--json",
    ];
    let made = place.chorus(&create).is(0).json();
    assert_eq!(made["roles"], json!(["curator", "member"]));
    place.chorus(&create).is(2); // there is one already
    let roles = [
        "accounts",
        "roles",
        "ana@example.org",
        "--role",
        "operator",
        "--reason",
        "on call",
        "--json",
    ];
    let changed = place.chorus(&roles).is(0).json();
    assert_eq!(changed["roles"], json!(["operator"]));
    let set = [
        "accounts",
        "set-password",
        "ana@example.org",
        "--password-file",
        file,
    ];
    place.chorus(&set).is(0);
    std::fs::write(&password, "short").unwrap();
    let short = place.chorus(&set).is(2);
    assert!(short.err.contains("12 characters"), "{}", short.err);
    let off = place.chorus(&["accounts", "disable", "ana@example.org"]);
    assert!(off.is(0).out.contains("disabled since"));
    place
        .chorus(&["accounts", "enable", "ana@example.org"])
        .is(0);
    let listed = place.chorus(&["accounts", "list", "--json"]).is(0).lines();
    assert!(listed.iter().any(|one| one["id"] == made["id"]));
    place
        .chorus(&["accounts", "disable", "nobody@example.org"])
        .is(2);
    let audit = place
        .chorus(&["audit", "list", "--verb", "account.roles"])
        .is(0);
    assert!(audit.out.contains("on call"), "{}", audit.out);
}

#[test]
fn a_key_is_made_used_and_revoked() {
    let place = Place::new();
    let _house = place.house();
    let create = [
        "api-keys", "create", "nightly", "--scope", "ops:read", "--json",
    ];
    // The token of the house has roles of its own; its account is a member, and so is the key.
    let you = ["accounts", "roles", "you@localhost", "--role", "admin"];
    place.chorus(&you).is(0);
    let made = place.chorus(&create).is(0).json();
    let key = made["key"].as_str().unwrap();
    let with_key = |arguments: &[&str]| {
        let url = std::fs::read_to_string(place.path("chorus-data/url")).unwrap();
        place.chorus_with(
            arguments,
            &[("CHORUS_API_KEY", key), ("CHORUS_URL", url.trim())],
        )
    };
    with_key(&["queues"]).is(0);
    with_key(&["accounts", "list"]).is(4);
    let id = made["id"].as_str().unwrap();
    place.chorus(&["api-keys", "revoke", id]).is(0);
    with_key(&["queues"]).is(4);
    let listed = place.chorus(&["api-keys", "list"]).is(0).out;
    assert!(
        listed.contains("revoked at") && !listed.contains(key),
        "{listed}"
    );
}

#[test]
fn seeds_are_sown_once_and_only_where_nobody_else_reaps() {
    let place = Place::new();
    let seed = ["seed", "--dev", "--json"];
    let admin = [
        ("SEED_ADMIN_EMAIL", "root@example.org"),
        ("SEED_ADMIN_PASSWORD", "a long enough password"),
    ];
    let first = place.chorus_with(&seed, &admin).is(0).lines();
    assert_eq!(first.len(), 8);
    assert!(first.iter().all(|one| one["made"] == true), "{first:?}");
    assert!(first.iter().any(|one| one["email"] == "root@example.org"));
    let again = place.chorus_with(&seed, &admin).is(0).lines();
    assert!(again.iter().all(|one| one["made"] == false), "{again:?}");
    for app_env in ["production", "staging"] {
        let refused = place.chorus_with(&seed, &[("APP_ENV", app_env)]).is(2);
        assert!(refused.err.contains("development"), "{}", refused.err);
    }
    place.chorus(&["seed"]).is(2);
}
