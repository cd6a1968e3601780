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

#[test]
fn problems_and_guesses_are_told_as_json_too() {
    let place = Place::new();
    let wrong = [("PORT", "99999"), ("DATABSE_URL", "postgres://db/x")];
    let told = place
        .chorus_with(&["config", "check", "--json"], &wrong)
        .is(2);
    let lines = told.lines();
    let has = |pointer: &str, part: &str| {
        let words = lines.iter().filter_map(|line| line.pointer(pointer));
        words
            .filter_map(|word| word.as_str())
            .any(|word| word.contains(part))
    };
    assert!(has("/problem/name", "PORT"), "{told:?}");
    assert!(has("/problem/fix", "65535"), "{told:?}");
    assert!(has("/warning", "did you mean DATABASE_URL?"), "{told:?}");
}

#[test]
fn neither_the_table_nor_problems_nor_a_doctor_show_what_is_secret_in_an_address() {
    let place = Place::new();
    let planted = [
        ("DATABASE_URL", "postgres://db.invalid/x?sslpassword=canary"),
        ("AMQP_URL", "amqp://canary@rabbit.invalid"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://u:canary@spans.invalid",
        ),
        ("OPENAI_BASE_URL", "ftp://models.invalid?token=canary"),
        ("PUBLIC_BASE_URL", "http://u:canary@127.0.0.1:1"),
    ];
    for (command, code) in [(vec!["config", "check"], 2), (vec!["doctor"], 1)] {
        for more in [&[][..], &["--json"]] {
            let arguments = [&command[..], more].concat();
            let told = place.chorus_with(&arguments, &planted).is(code);
            let all = [&*told.out, &*told.err].concat();
            assert!(all.contains("amqp://***@rabbit.invalid"), "{all}");
            assert!(!all.contains("canary"), "{all}");
        }
    }
    let lone = [planted[4]];
    let told = place.chorus_with(&["doctor"], &lone).is(1);
    assert!(
        told.out.contains("http://u:***@127.0.0.1:1"),
        "{}",
        told.out
    );
}

#[test]
fn the_document_is_printed_as_the_client_was_made_from_it() {
    let place = Place::new();
    let printed = place.chorus(&["openapi"]).is(0).out;
    let committed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../clients/typescript/openapi.json"
    );
    let committed = std::fs::read_to_string(committed).unwrap();
    assert!(printed == committed, "scripts/client makes the client anew");
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/jobs"]["post"].is_object());
}

#[test]
fn the_example_is_printed_as_it_is_committed() {
    let place = Place::new();
    let printed = place.chorus(&["config", "example"]).is(0).out;
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    assert_eq!(printed, std::fs::read_to_string(committed).unwrap());
}
