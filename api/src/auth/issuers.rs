//! Tokens of other people's issuers: whose they are, if they are good enough.

use super::discovery::Discovery;
use super::jwks::{Keys, NoKey, Place};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::identities::Identity;
use jsonwebtoken::Validation;
use process::settings::{Algorithm, Issuer, SignIn};
use serde::{Deserialize, de::DeserializeOwned};

/// How far two clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// No issuer's token lives longer.
const LIFE_MAX: TimeDelta = TimeDelta::hours(24);
const TOKEN_BYTES_MAX: usize = 8 * 1024;
const KEY_ID_BYTES_MAX: usize = 256;
const SUBJECT_CHARS_MAX: usize = 255;
const NAME_CHARS_MAX: usize = 80;
const EMAIL_CHARS_MAX: usize = 254;
/// Parts of a header that would have us believe a key because the token brings it.
const REFUSED_PARTS: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "crit", "b64"];

/// Why a token is not accepted. It says nothing of the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is none for us, or was changed.
    Invalid,
    /// It was good once.
    Expired,
    /// Nobody can say: the issuer does not answer.
    Away,
}

/// What a token was found to say, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) identity: Identity,
    pub(crate) until: DateTime<Utc>,
}

/// The issuers whose tokens are believed.
pub(crate) struct Issuers(Vec<Known>);

struct Known {
    issuer: Issuer,
    keys: Keys,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: String,
    #[serde(flatten)]
    more: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Option<Audience>,
    azp: Option<String>,
    sid: Option<String>,
    hd: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Issuers {
    pub(crate) fn of(settings: &SignIn) -> reqwest::Result<Self> {
        let http = Keys::client(settings.plain_http)?;
        let known = |issuer: &Issuer| Known {
            keys: Keys::new(place(issuer), issuer.algorithm, http.clone()),
            issuer: issuer.clone(),
        };
        Ok(Self(settings.issuers.iter().map(known).collect()))
    }

    /// Whether there is an issuer of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one.issuer.name == name)
    }

    /// Checks a token that is shown at sign-in.
    pub(crate) async fn signs_in(
        &self,
        name: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Stated, Refused> {
        let known = self.0.iter().find(|one| one.issuer.name == name);
        known.ok_or(Refused::Invalid)?.check(token, now).await
    }

    /// Checks a token that is shown at any other door; `None` where none of these issuers made it.
    pub(crate) async fn opens(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Option<Result<Stated, Refused>> {
        #[derive(Deserialize)]
        struct Names {
            iss: String,
        }
        if self.0.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let Names { iss } = part(token, 1)?;
        let bearers = self.0.iter().filter(|one| one.issuer.bearer);
        let known = bearers.into_iter().find(|one| one.issuer.is(&iss))?;
        Some(known.check(token, now).await)
    }
}

impl Known {
    async fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Stated, Refused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Invalid);
        }
        let header: Header = part(token, 0).ok_or(Refused::Invalid)?;
        let (word, algorithm) = match self.issuer.algorithm {
            Algorithm::Rs256 => ("RS256", jsonwebtoken::Algorithm::RS256),
            Algorithm::Es256 => ("ES256", jsonwebtoken::Algorithm::ES256),
        };
        if !header.is_plain(word) {
            return Err(Refused::Invalid);
        }
        let key = self
            .keys
            .find(&header.kid)
            .await
            .map_err(|none| match none {
                NoKey::Unknown => Refused::Invalid,
                NoKey::Away => Refused::Away,
            })?;
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // By our own clock, leeway and lists, below.
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation);
        let claims = claims.map_err(|_| Refused::Invalid)?.claims;
        self.issuer.accepts(&claims)?;
        let until = claims.lasts(now)?;
        Ok(Stated {
            identity: claims.identity(&self.issuer)?,
            until,
        })
    }
}

impl Header {
    fn is_plain(&self, algorithm: &str) -> bool {
        let kind = self.typ.as_deref();
        self.alg == algorithm
            && kind.is_none_or(|kind| kind.eq_ignore_ascii_case("JWT"))
            && (1..=KEY_ID_BYTES_MAX).contains(&self.kid.len())
            && !REFUSED_PARTS
                .iter()
                .any(|part| self.more.contains_key(*part))
    }
}

