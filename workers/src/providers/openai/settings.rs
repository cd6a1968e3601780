//! What an operator sets for one model.

use super::address;
use crate::providers::ApiKey;
use reqwest::Url;
use std::time::Duration;

/// One model on one server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Up to and with the version, as in `https://api.openai.com/v1`. Plain `http` only to this
    /// machine, a private address or a name without a public ending.
    pub base_url: String,
    /// Nothing for servers at home that want none.
    pub key: Option<ApiKey>,
    /// The model's name on that server.
    pub model: String,
    /// From the first byte sent to the last one received, a picture's download included.
    pub timeout: Duration,
    /// The largest answer that is taken in.
    pub body_bytes_max: usize,
    /// Hosts, besides the server's own, that pictures may be fetched from, by `https` alone.
    pub picture_hosts: Vec<String>,
}

impl Settings {
    /// The settings of a text model: 30 s and 1 MiB.
    pub fn text(base_url: &str, key: Option<ApiKey>, model: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            key,
            model: model.to_owned(),
            timeout: Duration::from_secs(30),
            body_bytes_max: 1 << 20,
            picture_hosts: Vec::new(),
        }
    }

    /// The settings of an image model: 30 s and 24 MiB.
    pub fn image(base_url: &str, key: Option<ApiKey>, model: &str) -> Self {
        Self {
            body_bytes_max: 24 << 20,
            ..Self::text(base_url, key, model)
        }
    }

    /// The settings of an embedding model: 30 s and 16 MiB.
    pub fn embeddings(base_url: &str, key: Option<ApiKey>, model: &str) -> Self {
        Self {
            body_bytes_max: 16 << 20,
            ..Self::text(base_url, key, model)
        }
    }

    /// The server's address, if a key may be sent there.
    pub(super) fn base(&self) -> Result<Url, SettingsError> {
        let base = Url::parse(self.base_url.trim()).map_err(|_| SettingsError::Address)?;
        if base.cannot_be_a_base() || base.host_str().is_none() || address::has_user(&base) {
            return Err(SettingsError::Address);
        }
        match base.scheme() {
            "https" => Ok(base),
            "http" if address::is_near(&base) => Ok(base),
            "http" => Err(SettingsError::Insecure),
            _ => Err(SettingsError::Address),
        }
    }
}

/// Settings that no call can work with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No address of a server, or one with a user name in it.
    #[error("the base URL is not an http or https address without a user name")]
    Address,
    /// The key would travel unprotected.
    #[error("the base URL is http, and its host is not on this machine or a private network")]
    Insecure,
    /// TLS does not start.
    #[error("the HTTP client does not start")]
    Client(#[source] reqwest::Error),
}
