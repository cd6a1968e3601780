//! Issuers of other people's tokens: what makes one of theirs good enough.

use super::reader::{Reader, text};
use serde::Deserialize;

const NAME: &str = "OIDC_ISSUERS";
const GOOGLE: &str = "google";
const EXAMPLE: &str = r#"[{"name": "clerk", "preset": "clerk", "issuer": "https://x.clerk.accounts.dev", "parties": ["https://app.example.com"]}]"#;

/// An issuer, and what makes one of its tokens good enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its name in `/auth/oidc/{name}`.
    pub name: String,
    /// What `iss` may be; the first is how it is remembered.
    pub issuers: Vec<String>,
    /// Where its keys are; `None` where its own document says so, at the first of `issuers` and
    /// `/.well-known/openid-configuration`.
    pub jwks_url: Option<String>,
    /// The one algorithm that it signs with.
    pub algorithm: Algorithm,
    /// What `aud` must be, one of them; none leaves it to `parties`.
    pub audiences: Vec<String>,
    /// What `azp` must be, one of them; none leaves it to `audiences`.
    pub parties: Vec<String>,
    /// What `hd` must be, one of them: the domains whose people may come; none lets everybody come.
    pub domains: Vec<String>,
    /// Whether a token must name a session of the issuer's.
    pub needs_session: bool,
    /// Whether its tokens are session tokens, which open every door and not only that of sign-in.
    pub bearer: bool,
}

/// Algorithms that a public key checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSA with SHA-256.
    Rs256,
    /// P-256 with SHA-256.
    Es256,
}

/// What an issuer is known for.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    Clerk,
    Firebase,
    Google,
}

/// An issuer as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    preset: Option<Preset>,
    issuer: Option<String>,
    jwks_url: Option<String>,
    project: Option<String>,
    algorithm: Option<Algorithm>,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    parties: Vec<String>,
    #[serde(default)]
    domains: Vec<String>,
    bearer: Option<bool>,
}

impl Issuer {
    /// Google, for these client ids.
    pub fn google(client_ids: Vec<String>) -> Self {
        Self {
            name: GOOGLE.to_owned(),
            issuers: ["https://accounts.google.com", "accounts.google.com"]
                .map(str::to_owned)
                .into(),
            jwks_url: Some("https://www.googleapis.com/oauth2/v3/certs".to_owned()),
            algorithm: Algorithm::Rs256,
            audiences: client_ids,
            parties: vec![],
            domains: vec![],
            needs_session: false,
            bearer: false,
        }
    }
}

impl Reader {
    pub(super) fn google(&mut self, given: Option<&str>) -> Vec<Issuer> {
        let ids = self.list("GOOGLE_CLIENT_ID", given, |_| Ok(()));
        let google = (!ids.is_empty()).then(|| Issuer::google(ids));
        google.into_iter().collect()
    }

    pub(super) fn issuers(&mut self, given: Option<&str>, plain_http: bool) -> Vec<Issuer> {
        let Some(given) = text(given) else {
            return vec![];
        };
        let (shown, json) = if given.starts_with('[') {
            ("a list".to_owned(), given.to_owned())
        } else {
            match std::fs::read_to_string(given) {
                Ok(json) => (given.to_owned(), json),
                Err(error) => {
                    let fix = format!("cannot be read: {error}; name a file, or write JSON");
                    self.problem(NAME, given, fix);
                    return vec![];
                }
            }
        };
        let written: Vec<Written> = match serde_json::from_str(&json) {
            Ok(written) => written,
            Err(error) => {
                self.problem(NAME, shown, format!("{error}; write it so: {EXAMPLE}"));
                return vec![];
            }
        };
        let mut issuers: Vec<Issuer> = vec![];
        for one in written {
            let name = one.name.clone();
            match one.meant(plain_http) {
                Ok(issuer) if issuers.iter().any(|known| known.name == name) => {
                    self.problem(NAME, issuer.name, "is there twice; give each its own name");
                }
                Ok(issuer) => issuers.push(issuer),
                Err(fix) => self.problem(NAME, name, fix),
            }
        }
        issuers
    }
}

impl Written {
    fn meant(mut self, plain_http: bool) -> Result<Issuer, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.chars().all(plain) {
            return Err("name: lower case letters, digits and dashes".to_owned());
        }
        self.fill()?;
        let issuer = self
            .issuer
            .ok_or("issuer: what its tokens have as `iss`".to_owned())?;
        let safe = |url: &str| url.starts_with("https://") || (plain_http && is_near(url));
        match &self.jwks_url {
            Some(url) if !safe(url) => {
                return Err("jwks_url: must begin with https://".to_owned());
            }
            None if !safe(&issuer) || issuer.contains(['?', '#']) => {
                return Err(
                    "jwks_url: where its keys are; only an issuer whose name is an https:// address can be asked for it"
                        .to_owned(),
                );
            }
            Some(_) | None => {}
        }
        if self.domains.iter().any(|domain| domain.trim().is_empty()) {
            return Err("domains: such as example.com; an empty one is nobody's".to_owned());
        }
        if self.audiences.is_empty() && self.parties.is_empty() {
            return Err(
                "audiences or parties: without either, a token for any other application would do"
                    .to_owned(),
            );
        }
        let issuers = match self.preset {
            Some(Preset::Google) => Issuer::google(vec![]).issuers,
            Some(Preset::Clerk | Preset::Firebase) | None => vec![issuer],
        };
        Ok(Issuer {
            name: self.name,
            issuers,
            jwks_url: self.jwks_url,
            algorithm: self.algorithm.unwrap_or(Algorithm::Rs256),
            audiences: self.audiences,
            parties: self.parties,
            domains: self.domains,
            needs_session: matches!(self.preset, Some(Preset::Clerk)),
            bearer: self.bearer.unwrap_or(false),
        })
    }

    /// Adds what is known of such an issuer, where nothing else was said.
    fn fill(&mut self) -> Result<(), String> {
        let Some(preset) = self.preset else {
            return Ok(());
        };
        match preset {
            Preset::Clerk => {
                if self.parties.is_empty() {
                    // A cookie of a neighbouring subdomain would be as good as ours.
                    return Err("parties: the origins of your pages, for `azp`".to_owned());
                }
                let issuer = self.issuer.as_deref().unwrap_or_default();
                let keys = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
                self.jwks_url.get_or_insert(keys);
                self.bearer.get_or_insert(true);
            }
            Preset::Firebase => {
                let project = self.project.clone();
                let project = project.ok_or("project: the id of the project")?;
                let issuer = format!("https://securetoken.google.com/{project}");
                self.issuer.get_or_insert(issuer);
                let keys = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
                self.jwks_url.get_or_insert(keys.to_owned());
                if self.audiences.is_empty() {
                    self.audiences.push(project);
                }
                self.bearer.get_or_insert(true);
            }
            Preset::Google => {
                let Issuer {
                    issuers, jwks_url, ..
                } = Issuer::google(vec![]);
                self.issuer.get_or_insert(issuers[0].clone());
                self.jwks_url = self.jwks_url.take().or(jwks_url);
            }
        }
        Ok(())
    }
}

/// Whether an address is this machine's own.
fn is_near(url: &str) -> bool {
    ["http://127.0.0.1:", "http://localhost:"]
        .iter()
        .any(|near| url.starts_with(near))
}