trait Accepts {
    fn is(&self, issuer: &str) -> bool;
    fn accepts(&self, claims: &Claims) -> Result<(), Refused>;
}

impl Accepts for Issuer {
    fn is(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|ours| ours == issuer)
    }

    /// Whether a token was made by this issuer, for us.
    fn accepts(&self, claims: &Claims) -> Result<(), Refused> {
        let ours = |audience: &String| self.audiences.contains(audience);
        let several = matches!(&claims.aud, Some(Audience::Many(many)) if many.len() > 1);
        let for_us = self.audiences.is_empty()
            || match &claims.aud {
                Some(Audience::One(one)) => ours(one),
                // Made for several: then it says which of them asked for it.
                Some(Audience::Many(many)) if several => {
                    many.iter().any(ours) && claims.azp.as_ref().is_some_and(ours)
                }
                Some(Audience::Many(many)) => many.iter().all(ours) && !many.is_empty(),
                None => false,
            };
        let by_us = self.parties.is_empty()
            || claims
                .azp
                .as_ref()
                .is_some_and(|azp| self.parties.contains(azp));
        let session = !self.needs_session || claims.sid.as_ref().is_some_and(|sid| !sid.is_empty());
        let of_ours = |hd: &String| {
            let mut domains = self.domains.iter();
            domains.any(|domain| domain.eq_ignore_ascii_case(hd))
        };
        let domain = self.domains.is_empty() || claims.hd.as_ref().is_some_and(of_ours);
        let good = self.is(&claims.iss) && for_us && by_us && session && domain;
        good.then_some(()).ok_or(Refused::Invalid)
    }
}

impl Claims {
    /// Until when it counts, if it does.
    fn lasts(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refused> {
        let instant = |seconds: i64| {
            let sane = (1..253_000_000_000).contains(&seconds);
            let instant = DateTime::from_timestamp(seconds, 0).filter(|_| sane);
            instant.ok_or(Refused::Invalid)
        };
        let expires = instant(self.exp)?;
        for from in [self.nbf, self.iat].into_iter().flatten() {
            if instant(from)? > now + LEEWAY {
                return Err(Refused::Invalid);
            }
        }
        if expires > now + LIFE_MAX + LEEWAY {
            return Err(Refused::Invalid);
        }
        let until = expires + LEEWAY;
        if now >= until {
            return Err(Refused::Expired);
        }
        Ok(until)
    }

    fn identity(self, issuer: &Issuer) -> Result<Identity, Refused> {
        let plain = |text: &String, max: usize| {
            !text.trim().is_empty()
                && text.chars().count() <= max
                && !text.contains(char::is_control)
        };
        if !plain(&self.sub, SUBJECT_CHARS_MAX) {
            return Err(Refused::Invalid);
        }
        // Some write it as text.
        let verified = self.email_verified.is_some_and(|verified| {
            verified == serde_json::json!(true) || verified == serde_json::json!("true")
        });
        let email = self.email.filter(|email| {
            verified && plain(email, EMAIL_CHARS_MAX) && email.trim().split('@').count() == 2
        });
        let name = self.name.filter(|name| plain(name, NAME_CHARS_MAX));
        Ok(Identity {
            issuer: issuer.issuers.first().cloned().unwrap_or(self.iss),
            subject: self.sub,
            email: email.map(|email| email.trim().to_lowercase()),
            name: name.map(|name| name.trim().to_owned()),
        })
    }
}

/// Where an issuer's keys are, or where it says so.
fn place(issuer: &Issuer) -> Place {
    match (&issuer.jwks_url, issuer.issuers.first()) {
        (Some(url), _) => Place::Known(url.clone()),
        (None, Some(name)) => Place::Told(Discovery::of(name)),
        (None, None) => Place::Known(String::new()),
    }
}

/// One part of a token, unchecked.
fn part<T: DeserializeOwned>(token: &str, which: usize) -> Option<T> {
    let bytes = BASE64.decode(token.split('.').nth(which)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}
