//! What the files that run Chorus elsewhere tell its processes: every setting, and paths that are there.

use super::{between, files, root};
use process::settings::{Given, Role};
use std::path::Path;

/// Settings that the compose file does not pass on, and why.
const NOT_BY_COMPOSE: [(&str, &str); 5] = [
    (
        "HOST",
        "in a container it is every address, or nobody would reach it",
    ),
    ("DATA_DIR", "the image sets it; it is of embedded mode"),
    (
        "MIGRATE_ON_START",
        "the service migrate does it, before anything starts",
    ),
    ("SEED_ADMIN_EMAIL", "seeds are for development"),
    ("SEED_ADMIN_PASSWORD", "seeds are for development"),
];
/// Settings that not every service of it is told, with the one part that tells them.
const OF_SOME: [(&str, &str); 25] = [
    ("PORT", "  api:"),
    ("JWT_SECRET", "  api:"),
    ("HASH_PEPPER", "  api:"),
    ("JWT_ACCESS_TTL", "  api:"),
    ("JWT_REFRESH_TTL", "  api:"),
    ("GOOGLE_CLIENT_ID", "  api:"),
    ("OIDC_ISSUERS", "  api:"),
    ("BACKEND_SECRET_KEY", "  api:"),
    ("PASSWORD_MEMORY_KIB", "  api:"),
    ("PASSWORD_PASSES", "  api:"),
    ("PASSWORDS_AT_ONCE", "  api:"),
    ("RATE_LIMITS", "  api:"),
    ("CONNECTIONS_PER_ADDRESS", "  api:"),
    ("REDIS_URL", "  api:"),
    ("AI_PROVIDER", "x-models:"),
    ("IMAGE_PROVIDER", "x-models:"),
    ("EMBED_PROVIDER", "x-models:"),
    ("OPENAI_API_KEY", "x-models:"),
    ("OPENAI_BASE_URL", "x-models:"),
    ("TEXT_MODEL", "x-models:"),
    ("IMAGE_MODEL", "x-models:"),
    ("EMBED_MODEL", "x-models:"),
    ("IMAGE_HOSTS", "x-models:"),
    ("AI_TIMEOUT_SECS", "x-models:"),
    ("WORKER_PORT", "x-models:"),
];
/// Settings whose values follow from the compose file itself.
const FIXED_BY_COMPOSE: [&str; 5] = [
    "DATABASE_URL",
    "AMQP_URL",
    "MEDIA_DIR",
    "PORT",
    "WORKER_PORT",
];

#[test]
fn compose_passes_every_setting_on_to_whoever_heeds_it() {
    let compose = root("docker-compose.yml");
    // A part ends with an empty line; those of services begin within the block of all.
    let part = |head: &str| {
        let from = compose.find(&format!("\n{head}")).expect(head);
        compose[from..].split("\n\n").next().unwrap()
    };
    for row in Given::default().rows() {
        let name = &*row.name;
        let of_some = OF_SOME.iter().find(|(known, _)| *known == name);
        let head = of_some.map_or("x-environment:", |(_, head)| *head);
        let lines = part(head).lines().map(str::trim);
        let told = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let told: Vec<&str> = told.collect();
        if NOT_BY_COMPOSE.iter().any(|(known, _)| *known == name) {
            assert!(told.is_empty(), "{name} is no exception any more");
            continue;
        }
        assert_eq!(told.len(), 1, "{name} in {head}");
        let passed = told[0].starts_with(&format!("${{{name}:"));
        assert_eq!(
            passed,
            !FIXED_BY_COMPOSE.contains(&name),
            "{name}: {told:?}"
        );
    }
    for (service, more) in [
        ("api", ""),
        ("synthesis", "*models"),
        ("image", "*models"),
        ("delivery", "*models"),
    ] {
        let end = if more.is_empty() { "" } else { "-worker" };
        let told = part(&format!("  {service}{end}:"));
        let merged = told.lines().filter(|line| line.contains("*environment"));
        assert!(
            merged.into_iter().any(|line| line.contains(more)),
            "{service}"
        );
    }
}

#[test]
fn the_image_is_built_from_all_that_its_crates_name() {
    let given = root(".dockerignore");
    for package in ["api", "cli", "workers"] {
        let manifest = root(&format!("{package}/Cargo.toml"));
        let scripts = between(&manifest, "\nbuild = \"../", &['"']);
        assert_eq!(scripts.len(), 1, "{package}");
        let wanted = format!("!{}", scripts[0]);
        assert!(
            given.lines().any(|line| line == wanted),
            "{package}: {wanted} is missing"
        );
    }
}

#[test]
fn the_image_has_the_prices_where_they_are_said_to_be() {
    let dockerfile = root("deploy/Dockerfile");
    let copied = between(&dockerfile, "\nCOPY deploy/prices.json ", &['\n']);
    let [place] = copied[..] else {
        panic!("copied to {copied:?}");
    };
    // What the build is not given cannot be copied.
    let left_out = root(".dockerignore");
    assert!(left_out.lines().all(|line| line != "deploy"), "{left_out}");
    assert!(
        left_out.lines().any(|line| line == "!deploy/prices.json"),
        "{left_out}"
    );
    let others =
        [".env.example", "README.md", "deploy/README.md"].map(|name| (name.to_owned(), root(name)));
    let mut said = 0;
    for (file, text) in files().into_iter().chain(others) {
        for rest in between(&text, "/usr/share/", &[' ', '`', ')', ':', '\n', ';']) {
            assert_eq!(["/usr/share/", rest].concat(), place, "{file}");
            said += 1;
        }
    }
    assert!(said >= 5, "{said}");
}

/// The lines `NAME=value` of a file of settings.
fn assigned(text: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('='))
}

#[test]
fn units_keep_pictures_where_they_may_write_whatever_the_settings_leave_empty() {
    for unit in ["chorus-api", "chorus-worker@"] {
        let unit = root(&format!("deploy/systemd/{unit}.service"));
        let of = |name: &str| {
            let found = assigned(&unit).find(|(known, _)| *known == name);
            found.unwrap_or_else(|| panic!("no {name} in {unit}")).1
        };
        let writable = of("StateDirectory").split(' ').next().unwrap();
        let state = format!("%S/{writable}");
        assert_eq!(of("WorkingDirectory"), state);
        let theirs = between(&unit, "\nEnvironment=", &['\n']).join("\n");
        // As the example has it, as a copy with an empty line has it, and as a copy that names a folder has it.
        for more in ["", "MEDIA_DIR=\n", "MEDIA_DIR=pictures\n"] {
            let told = [&*theirs, "\n", &root(".env.example"), "\n", more].concat();
            let last = |name: &str| {
                let found = assigned(&told).rfind(|(known, _)| *known == name);
                found.map(|(_, value)| value.to_owned())
            };
            let given = Given {
                media_dir: last("MEDIA_DIR"),
                data_dir: last("DATA_DIR"),
                ..Given::default()
            };
            let media = given.check(Role::Worker).unwrap().media_dir;
            let absolute = media.starts_with("%S"); // which stands for a path from the root
            let media = if absolute {
                media
            } else {
                Path::new(&state).join(media)
            };
            assert!(media.starts_with(&state), "{}", media.display());
            let wanted = Path::new(&state).join("media");
            assert!(!more.is_empty() || media == wanted, "{}", media.display());
        }
    }
}
