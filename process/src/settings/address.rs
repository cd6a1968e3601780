//! Addresses of services, and what is wrong with one.

use percent_encoding::percent_decode_str;

/// The user that a new broker has.
pub(super) const GUEST: &str = "guest";

/// The parts of `scheme://user:password@rest`.
struct Parts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    rest: &'a str,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, after) = url.split_once("://")?;
    let authority_end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let (user, password, rest) = match after[..authority_end].rfind('@') {
        None => (None, None, after),
        Some(at) => match after[..at].split_once(':') {
            Some((user, password)) => (Some(user), Some(password), &after[at + 1..]),
            None => (Some(&after[..at]), None, &after[at + 1..]),
        },
    };
    Some(Parts {
        scheme,
        user,
        password,
        rest,
    })
}

/// What is wrong with the address of a database.
pub(super) fn database(url: &str) -> Result<(), String> {
    let wanted = "postgres://user:password@host:5432/database";
    match parts(url) {
        Some(Parts {
            scheme: "sqlite", ..
        }) => Err(
            "SQLite is for embedded mode: leave DATABASE_URL and AMQP_URL away, and set DATA_DIR"
                .to_owned(),
        ),
        None if url.starts_with("sqlite:") => Err(
            "SQLite is for embedded mode: leave DATABASE_URL and AMQP_URL away, and set DATA_DIR"
                .to_owned(),
        ),
        Some(Parts {
            scheme: "postgres" | "postgresql",
            rest,
            ..
        }) => host(rest, wanted),
        Some(Parts { .. }) | None => {
            Err(format!("not a PostgreSQL address; it looks like {wanted}"))
        }
    }
}

/// Whether everybody knows the user of a broker, and the password.
pub(super) fn no_guest(url: &str) -> Result<(), String> {
    // What is left out or empty is guest to a client.
    let meant = |given: Option<&str>| {
        let plain = percent_decode_str(given.unwrap_or_default()).decode_utf8_lossy();
        plain.is_empty() || plain == GUEST
    };
    match parts(url) {
        Some(Parts { user, password, .. }) if meant(user) && meant(password) => Err(format!(
            "this is {GUEST}, whose password everybody knows and which is for development: make the broker a user of your own"
        )),
        Some(Parts { .. }) | None => Ok(()),
    }
}

/// What is wrong with the address of a broker.
pub(super) fn broker(url: &str) -> Result<(), String> {
    let wanted = "amqp://user:password@host:5672/%2f";
    match parts(url) {
        Some(Parts {
            scheme: "amqp" | "amqps",
            user: Some(user),
            password: None,
            rest,
        }) if !user.is_empty() => {
            let (scheme, _) = url.split_once("://").unwrap_or(("amqp", ""));
            let rest = rest.split(['?', '#']).next().unwrap_or(rest); // which may hold secrets
            let authority = rest.split('/').next().unwrap_or(rest);
            let vhost =
                rest.split_once('/').map_or(
                    "%2f",
                    |(_, vhost)| if vhost.is_empty() { "%2f" } else { vhost },
                );
            // The user that every broker has is no secret; any other may be a password on its own.
            let both = match user {
                GUEST => format!("{GUEST}:{GUEST}"),
                _ => "user:password".to_owned(),
            };
            Err(format!(
                "password missing — did you mean {scheme}://{both}@{authority}/{vhost} ?"
            ))
        }
        Some(Parts {
            scheme: "amqp" | "amqps",
            rest,
            ..
        }) => host(rest, wanted),
        Some(Parts { .. }) | None => Err(format!("not a RabbitMQ address; it looks like {wanted}")),
    }
}

/// What is wrong with the address of a Redis.
pub(super) fn redis(url: &str) -> Result<(), String> {
    let wanted = "redis://:password@host:6379/0";
    match parts(url) {
        Some(Parts {
            scheme: "redis" | "rediss",
            rest,
            ..
        }) => host(rest, wanted),
        Some(Parts { .. }) | None => Err(format!("not a Redis address; it looks like {wanted}")),
    }
}

/// What is wrong with an address of a web server.
pub(super) fn web(url: &str) -> Result<(), String> {
    match parts(url) {
        Some(Parts {
            scheme: "http" | "https",
            rest,
            ..
        }) => host(rest, "https://host/path"),
        Some(Parts { .. }) | None => Err("not an http or https address".to_owned()),
    }
}

/// What is wrong with an origin, which is compared letter by letter with what a browser sends.
pub(super) fn origin(text: &str) -> Result<(), String> {
    let wanted = "https://host or http://host:port";
    match parts(text) {
        _ if text == "*" => Err(format!(
            "not everybody may call with credentials; list each: {wanted}"
        )),
        Some(Parts {
            scheme: "http" | "https",
            user: None,
            rest,
            ..
        }) if rest.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
        }) =>
        {
            host(rest, wanted)
        }
        Some(Parts { .. }) | None => Err(format!(
            "no origin; it looks like {wanted}, in lower case and without a path"
        )),
    }
}

/// What is wrong with the name of a host.
pub(super) fn name(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    if text.bytes().all(plain) {
        return Ok(());
    }
    Err("no name of a host; it looks like files.example.com".to_owned())
}

fn host(rest: &str, wanted: &str) -> Result<(), String> {
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    if host.is_empty() {
        return Err(format!("the host is missing; it looks like {wanted}"));
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(format!(
            "the port is no number from 0 to 65535; it looks like {wanted}"
        )),
        Some(_) | None => Ok(()),
    }
}
