//! What the API says of itself: one table of routes and operations, the document and the pages made of it.

mod api;
mod curl;
mod document;
mod given;
mod links;
mod meanings;
mod operation;
mod page;
mod refusal;
mod schemas;
mod shape;
mod style;

pub(crate) use api::Api;
pub(crate) use links::Links;
pub(crate) use operation::{Operation, anybody, signed, staff};

use crate::code::Code;
use crate::etag;
use axum::body::Bytes;
use axum::http::HeaderValue;
use serde_json::Value;

/// The OpenAPI document of every operation.
pub fn openapi() -> Value {
    document::of(&crate::operations::all().described())
}

/// Whether the reference tells of a code.
pub(crate) fn knows(code: Code) -> bool {
    meanings::ALL.contains(&code) || matches!(code, Code::Other(_))
}

/// An answer that never changes while the process lives.
pub(crate) struct Fixed {
    pub(crate) body: Bytes,
    pub(crate) tag: HeaderValue,
}

impl Fixed {
    fn of(body: Vec<u8>) -> Self {
        let tag = etag::tag(&body);
        let body = Bytes::from(body);
        Self { body, tag }
    }
}

/// The document and its pages, made once.
pub(crate) struct Reference {
    pub(crate) document: Fixed,
    pub(crate) operations: Fixed,
    pub(crate) errors: Fixed,
    /// What browsers let the pages do.
    pub(crate) policy: HeaderValue,
}

impl Reference {
    /// Makes them; `public_url` is where the examples call.
    pub(crate) fn new(public_url: &str) -> Self {
        let document = openapi();
        Self {
            operations: Fixed::of(page::operations(&document, public_url).into_bytes()),
            errors: Fixed::of(page::errors().into_bytes()),
            policy: style::policy(),
            document: Fixed::of(document.to_string().into_bytes()),
        }
    }
}
