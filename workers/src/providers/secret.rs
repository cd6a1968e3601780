//! The provider's key, which is sent and never shown.

use reqwest::header::HeaderValue;
use std::fmt;

/// Below this length a key is a stand-in such as `ollama`, which a text may hold by chance.
const SECRET_LENGTH_MIN: usize = 16;

/// A provider's key. `Debug` prints `***`, and there is no `Display`.
#[derive(Clone)]
pub struct ApiKey {
    text: String,
    bearer: HeaderValue,
}

/// The key cannot travel in a header. Says nothing about what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider's key is empty or has characters that no header may have")]
pub struct KeyError;

impl ApiKey {
    /// Takes a key as it stands in a file or in the environment, line break and all.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() || !text.is_ascii() {
            return Err(KeyError);
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| KeyError)?;
        bearer.set_sensitive(true);
        Ok(Self {
            text: text.to_owned(),
            bearer,
        })
    }

    /// The value of `Authorization`, marked so that no library logs it or indexes it.
    pub(super) fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }

    /// Blots the key out of a text, should a provider ever send it back.
    pub(super) fn blotted(&self, text: String) -> String {
        if self.text.len() < SECRET_LENGTH_MIN || !text.contains(&self.text) {
            return text;
        }
        text.replace(&self.text, "***")
    }

    /// As [`ApiKey::blotted`], for a raw answer; bytes that are no text stay as they are.
    pub(super) fn blotted_raw(&self, raw: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(raw) {
            Ok(text) => self.blotted(text).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::ApiKey;

    #[test]
    fn a_key_in_a_header_is_marked() {
        let key = ApiKey::new("sk-0123456789abcdef").unwrap();
        assert!(key.bearer().is_sensitive());
    }
}
