//! `chorus config check`.

use crate::support::Place;

#[test]
fn two_faults_are_told_at_once() {
    let place = Place::new();
    let wrong = [("PORT", "99999"), ("APP_ENV", "prod")];
    let told = place.chorus_with(&["config", "check"], &wrong).is(2);
    assert!(
        told.err.contains("2 configuration problems")
            && told.err.contains("PORT")
            && told.err.contains("APP_ENV"),
        "{}",
        told.err
    );
}

#[test]
fn settings_are_listed_as_json_without_secrets() {
    let place = Place::new();
    let secret = [("OPENAI_API_KEY", "sk-canary")];
    let told = place.chorus_with(&["config", "check", "--json"], &secret);
    let rows = told.is(0).lines();
    let port = rows.iter().find(|row| row["name"] == "PORT").unwrap();
    assert_eq!(
        (port["value"].as_str(), port["source"].as_str()),
        (Some("8000"), Some("default"))
    );
    assert!(!format!("{rows:?}").contains("canary"));
}
