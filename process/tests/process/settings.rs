//! Settings: everything wrong is told at once, and nothing secret is shown.

use process::settings::{Given, Mode, ProviderName, Proxies, RetentionGiven, Role};
use std::os::unix::fs::PermissionsExt as _;

pub(crate) const DATABASE: &str = "postgres://chorus:hunter2@db:5432/chorus";
const BROKER: &str = "amqp://chorus:hunter2@rabbit:5672/%2f";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

pub(crate) fn fleet() -> Given {
    Given {
        database_url: some(DATABASE),
        amqp_url: some(BROKER),
        jwt_secret: some(SECRET),
        hash_pepper: some(SECRET),
        ..Given::default()
    }
}

pub(crate) fn complaint(given: Given) -> String {
    given
        .check(Role::Api)
        .expect_err("it has a problem")
        .to_string()
}

#[test]
fn nothing_given_is_embedded_mode() {
    let settings = Given::default().check(Role::Api).unwrap();
    assert_eq!(settings.mode, Mode::Embedded);
    assert_eq!(
        (settings.port, settings.host.to_string()),
        (8000, "127.0.0.1".to_owned())
    );
    assert_eq!(settings.models.text_provider, ProviderName::Local);
    assert!(settings.media_dir.starts_with("chorus-data"));
}

#[test]
fn every_problem_is_told_at_once_with_its_fix() {
    let told = complaint(Given {
        app_env: some("prod"),
        amqp_url: some("amqp://guest@rabbit:5672"),
        port: some("80000"),
        jwt_secret: some("short"),
        ..fleet()
    });
    assert!(
        told.starts_with("error: 4 configuration problems\n"),
        "{told}"
    );
    for part in [
        "AMQP_URL     amqp://guest@rabbit:5672   password missing — did you mean amqp://guest:guest@rabbit:5672/%2f ?",
        "APP_ENV      \"prod\"                     unknown; one of: development, test, staging, production",
        "\"80000\"                    must be a whole number from 0 to 65535",
        "JWT_SECRET   *** (5 bytes)              needs 32 bytes or more; make one: openssl rand -hex 32",
        "\ntry: chorus config check",
    ] {
        assert!(told.contains(part), "no {part:?} in:\n{told}");
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let given = Given {
        openai_api_key: some("sk-hunter2"),
        ..fleet()
    };
    let rows = format!("{:?}", given.rows());
    let settings = format!("{:?}", given.clone().check(Role::Api).unwrap());
    let told = complaint(Given {
        database_url: some("mysql://root:hunter2@db"),
        amqp_url: some("amqp:hunter2"),
        ..given
    });
    for shown in [rows, settings, told] {
        assert!(
            !shown.contains("hunter2") && !shown.contains(SECRET),
            "{shown}"
        );
    }
}

#[test]
fn one_address_without_the_other_is_a_problem_that_says_so() {
    let told = complaint(Given {
        amqp_url: None,
        ..fleet()
    });
    assert!(
        told.contains(
            "AMQP_URL   not set   DATABASE_URL is: set both, or neither for embedded mode"
        ),
        "{told}"
    );
    let told = complaint(Given {
        database_url: some("sqlite:chorus.db"),
        ..Given::default()
    });
    assert!(told.contains("SQLite is for embedded mode"), "{told}");
}

#[test]
fn only_the_api_needs_the_secrets_of_the_api() {
    let bare = || Given {
        jwt_secret: None,
        hash_pepper: some(" "),
        ..fleet()
    };
    assert!(bare().check(Role::Worker).is_ok());
    let told = complaint(bare());
    assert!(
        told.contains("JWT_SECRET ") && told.contains("HASH_PEPPER"),
        "{told}"
    );
}

#[test]
fn a_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwt");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let by_file = || Given {
        jwt_secret: None,
        jwt_secret_file: some(file.to_str().unwrap()),
        ..fleet()
    };
    let settings = by_file().check(Role::Api).unwrap();
    assert_eq!(settings.jwt_secret().unwrap().reveal(), SECRET);
    let told = complaint(Given {
        jwt_secret: some(SECRET),
        ..by_file()
    });
    assert!(
        told.contains("JWT_SECRET is set, too; keep one of the two"),
        "{told}"
    );
    std::fs::write(&file, "\n").unwrap();
    let told = complaint(by_file());
    assert!(
        told.contains("JWT_SECRET_FILE") && told.contains("the file is empty"),
        "{told}"
    );
    std::fs::remove_file(&file).unwrap();
    assert!(complaint(by_file()).contains("cannot be read"));
}

