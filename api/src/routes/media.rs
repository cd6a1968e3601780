//! `/media/{id}/file`: pictures, which never change under their name.

use crate::auth::Signed;
use crate::etag;
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::settings::ApiSettings;
use crate::state::State;
use axum::extract::{FromRequestParts, Query, State as In};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::media::store::{self, Medium, Variant};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::path::{Component, Path, PathBuf};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// 128 bits cannot be guessed.
const TOKEN_BYTES: usize = 16;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    variant: Option<String>,
    token: Option<String>,
}

/// Who asks for a picture. Goes first among a handler's arguments.
pub(crate) enum Viewer {
    /// Somebody with its link.
    Linked,
    /// Somebody with a token of their own.
    Known(Signed),
}

impl FromRequestParts<State> for Viewer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let id = Id::from_request_parts(parts, state).await;
        let which = Query::<Which>::try_from_uri(&parts.uri);
        if let (Ok(Id(id)), Ok(Query(which))) = (id, which)
            && which
                .token
                .is_some_and(|token| is_token(state.settings(), id, &token))
        {
            return Ok(Self::Linked);
        }
        Signed::from_request_parts(parts, state)
            .await
            .map(Self::Known)
    }
}

/// Sends a picture's file to its owner, or to whoever has its link.
pub(crate) async fn file(
    viewer: Viewer,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
    Params(which): Params<Which>,
) -> Result<Response, Problem> {
    let (scope, owner) = match viewer {
        Viewer::Linked => ("public", None),
        Viewer::Known(caller) => ("private", caller.owner()),
    };
    let medium = store::find_of(state.db(), id, owner).await?;
    let medium = medium.ok_or_else(|| Problem::not_found("picture"))?;
    let Some(variant) = medium.variant(which.variant.as_deref()) else {
        let names: Vec<&str> = medium
            .variants
            .iter()
            .map(|variant| variant.name.as_str())
            .collect();
        return Err(Problem::new(
            Code::NotFound,
            format!("variant: this picture has {}.", names.join(", ")),
        ));
    };
    let cache = match which.variant {
        Some(_) => format!("{scope}, max-age=31536000, immutable"),
        None => format!("{scope}, no-cache"), // the largest file may become another one
    };
    let kept = [
        (header::CACHE_CONTROL, value(cache)),
        (header::ETAG, value(format!("\"{}\"", variant.etag))),
    ];
    if etag::is_known(&headers, &kept[1].1) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let bytes = read(state.settings(), &medium, variant).await?;
    let described = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
        (
            header::CONTENT_DISPOSITION,
            value(format!(
                "inline; filename=\"{}-{}.png\"",
                medium.kind.as_str(),
                variant.name
            )),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
    ];
    Ok((kept, described, bytes).into_response())
}

async fn read(
    settings: &ApiSettings,
    medium: &Medium,
    variant: &Variant,
) -> Result<Vec<u8>, Problem> {
    let name = PathBuf::from(&medium.storage_key).join(format!("{}.png", variant.name));
    if medium.mime != "image/png" || !stays_inside(&name) {
        return Err(Problem::internal(&"a picture's row names no file of ours"));
    }
    tokio::fs::read(settings.media_dir.join(name))
        .await
        .map_err(|error| {
            tracing::warn!(media.id = %medium.id, %error, "A picture's file cannot be read");
            if error.kind() == std::io::ErrorKind::NotFound {
                return Problem::new(Code::NotFound, "The picture's file is gone.");
            }
            Problem::new(
                Code::Unavailable,
                "The file cannot be read right now; try again.",
            )
            .retry_after(1)
        })
}

fn stays_inside(name: &Path) -> bool {
    name.components()
        .all(|component| matches!(component, Component::Normal(_)))
}

fn value(text: String) -> HeaderValue {
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The link of a picture: whoever has it may look, and nobody guesses it.
pub(super) fn link(settings: &ApiSettings, id: Uuid, variant: &str) -> String {
    let (base, token) = (&settings.public_url, BASE64.encode(token(settings, id)));
    format!("{base}/api/v1/media/{id}/file?variant={variant}&token={token}")
}

fn is_token(settings: &ApiSettings, id: Uuid, given: &str) -> bool {
    BASE64
        .decode(given)
        .is_ok_and(|given| given.ct_eq(&token(settings, id)).into())
}

fn token(settings: &ApiSettings, id: Uuid) -> [u8; TOKEN_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(settings.pepper.reveal().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(b"media\0");
    mac.update(id.as_bytes());
    let mut token = [0; TOKEN_BYTES];
    token.copy_from_slice(&mac.finalize().into_bytes()[..TOKEN_BYTES]);
    token
}

#[cfg(test)]
mod tests {
    use super::{is_token, link, stays_inside};
    use crate::server::Patience;
    use crate::settings::{ApiSettings, Origins};
    use process::Secret;
    use process::settings::{Proxies, Rates};
    use std::path::Path;
    use uuid::Uuid;

    #[test]
    fn a_link_opens_its_own_picture_only() {
        let settings = ApiSettings {
            jwt_secret: Secret::new("1".repeat(32)),
            pepper: Secret::new("2".repeat(32)),
            public_url: "http://here".to_owned(),
            media_dir: "/tmp".into(),
            demo_kinds: false,
            metrics_token: None,
            origins: Origins::None,
            sign_in: process::settings::SignIn::default(),
            proxies: Proxies::default(),
            rates: Rates::off(),
            shared_rates: None,
            connections_per_address: None,
            patience: Patience::default(),
        };
        let (mine, other) = (Uuid::now_v7(), Uuid::now_v7());
        let link = link(&settings, mine, "512");
        let token = link.rsplit_once("token=").unwrap().1;
        assert!(is_token(&settings, mine, token));
        assert!(
            !is_token(&settings, other, token)
                && !is_token(&settings, mine, "")
                && !is_token(&settings, mine, &token[1..])
        );
    }

    #[test]
    fn no_file_is_read_from_outside() {
        assert!(stays_inside(Path::new("ab/cd/512.png")));
        assert!(
            !stays_inside(Path::new("../x.png"))
                && !stays_inside(Path::new("/etc/passwd"))
                && !stays_inside(Path::new("a/../../x"))
        );
    }
}
