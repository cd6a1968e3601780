//! What an image model is asked and what it gives back.

use super::text::FORM_TOKENS_MAX;
use super::{Answered, Call, CallError, Unreadable, Usage};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::fmt;

/// Tokens of a picture, where a model counts pictures in tokens: the most that any is known to take.
const PICTURE_TOKENS_MAX: u64 = 6_240;

/// One request to an image model. Its `Debug` shows no words.
#[derive(Clone, PartialEq, Serialize)]
pub struct Picture {
    /// What the picture shows.
    pub look_prompt: String,
    /// Width and height in pixels.
    pub side: u32,
    /// What the ledger calls this kind of request.
    pub purpose: &'static str,
    /// The artefact's own data, for a painter that reads no prose.
    pub material: serde_json::Value,
}

impl Picture {
    /// The most that its answer can be charged for, by models that count pictures and by those that
    /// count tokens: no token of a request is shorter than a byte.
    pub fn most(&self) -> Usage {
        Usage {
            input_tokens: self.look_prompt.len() as u64 + FORM_TOKENS_MAX,
            output_tokens: PICTURE_TOKENS_MAX,
            images: 1,
        }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("purpose", &self.purpose)
            .field("look_prompt_bytes", &self.look_prompt.len())
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}

/// A picture as it arrived. Its `Debug` shows no pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// The encoded bytes; a whole PNG by its signature, first and last chunk.
    pub png: Vec<u8>,
    /// By the PNG's header, at most [`Image::SIDE_MAX`].
    pub width: u32,
    /// By the PNG's header, at most [`Image::SIDE_MAX`].
    pub height: u32,
    /// What it cost.
    pub usage: Usage,
}

impl Image {
    /// The longest side that is worth decoding: 16 megapixels in all.
    pub const SIDE_MAX: u32 = 4096;
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("png_bytes", &self.png.len())
            .field("width", &self.width)
            .field("height", &self.height)
            .field("usage", &self.usage)
            .finish()
    }
}

/// Paints pictures.
pub trait ImageModel: Send + Sync {
    /// Who is asked, as the ledger names it.
    fn provider(&self) -> &'static str;

    /// The model that is asked for.
    fn model(&self) -> &str;

    /// Makes the call, once, and returns the raw answer with the picture's bytes in it, to be
    /// stored before it is read.
    fn send<'a>(
        &'a self,
        picture: &'a Picture,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>>;

    /// Reads a raw answer. The same bytes always read the same.
    fn read(&self, raw: &[u8]) -> Result<Image, Unreadable>;

    /// What a raw answer cost, be it readable or not; nothing where it does not say.
    fn usage(&self, raw: &[u8]) -> Usage {
        self.read(raw).map(|image| image.usage).unwrap_or_default()
    }
}
