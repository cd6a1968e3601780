//! Takes in a response piece by piece, and no more of it than agreed.

use super::CallError;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use std::error::Error;
use std::ops::ControlFlow;

/// Hands over each piece of the body until `take` breaks off or the body ends.
/// Nothing is unpacked, so a piece is as large as it was on the wire.
pub(super) async fn each_piece(
    response: &mut Response,
    bytes_max: usize,
    mut take: impl FnMut(&[u8]) -> Result<ControlFlow<()>, CallError>,
) -> Result<(), CallError> {
    let announced = response.content_length().unwrap_or(0);
    let mut left = bytes_max;
    if usize::try_from(announced).map_or(true, |announced| announced > left) {
        return Err(too_large(bytes_max));
    }
    while let Some(piece) = response.chunk().await.map_err(network)? {
        left = left
            .checked_sub(piece.len())
            .ok_or_else(|| too_large(bytes_max))?;
        if take(&piece)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The whole body.
pub(super) async fn whole(response: &mut Response, bytes_max: usize) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    each_piece(response, bytes_max, |piece| {
        body.extend_from_slice(piece);
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    Ok(body)
}

/// What a response says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `application/json` and its kin.
    Json,
    /// `text/event-stream`.
    Events,
    /// Nothing, or a word that says nothing: only the bytes can tell.
    Unsaid,
}

/// What a response holds, or that it holds nothing of use.
pub(super) fn kind(response: &Response) -> Result<Kind, CallError> {
    let header = |name| {
        let value = response.headers().get(name)?;
        let value = value.to_str().unwrap_or("?").split(';').next()?;
        Some(value.trim().to_ascii_lowercase())
    };
    if header(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(CallError::transient("the answer is packed, unasked"));
    }
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    match kind.as_str() {
        "" | "text/plain" | "application/octet-stream" => Ok(Kind::Unsaid),
        "text/event-stream" => Ok(Kind::Events),
        json if json == "application/json" || json.ends_with("+json") => Ok(Kind::Json),
        "text/html" => Err(CallError::transient("the answer is an HTML page")),
        _ => Err(CallError::transient("the answer is not JSON by its type")),
    }
}

/// What a failure of the connection is to us. Addresses stay out: they may hold tokens.
pub(super) fn network(error: reqwest::Error) -> CallError {
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        detail = format!("{detail}: {cause}");
        source = cause.source();
    }
    if error.is_builder() {
        CallError::permanent(detail)
    } else if error.is_connect() {
        CallError::unsent(detail)
    } else {
        CallError::transient(detail)
    }
}

fn too_large(bytes_max: usize) -> CallError {
    CallError::permanent(format!("the answer is larger than {bytes_max} bytes")).charged()
}