#[test]
fn every_secret_may_come_from_a_file_and_a_missing_one_is_told_once() {
    let secrets = [
        "AMQP_URL",
        "DATABASE_URL",
        "HASH_PEPPER",
        "JWT_SECRET",
        "OPENAI_API_KEY",
    ];
    let nowhere = || some("nowhere/at-all");
    let given = Given {
        database_url_file: nowhere(),
        amqp_url_file: nowhere(),
        jwt_secret_file: nowhere(),
        hash_pepper_file: nowhere(),
        openai_api_key_file: nowhere(),
        ai_provider: some("openai"),
        ..Given::default()
    };
    let rows = given.rows();
    let by_file = rows.iter().filter(|row| row.source == "file");
    let names: Vec<&str> = by_file.map(|row| row.name.as_str()).collect();
    assert_eq!(names, secrets);
    let told = complaint(given);
    assert!(
        told.starts_with("error: 5 configuration problems\n"),
        "{told}"
    );
    for name in secrets {
        let line = format!("  {name}_FILE");
        assert!(
            told.contains(&line) && told.contains("cannot be read"),
            "{told}"
        );
    }
}

#[test]
fn what_is_over_is_kept_for_days_or_for_ever() {
    let of = |days: &str| Given {
        retention: RetentionGiven {
            retention_days: some(days),
            ..RetentionGiven::default()
        },
        ..Given::default()
    };
    let days = |kept: Option<std::time::Duration>| kept.map(|kept| kept.as_secs() / 86_400);
    let keep = Given::default().check(Role::Worker).unwrap().keep;
    let defaults = [keep.sagas, keep.letters, keep.effects, keep.audit].map(days);
    assert_eq!(defaults, [Some(30), Some(90), Some(400), Some(400)]);
    let keep = |given: &str| of(given).check(Role::Worker).unwrap().keep.sagas;
    assert_eq!((days(keep("7")), days(keep("0"))), (Some(7), None));
    let told = complaint(of("-1"));
    assert!(told.contains("RETENTION_DAYS"), "{told}");
}

#[test]
fn a_word_that_was_nearly_right_is_guessed() {
    let told = complaint(Given {
        app_env: some("Productoin"),
        ..Given::default()
    });
    assert!(
        told.contains("unknown; did you mean production? one of: "),
        "{told}"
    );
}

#[test]
fn origins_are_listed_exactly_and_proxies_are_counted() {
    let given = |origins: &str| Given {
        cors_origins: some(origins),
        trusted_proxies: some("2"),
        ..fleet()
    };
    let settings = given("https://app.example, http://localhost:3000,")
        .check(Role::Api)
        .unwrap();
    assert_eq!(
        (settings.cors_origins, settings.trusted_proxies),
        (
            vec![
                "https://app.example".to_owned(),
                "http://localhost:3000".to_owned()
            ],
            Proxies::Hops(2)
        )
    );
    for wrong in [
        "*",
        "app.example",
        "https://app.example/",
        "https://APP.example",
        "https://u@app.example",
    ] {
        let told = complaint(given(wrong));
        assert!(
            told.contains("CORS_ORIGINS") && told.contains("https://host"),
            "{told}"
        );
    }
    let many = Given {
        trusted_proxies: some("many"),
        ..fleet()
    };
    assert!(complaint(many).contains("TRUSTED_PROXIES"));
    let none = fleet().check(Role::Api).unwrap();
    assert_eq!(
        (none.cors_origins.len(), none.trusted_proxies),
        (0, Proxies::Hops(0))
    );
}

