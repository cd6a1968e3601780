//! What the API has to be told before it starts.

use crate::rate::SharedRates;
use crate::server::Patience;
use process::Secret;
use process::settings::{AppEnv, Proxies, Rates, SignIn};
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
    /// How people and machines show who they are.
    pub sign_in: SignIn,
    /// Proxies of our own in front, whose word about a caller's address counts.
    pub proxies: Proxies,
    /// How many requests are taken from whom.
    pub rates: Rates,
    /// Where they are counted together with other processes.
    pub shared_rates: Option<SharedRates>,
    /// How many connections one address may have; `None` for as many as it likes.
    pub connections_per_address: Option<usize>,
    /// What whoever reads `/metrics` has to show, if anything.
    pub metrics_token: Option<Secret>,
    /// How long a caller may take over the parts of a conversation.
    pub patience: Patience,
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
            metrics_token: settings.metrics_token.clone(),
            pepper: settings.hash_pepper()?,
            public_url: settings.public_base_url.clone(),
            media_dir: settings.media_dir.clone(),
            demo_kinds: settings.demo_kinds,
            origins,
            sign_in: settings.sign_in.clone(),
            proxies: settings.trusted_proxies.clone(),
            rates: settings.rates.clone(),
            connections_per_address: settings.connections_per_address,
            patience: Patience::default(),
            shared_rates: settings.redis_url.clone().map(|url| SharedRates {
                url,
                prefix: settings.queue_prefix.clone(),
            }),
        })
    }
}
