//! Whose tokens are believed, as the operator writes it down.

use process::settings::{Algorithm, Given, Issuer, Role, SignInGiven};

fn given(issuers: &str) -> Given {
    Given {
        sign_in: SignInGiven {
            oidc_issuers: Some(issuers.to_owned()),
            ..SignInGiven::default()
        },
        ..Given::default()
    }
}

fn issuers(json: &str) -> Vec<Issuer> {
    given(json).check(Role::Api).unwrap().sign_in.issuers
}

#[track_caller]
fn complaint(json: &str, about: &str) {
    let problems = given(json).check(Role::Api).unwrap_err().to_string();
    assert!(problems.contains(about), "{problems}");
}

#[test]
fn an_issuer_is_named_by_what_it_is_known_for() {
    let json = r#"[
        {"name": "clerk", "preset": "clerk", "issuer": "https://x.clerk.example", "parties": ["https://app.example"]},
        {"name": "fire", "preset": "firebase", "project": "p-1"},
        {"name": "corp", "issuer": "https://id.example", "jwks_url": "https://id.example/keys",
         "audiences": ["chorus"], "algorithm": "ES256"},
        {"name": "told", "issuer": "https://id.example/one", "audiences": ["chorus"], "domains": ["example.org"]},
        {"name": "office", "preset": "google", "audiences": ["a.apps"], "domains": ["example.org"]}]"#;
    let [clerk, fire, corp, told, office] = &issuers(json)[..] else {
        panic!("five issuers")
    };
    let keys = "https://x.clerk.example/.well-known/jwks.json";
    assert_eq!(clerk.jwks_url.as_deref(), Some(keys));
    assert_eq!(
        (&told.jwks_url, &told.domains[..]),
        (&None, &["example.org".to_owned()][..])
    );
    assert!(office.jwks_url.is_some() && office.domains == told.domains);
    assert!(corp.domains.is_empty());
    assert!(clerk.bearer && clerk.needs_session);
    assert_eq!(fire.issuers, ["https://securetoken.google.com/p-1"]);
    assert_eq!(fire.audiences, ["p-1"]);
    assert!(fire.bearer && !fire.needs_session);
    assert_eq!(corp.algorithm, Algorithm::Es256);
    assert!(!corp.bearer, "its ID tokens open the door of sign-in alone");
}

#[test]
fn google_is_there_for_client_ids() {
    let google = Given {
        sign_in: SignInGiven {
            google_client_id: Some("a.apps, b.apps".to_owned()),
            ..SignInGiven::default()
        },
        ..Given::default()
    };
    let issuers = google.check(Role::Api).unwrap().sign_in.issuers;
    assert_eq!(issuers.len(), 1);
    assert_eq!(issuers[0].audiences, ["a.apps", "b.apps"]);
    assert!(!issuers[0].bearer);
}

#[test]
fn an_issuer_that_anybody_could_be_is_refused() {
    let entry = |more: &str| {
        format!(
            r#"[{{"name": "x", "issuer": "https://x", "jwks_url": "https://x/k", "audiences": ["a"], {more}}}]"#
        )
    };
    complaint("[{]", "write it so");
    complaint("nowhere.json", "cannot be read");
    complaint(&entry(r#""secret": 1"#), "unknown field");
    complaint(&entry(r#""algorithm": "HS256""#), "unknown variant");
    complaint(
        r#"[{"name": "x", "issuer": "https://x", "jwks_url": "https://x/k"}]"#,
        "any other application",
    );
    complaint(
        r#"[{"name": "x", "issuer": "https://x", "jwks_url": "http://127.0.0.1:1/k", "audiences": ["a"]}]"#,
        "https://",
    );
    for unsafe_name in ["http://x", "x", "https://x/?y=", "ftp://x"] {
        let told = format!(r#"[{{"name": "x", "issuer": "{unsafe_name}", "audiences": ["a"]}}]"#);
        complaint(&told, "jwks_url: where its keys are");
    }
    complaint(&entry(r#""domains": ["example.org", " "]"#), "domains");
    complaint(
        r#"[{"name": "x", "preset": "clerk", "issuer": "https://x"}]"#,
        "parties",
    );
    complaint(r#"[{"name": "x", "preset": "firebase"}]"#, "project");
    complaint(
        r#"[{"name": "A b", "preset": "firebase", "project": "p"}]"#,
        "lower case",
    );
    let twice = r#"{"name": "x", "preset": "firebase", "project": "p"}"#;
    complaint(&format!("[{twice}, {twice}]"), "twice");
}

#[test]
fn a_bootstrap_key_that_could_be_guessed_is_refused_and_none_is_made_up() {
    let of = |key: Option<&str>| Given {
        sign_in: SignInGiven {
            backend_secret_key: key.map(str::to_owned),
            ..SignInGiven::default()
        },
        ..Given::default()
    };
    let problems = of(Some("secret")).check(Role::Api).unwrap_err().to_string();
    assert!(problems.contains("BACKEND_SECRET_KEY") && !problems.contains("secret "));
    let none = of(None).check(Role::Api).unwrap();
    assert!(none.sign_in.bootstrap_key.is_none() && none.sign_in.seed_password.is_none());
    let key = "0123456789abcdef0123456789abcdef";
    let settings = of(Some(key)).check(Role::Api).unwrap();
    assert!(!format!("{settings:?}").contains(key));
}
