//! The example of the settings says what the settings are, and changes none of them.

use clap::Parser as _;
use process::settings::{Given, Role, SignInGiven};
use std::collections::BTreeMap;

#[derive(clap::Parser)]
struct Sourced {
    #[command(flatten)]
    given: Given,
}

/// Every name in the example, with what is written behind it; nothing where the line is commented out.
fn example() -> BTreeMap<String, String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines();
    lines
        .filter(|line| !line.is_empty() && (!line.starts_with('#') || line.ends_with('=')))
        .map(|line| line.split_once('=').expect("NAME=value"))
        .map(|(name, value)| {
            let bare = name.strip_prefix("# ");
            assert_eq!(bare.is_some(), value.is_empty(), "{name}={value}");
            (bare.unwrap_or(name).to_owned(), value.to_owned())
        })
        .filter(|(name, _)| !name.ends_with("_FILE"))
        .collect()
}

#[test]
fn the_example_is_what_the_settings_make_of_it() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    let written = std::fs::read_to_string(file).unwrap();
    let remedy = "try: cargo run -- config example > .env.example";
    assert!(written == Given::example(), "{remedy}");
}

#[test]
fn the_example_names_every_setting_and_no_other() {
    let rows = Given::default().rows();
    let meant: Vec<&String> = rows.iter().map(|row| &row.name).collect();
    let written = example();
    assert_eq!(written.keys().collect::<Vec<_>>(), meant);
    for row in &rows {
        let value = &written[&row.name];
        assert!(
            value.is_empty() || *value == row.default,
            "{} is {value}, its default {}",
            row.name,
            row.default
        );
    }
}

#[test]
fn an_empty_value_is_the_default_as_compose_passes_it_on() {
    let empty = || Some(String::new());
    let names = example().into_keys();
    let secrets = [
        "DATABASE_URL",
        "AMQP_URL",
        "JWT_SECRET",
        "HASH_PEPPER",
        "REDIS_URL",
        "OPENAI_API_KEY",
        "BACKEND_SECRET_KEY",
        "SEED_ADMIN_PASSWORD",
        "METRICS_TOKEN",
    ];
    let flags = names.map(|name| {
        let file = if secrets.contains(&&*name) {
            "-file"
        } else {
            ""
        };
        format!("--{}{file}=", name.to_lowercase().replace('_', "-"))
    });
    let sourced = Sourced::parse_from(["chorus".to_owned()].into_iter().chain(flags));
    let given = Given {
        database_url: empty(),
        amqp_url: empty(),
        jwt_secret: empty(),
        hash_pepper: empty(),
        redis_url: empty(),
        metrics_token: empty(),
        openai_api_key: empty(),
        sign_in: SignInGiven {
            backend_secret_key: empty(),
            seed_admin_password: empty(),
            ..sourced.given.sign_in
        },
        ..sourced.given
    };
    let checked = |given: Given| format!("{:?}", given.check(Role::Api).unwrap());
    assert_eq!(checked(given), checked(Given::default()));
}

#[test]
fn whoever_takes_the_example_as_it_is_changes_nothing() {
    let written = example();
    // Secrets have no flags, and no defaults either.
    let flags = written
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .flat_map(|(name, value)| {
            let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
            [flag, value.clone()]
        });
    let sourced = Sourced::parse_from(["chorus".to_owned()].into_iter().chain(flags));
    let checked = |given: Given| format!("{:?}", given.check(Role::Api).unwrap());
    assert_eq!(checked(sourced.given), checked(Given::default()));
}
