//! The document of an issuer (`OpenID` Connect Discovery 1.0): where it says that its keys are.

use reqwest::Url;
use serde::Deserialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const DOCUMENT: &str = ".well-known/openid-configuration";
/// How long the place of keys is taken as it was told.
const KEPT_FOR: Duration = Duration::from_hours(24);
/// Neither a document nor a set of keys is longer.
const BYTES_MAX: usize = 64 * 1024;

/// Where an issuer says that its keys are.
pub(super) struct Discovery {
    issuer: String,
    told: Mutex<Option<(String, Instant)>>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl Discovery {
    /// Of the issuer of this name, which is its address, too.
    pub(super) fn of(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            told: Mutex::default(),
        }
    }

    /// The issuer's name.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the keys are. The issuer is asked once a day, and anew after [`Discovery::forget`].
    pub(super) async fn place(&self, http: &reqwest::Client) -> anyhow::Result<String> {
        let told = self.told().clone();
        if let Some((url, at)) = told
            && at.elapsed() < KEPT_FOR
        {
            return Ok(url);
        }
        let document = format!("{}/{DOCUMENT}", self.issuer.trim_end_matches('/'));
        let url = read(&self.issuer, &get(http, &document).await?)?;
        *self.told() = Some((url.clone(), Instant::now()));
        Ok(url)
    }

    /// The keys were not there: they may have moved.
    pub(super) fn forget(&self) {
        *self.told() = None;
    }

    fn told(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is at an address, if it is not too long.
pub(super) async fn get(http: &reqwest::Client, url: &str) -> anyhow::Result<Vec<u8>> {
    let mut response = http.get(url).send().await?;
    let status = response.status();
    anyhow::ensure!(status.is_success(), "it answers {status}");
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        anyhow::ensure!(body.len() <= BYTES_MAX, "more than {BYTES_MAX} bytes");
    }
    Ok(body)
}

/// Where a document says that the keys are. It must be this issuer's own, and its keys in its own house: only
/// that address was written down by somebody here, and no document has us ask another machine.
fn read(issuer: &str, body: &[u8]) -> anyhow::Result<String> {
    let document: Document = serde_json::from_slice(body)?;
    anyhow::ensure!(
        document.issuer == issuer,
        "the document is another issuer's"
    );
    let (house, keys) = (Url::parse(issuer)?, Url::parse(&document.jwks_uri)?);
    let plain = keys.username().is_empty() && keys.password().is_none();
    anyhow::ensure!(
        plain && keys.origin().is_tuple() && keys.origin() == house.origin(),
        "its keys are at another address than its own; write it down as jwks_url if that is meant"
    );
    Ok(document.jwks_uri)
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    const ISSUER: &str = "https://id.example/realms/one";

    fn told(issuer: &str, jwks_uri: &str) -> anyhow::Result<String> {
        let more = json!({"issuer": issuer, "jwks_uri": jwks_uri, "claims_supported": ["sub"]});
        read(ISSUER, more.to_string().as_bytes())
    }

    #[test]
    fn keys_are_in_the_issuers_own_house() {
        for good in [
            "https://id.example/realms/one/keys",
            "https://id.example/keys?of=one",
            "https://ID.EXAMPLE:443/keys",
        ] {
            assert_eq!(told(ISSUER, good).unwrap(), good);
        }
        for bad in [
            "http://id.example/keys",
            "https://id.example:8443/keys",
            "https://id.example.evil.example/keys",
            "https://id.example@evil.example/keys",
            "https://user:word@id.example/keys",
            "https://evil.example/keys",
            "https://127.0.0.1/keys",
            "https://2130706433/keys",
            "https://[::1]/keys",
            "https://169.254.169.254/latest/meta-data/",
            "http://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/keys",
            "//evil.example/keys",
            "/keys",
            "file:///etc/passwd",
            "data:application/json,{}",
            "gopher://id.example/keys",
            "",
        ] {
            assert!(told(ISSUER, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_document_is_its_issuers_own() {
        let keys = "https://id.example/keys";
        for other in [
            "https://id.example/realms/one/",
            "https://id.example/realms/two",
            "http://id.example/realms/one",
            "https://ID.example/realms/one",
            "",
        ] {
            assert!(told(other, keys).is_err(), "{other}");
        }
        for body in ["", "{}", "[]", "<html>", r#"{"issuer": 1, "jwks_uri": 1}"#] {
            assert!(read(ISSUER, body.as_bytes()).is_err(), "{body}");
        }
    }
}
