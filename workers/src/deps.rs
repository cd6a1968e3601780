//! What handlers work with, made from the settings.

use crate::blobs::Blobs;
use crate::providers::openai::{self, Chat, Painter, Settings as Server, SettingsError};
use crate::providers::{ApiKey, Embedder, ImageModel, KeyError, Metered, TextModel, local};
use process::Settings;
use process::settings::{Models, ProviderName};
use std::sync::Arc;

/// What handlers work with. The store comes with each step.
#[derive(Clone)]
pub struct Deps {
    /// Writes.
    pub text: Arc<dyn TextModel>,
    /// Paints.
    pub image: Arc<dyn ImageModel>,
    /// Turns ideas into vectors; nobody, where they are compared by rule.
    pub embed: Option<Arc<dyn Embedder>>,
    /// Keeps files.
    pub blobs: Blobs,
    /// Where a card's link leads to, without a slash at the end.
    pub public_base_url: String,
}

/// Why the settings name no usable model.
#[derive(Debug, thiserror::Error)]
pub enum DepsError {
    /// No call could be made with this key.
    #[error("OPENAI_API_KEY cannot be sent")]
    Key(#[source] KeyError),
    /// No call could be made to this address.
    #[error("OPENAI_BASE_URL cannot be called")]
    Server(#[source] SettingsError),
}

impl Deps {
    /// The models that the settings name; without a key that is the local one.
    pub fn of(settings: &Settings) -> Result<Self, DepsError> {
        let models = &settings.models;
        let text: Arc<dyn TextModel> = match models.text_provider {
            ProviderName::Local => Arc::new(Metered::new(local::Writer)),
            ProviderName::Openai => {
                let server =
                    Server::text(&models.openai_base_url, key(models)?, &models.text_model);
                let server = Server {
                    timeout: models.timeout,
                    ..server
                };
                let chat = Chat::new(server).map_err(DepsError::Server)?;
                Arc::new(Metered::new(chat))
            }
        };
        let image: Arc<dyn ImageModel> = match models.image_provider {
            ProviderName::Local => Arc::new(Metered::new(local::Painter)),
            ProviderName::Openai => {
                let server =
                    Server::image(&models.openai_base_url, key(models)?, &models.image_model);
                let server = Server {
                    timeout: models.timeout,
                    picture_hosts: models.image_hosts.clone(),
                    ..server
                };
                let painter = Painter::new(server).map_err(DepsError::Server)?;
                Arc::new(Metered::new(painter))
            }
        };
        let embed: Option<Arc<dyn Embedder>> = match models.embed_provider {
            ProviderName::Local => None,
            ProviderName::Openai => {
                let server =
                    Server::embeddings(&models.openai_base_url, key(models)?, &models.embed_model);
                let server = Server {
                    timeout: models.timeout,
                    ..server
                };
                let embedder = openai::Embedder::new(server).map_err(DepsError::Server)?;
                Some(Arc::new(Metered::new(embedder)))
            }
        };
        let public_base_url = settings.public_base_url.trim_end_matches('/').to_owned();
        Ok(Self {
            text,
            image,
            embed,
            blobs: Blobs::new(&settings.media_dir),
            public_base_url,
        })
    }
}

fn key(models: &Models) -> Result<Option<ApiKey>, DepsError> {
    let secret = models.openai_api_key.as_ref();
    secret
        .map(|secret| ApiKey::new(secret.reveal()))
        .transpose()
        .map_err(DepsError::Key)
}
