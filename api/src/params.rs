//! Reads what stands in a path or a query, and refuses it in our own words.

use crate::body::without_value;
use crate::problem::{Code, Problem};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The id in a path. What is no id names nothing.
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Name(name) = Name::from_request_parts(parts, state).await?;
        Uuid::try_parse(&name)
            .map(Self)
            .map_err(|_| Problem::not_found("thing"))
    }
}

/// The name in a path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let named = path.ok().filter(|Path(name)| !name.contains('\0'));
        named
            .map(|Path(name)| Self(name))
            .ok_or_else(|| Problem::not_found("thing"))
    }
}

/// The id of a thing, and the name of a part of it.
pub(crate) struct Part(pub(crate) Uuid, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let named = path.ok().filter(|Path((_, name))| !name.contains('\0'));
        named
            .and_then(|Path((id, name))| Some(Self(Uuid::try_parse(&id).ok()?, name)))
            .ok_or_else(|| Problem::not_found("thing"))
    }
}

/// A query string that fits `T`.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            let how = "The query holds the character U+0000; leave it out.";
            return Err(Problem::new(Code::BadParameter, how));
        }
        let query = Query::<T>::try_from_uri(&parts.uri);
        query.map(|Query(params)| Self(params)).map_err(|error| {
            let words = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            Problem::new(
                Code::BadParameter,
                format!("The query cannot be read: {}.", without_value(&words)),
            )
        })
    }
}
