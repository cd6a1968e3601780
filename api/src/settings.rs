//! What the API has to be told before it starts.

use process::Secret;
use process::settings::{AppEnv, SignIn};
use std::path::PathBuf;

/// Which pages of other origins may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// None.
    #[default]
    None,
    /// Any port of this machine's own loopback: for development.
    Loopback,
    /// These, each exactly as a browser sends it.
    Exactly(Vec<String>),
}

/// What the API has to be told.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Signs and checks bearer tokens; at least [`crate::token::SECRET_BYTES_MIN`] bytes.
    pub jwt_secret: Secret,
    /// Keeps responders' hashes and the links of pictures from being guessed.
    pub pepper: Secret,
    /// Where clients find this API, without a slash at the end.
    pub public_url: String,
    /// Where the files of media are.
    pub media_dir: PathBuf,
    /// Whether `POST /api/v1/jobs` takes the `demo.*` kinds.
    pub demo_kinds: bool,
    /// Which pages of other origins may call.
    pub origins: Origins,
    /// Proxies of our own in front: so many addresses from the right of `X-Forwarded-For` are ours.
    pub proxies: usize,
    /// How people and machines show who they are.
    pub sign_in: SignIn,
}

impl ApiSettings {
    /// What a process was told, as far as it is about the API.
    pub fn of(settings: &process::Settings) -> std::io::Result<Self> {
        let origins = match settings.app_env {
            _ if !settings.cors_origins.is_empty() => {
                Origins::Exactly(settings.cors_origins.clone())
            }
            AppEnv::Development | AppEnv::Test => Origins::Loopback,
            AppEnv::Staging | AppEnv::Production => Origins::None,
        };
        Ok(Self {
            jwt_secret: settings.jwt_secret()?,
            pepper: settings.hash_pepper()?,
            public_url: settings.public_base_url.clone(),
            media_dir: settings.media_dir.clone(),
            demo_kinds: settings.demo_kinds,
            origins,
            proxies: settings.trusted_proxies,
            sign_in: settings.sign_in.clone(),
        })
    }
}