#[test]
fn a_broker_for_users_has_no_user_that_everybody_knows() {
    let given = |app_env: &str, url: &str| Given {
        app_env: some(app_env),
        amqp_url: some(url),
        ..fleet()
    };
    let guest = "amqp://guest:guest@rabbit:5672/%2f";
    let the_same = [
        "amqp://rabbit:5672/%2f",
        "amqp://:@rabbit:5672/%2f",
        "amqp://guest:@rabbit:5672/%2f",
        "amqp://gu%65st:guest@rabbit:5672/%2f",
    ];
    for app_env in ["production", "staging"] {
        for url in the_same.into_iter().chain([guest]) {
            let told = complaint(given(app_env, url));
            assert!(
                told.contains("AMQP_URL") && told.contains("a user of your own"),
                "{told}"
            );
        }
        let own = given(app_env, "amqp://chorus:guest@rabbit:5672/%2f");
        assert!(own.check(Role::Api).is_ok());
    }
    for app_env in ["development", "test"] {
        assert!(given(app_env, guest).check(Role::Api).is_ok());
    }
}

#[test]
fn a_misspelt_name_is_warned_about() {
    let given = Given {
        strangers: vec![
            "DATABSE_URL".to_owned(),
            "PATH".to_owned(),
            "PORT".to_owned(),
        ],
        ..Given::default()
    };
    let settings = given.check(Role::Tool).unwrap();
    assert_eq!(
        settings.warnings,
        ["DATABSE_URL is not a setting; did you mean DATABASE_URL?"]
    );
}

#[test]
fn embedded_secrets_are_made_once_and_are_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let given = || Given {
        data_dir: some(folder.path().join("new").to_str().unwrap()),
        ..Given::default()
    };
    let first = given().check(Role::Api).unwrap();
    let again = given().check(Role::Api).unwrap();
    assert_eq!(first.jwt_secret().unwrap(), again.jwt_secret().unwrap());
    assert_ne!(first.jwt_secret().unwrap(), first.hash_pepper().unwrap());
    assert!(first.jwt_secret().unwrap().reveal().len() >= 32);
    let mode = std::fs::metadata(folder.path().join("new/jwt-secret"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_provider_without_a_key_is_a_problem_and_one_at_home_is_none() {
    let told = complaint(Given {
        ai_provider: some("openai"),
        ..Given::default()
    });
    assert!(told.contains("OPENAI_API_KEY"), "{told}");
    let home = Given {
        openai_base_url: some("http://127.0.0.1:11434/v1/"),
        ..Given::default()
    };
    let models = home.check(Role::Worker).unwrap().models;
    assert_eq!(models.text_provider, ProviderName::Openai);
    assert_eq!(models.openai_base_url, "http://127.0.0.1:11434/v1");
}

#[test]
fn a_call_is_short_enough_for_two_in_one_step() {
    let of = |seconds: &str| Given {
        ai_timeout_secs: some(seconds),
        ..Given::default()
    };
    let longest = of("45").check(Role::Worker).unwrap();
    assert_eq!(longest.models.timeout.as_secs(), 45);
    let told = complaint(of("46"));
    assert!(
        told.contains("AI_TIMEOUT_SECS") && told.contains("from 1 to 45"),
        "{told}"
    );
}

#[test]
fn pictures_come_from_hosts_that_are_named() {
    let of = |hosts: &str| Given {
        image_hosts: some(hosts),
        ..Given::default()
    };
    let named = of("cdn.example.com, files.example")
        .check(Role::Worker)
        .unwrap();
    assert_eq!(
        named.models.image_hosts,
        ["cdn.example.com", "files.example"]
    );
    assert!(complaint(of("https://cdn.example.com/x")).contains("files.example.com"));
}

#[test]
fn the_table_tells_where_a_value_comes_from() {
    let given = Given {
        port: some("81"),
        jwt_secret_file: some("/run/secrets/jwt"),
        ..Given::default()
    };
    let rows = given.rows();
    let row = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
    assert_eq!(
        (
            row("PORT").value.as_str(),
            row("PORT").source,
            row("PORT").default.as_str()
        ),
        ("81", "flag", "8000")
    );
    assert_eq!(row("JWT_SECRET").source, "file");
    assert_eq!(
        (row("HOST").source, row("OPENAI_API_KEY").value.as_str()),
        ("default", "not set")
    );
}
