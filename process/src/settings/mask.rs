//! How to show a value that may be an address, or hold one, without what is secret in it.

use super::address::GUEST;

const MASK: &str = "***";
/// What the name of a secret in a query has in it: `password`, `sslpassword`, `api_key`, `access_token` …
const SECRET: [&str; 6] = ["pass", "token", "key", "secret", "auth", "sig"];

/// The value as it may be shown: without its secrets if there is an address in it.
pub fn shown(value: &str) -> String {
    if value.contains("://") {
        masked(value)
    } else {
        value.to_owned()
    }
}

/// The address with `***` for its password, for a user without one, who may be a key, and for what its query
/// calls a secret. What is no address is not shown at all. Where it is wrong, too much is hidden, not too little.
pub(super) fn masked(url: &str) -> String {
    let Some((scheme, after)) = url.split_once("://") else {
        return MASK.to_owned();
    };
    // The last one: a password that nobody encoded may have the others, and slashes.
    let (user, rest) = match after.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, after),
    };
    if user.is_some_and(|user| user.contains(['?', '#'])) {
        return format!("{scheme}://{MASK}"); // the `@` is of a query as likely as of a password
    }
    let user = match user.map(|user| user.split_once(':').ok_or(user)) {
        None => String::new(),
        Some(Ok((user, _))) if !user.contains(['/', '@']) => format!("{user}:{MASK}@"),
        Some(Err(GUEST)) => format!("{GUEST}@"),
        Some(Ok(_) | Err(_)) => format!("{MASK}@"),
    };
    let (place, query) = match rest.find(['?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    format!(
        "{scheme}://{user}{}{}",
        place_masked(place),
        query_masked(query)
    )
}

/// A port that is no number may be a password whose host was forgotten.
fn place_masked(place: &str) -> String {
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !is_port(port) => {
            format!("{host}:{MASK}{path}")
        }
        Some(_) | None => place.to_owned(),
    }
}

fn is_port(text: &str) -> bool {
    text.trim_end_matches('"').parse::<u16>().is_ok() // problems quote values
}

fn query_masked(query: &str) -> String {
    let ends = ['?', '&', ';', '#'];
    let one = |part: &str| {
        let value = part.trim_end_matches(ends);
        let end = &part[value.len()..];
        match value.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={MASK}{end}"),
            Some(_) | None => part.to_owned(),
        }
    };
    query.split_inclusive(ends).map(one).collect()
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{masked, shown};

    #[test]
    fn only_secrets_are_hidden() {
        for (value, wanted) in [
            (
                "https://host:8000/v1?model=x&page=2#top",
                "https://host:8000/v1?model=x&page=2#top",
            ),
            (
                "postgres://chorus:hunter2@db:5432/chorus",
                "postgres://chorus:***@db:5432/chorus",
            ),
            ("amqp://guest@rabbit:5672", "amqp://guest@rabbit:5672"),
            (
                "amqp://guest:guest@rabbit/%2f",
                "amqp://guest:***@rabbit/%2f",
            ),
            ("http://[::1]:4318/", "http://[::1]:4318/"),
            ("http://[::1]", "http://[::1]"),
            ("db:5432", "db:5432"),
            ("\"http://db:5432\"", "\"http://db:5432\""),
        ] {
            assert_eq!(shown(value), wanted);
            assert_eq!(shown(wanted), wanted, "a second look changes nothing");
        }
        assert_eq!(masked("amqp:hunter2"), "***");
    }

    #[test]
    fn no_place_in_an_address_shows_a_secret() {
        for value in [
            "postgres://u:hunter2@db/chorus",
            "postgres://hunter2@db/chorus",
            "postgres://u:a/hunter2@db/chorus",
            "postgres://u:a#hunter2@db/chorus",
            "postgres://u:a?hunter2@db/chorus",
            "postgres://u:a@hunter2@db/chorus",
            "postgres://u:hunter2/chorus",
            "postgres://db/chorus?user=u&password=hunter2",
            "postgres://db/chorus?sslpassword=hunter2&sslmode=require",
            "https://host/v1?token=hunter2",
            "https://host/v1?api_key=hunter2#top",
            "https://host/v1?KEY=hunter2",
            "https://host/v1?x=1;client_secret=hunter2",
            "https://host/v1#access_token=hunter2",
            "postgres://db/chorus?password=a@hunter2",
            "https://fine.example,https://u:hunter2@host",
            "\"https://u:hunter2@host\"",
        ] {
            assert!(
                !shown(value).contains("hunter2"),
                "{value}: {}",
                shown(value)
            );
        }
    }
}
