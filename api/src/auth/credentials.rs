//! What a request shows of its caller: one bearer token, or one API key.

use crate::problem::{Code, Problem};
use axum::http::{HeaderMap, HeaderName, header};

/// The header of API keys.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a request shows of its caller.
#[derive(Clone, Copy)]
pub(super) enum Credentials<'a> {
    Bearer(&'a str),
    ApiKey(&'a str),
}

impl<'a> Credentials<'a> {
    /// Reads them; two are as bad as none, since nobody could say which one counts.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let (bearer, key) = (
            headers.contains_key(header::AUTHORIZATION),
            headers.contains_key(API_KEY),
        );
        match (bearer, key) {
            (true, false) => bearer_of(headers).map(Self::Bearer),
            (false, true) => key_of(headers).map(Self::ApiKey),
            (false, false) => {
                let how = "Send a token: `Authorization: Bearer …`. `chorus token --email YOU` makes one, \
                     and `POST /api/v1/auth/login` another; a machine sends `X-API-Key`.";
                Err(Problem::new(Code::MissingCredentials, how))
            }
            (true, true) => Err(Problem::new(
                Code::InvalidToken,
                "Send `Authorization` or `X-API-Key`, not both.",
            )),
        }
    }
}

fn bearer_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let split = only(headers, &header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    match split {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        Some(_) | None => Err(Problem::new(
            Code::InvalidToken,
            "Send exactly one `Authorization: Bearer …` header.",
        )),
    }
}

fn key_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let how = "Send exactly one `X-API-Key` header.";
    only(headers, &API_KEY)
        .map(str::trim)
        .ok_or_else(|| Problem::new(Code::InvalidApiKey, how))
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut given = headers.get_all(name).iter();
    let first = given.next()?.to_str().ok()?;
    given.next().is_none().then_some(first)
}
