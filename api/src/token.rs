//! Bearer tokens of our own: HS256, one day long, told apart from everybody else's by `iss` and `typ`.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// The shortest secret that is taken.
pub const SECRET_BYTES_MIN: usize = 32;
/// The longest that a token lives.
pub const LIFE_MAX: Duration = Duration::from_hours(24);
/// How far two clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// No token of ours comes near it.
const TOKEN_BYTES_MAX: usize = 4096;
const ISSUER: &str = "chorus";
const ACCESS: &str = "access";

/// Whom a token speaks for. What they may do is in the store: a token's roles are for whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The account.
    pub account: Uuid,
    /// The session, without which the token opens nothing.
    pub session: Uuid,
    /// `member`, `operator`, `admin` …
    pub roles: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    roles: Vec<String>,
    iat: i64,
    exp: i64,
    jti: Uuid,
    typ: String,
}

/// Exactly the header that our tokens have: `jku`, `crit` and their like are refused unread.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OurHeader {
    alg: String,
    typ: String,
}

/// The secret is shorter than [`SECRET_BYTES_MIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret of tokens has {0} bytes, at least {SECRET_BYTES_MIN} are needed")]
pub struct WeakSecret(pub usize);

/// Why a token is not accepted. It says nothing of the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is none of ours, or was changed.
    #[error("the token is not valid")]
    Invalid,
    /// It was one of ours.
    #[error("the token has expired")]
    Expired,
}

/// Whom a token was found to speak for, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The account.
    pub account: Uuid,
    /// The session.
    pub session: Uuid,
    /// From here on it is refused.
    pub until: DateTime<Utc>,
}

/// Makes a token, valid from now on and for a day at most.
pub fn mint(secret: &[u8], grant: &Grant, life: Duration) -> Result<String, WeakSecret> {
    mint_at(secret, grant, life, Utc::now())
}

/// As [`mint`], as if it were `now`.
pub fn mint_at(
    secret: &[u8],
    grant: &Grant,
    life: Duration,
    now: DateTime<Utc>,
) -> Result<String, WeakSecret> {
    if secret.len() < SECRET_BYTES_MIN {
        return Err(WeakSecret(secret.len()));
    }
    let life = TimeDelta::from_std(life.min(LIFE_MAX)).unwrap_or_default();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: grant.account,
        sid: grant.session,
        roles: grant.roles.clone(),
        iat: now.timestamp(),
        exp: (now + life).timestamp(),
        jti: Uuid::now_v7(),
        typ: ACCESS.to_owned(),
    };
    let key = EncodingKey::from_secret(secret);
    Ok(
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
            .expect("claims are plain data"),
    )
}

/// Checks tokens against one secret.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// A verifier; a secret that can be guessed is refused.
    pub fn new(secret: &[u8]) -> Result<Self, WeakSecret> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(WeakSecret(secret.len()));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_exp = false; // by our clock and leeway, below
        Ok(Self {
            key: DecodingKey::from_secret(secret),
            validation,
        })
    }

    /// Says whom a token speaks for.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, Rejected> {
        if token.len() > TOKEN_BYTES_MAX || !has_our_header(token) {
            return Err(Rejected::Invalid);
        }
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let claims = decoded.map_err(|_| Rejected::Invalid)?.claims;
        let (issued, expires) = (instant(claims.iat)?, instant(claims.exp)?);
        if claims.typ != ACCESS || issued > now + LEEWAY || expires <= issued {
            return Err(Rejected::Invalid);
        }
        let life_max = TimeDelta::from_std(LIFE_MAX).unwrap_or_default();
        let until = expires.min(issued + life_max) + LEEWAY;
        if now >= until {
            return Err(Rejected::Expired);
        }
        Ok(Verified {
            account: claims.sub,
            session: claims.sid,
            until,
        })
    }
}

/// Keeps the sums above from running over: no clock of ours shows the year 9990.
const SECONDS_MAX: i64 = 253_000_000_000;

fn instant(seconds: i64) -> Result<DateTime<Utc>, Rejected> {
    let sane = (1..SECONDS_MAX).contains(&seconds);
    DateTime::from_timestamp(seconds, 0)
        .filter(|_| sane)
        .ok_or(Rejected::Invalid)
}

fn has_our_header(token: &str) -> bool {
    use base64::Engine as _;
    let Some((head, _)) = token.split_once('.') else {
        return false;
    };
    let Ok(json) = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head) else {
        return false;
    };
    serde_json::from_slice::<OurHeader>(&json)
        .is_ok_and(|header| header.alg == "HS256" && header.typ == "JWT")
}
