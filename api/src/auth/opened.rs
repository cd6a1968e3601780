//! What a sign-in hands out: a session, the token that names it, and the refresh token that keeps it alive.

use super::secrets;
use crate::client::Client;
use crate::idempotency::{Command, Given};
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::token::{self, Grant};
use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use chrono::TimeDelta;
use domain::accounts::{roles, sessions};
use saga_core::db::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

const AGENT_CHARS_MAX: usize = 200;

/// From where somebody signs in, as far as a session remembers it.
pub(crate) struct Origin {
    ip_prefix: String,
    user_agent: String,
}

impl FromRequestParts<State> for Origin {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let client = Client::from_request_parts(parts, state).await?;
        let agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let agent = agent.unwrap_or_default().chars();
        Ok(Self {
            ip_prefix: prefix(client.address),
            user_agent: agent
                .filter(|c| !c.is_control())
                .take(AGENT_CHARS_MAX)
                .collect(),
        })
    }
}

/// A neighbourhood, not a house.
fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// What a sign-in hands out.
pub(crate) struct Opened {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) expires_in: u64,
    pub(crate) roles: Vec<String>,
    /// What is kept of it, which says whether it is one of before.
    pub(crate) given: Given,
}

/// What is kept of a sign-in under its `Idempotency-Key`: nothing in it opens anything.
#[derive(Serialize, Deserialize)]
struct Kept {
    session: Uuid,
    refresh_hash: [u8; 32],
}

/// Opens a session, in the caller's transaction and once for each key. Its id is ours, whatever the request
/// brought.
pub(crate) async fn open(
    state: &State,
    tx: &mut Tx,
    command: &Command,
    account: Uuid,
    origin: Origin,
) -> Result<Opened, Problem> {
    if let Some(earlier) = command.claim(tx).await? {
        let opened = again(state, tx, command, account, earlier).await?;
        return opened.ok_or_else(|| {
            let how = "The session of this Idempotency-Key was used since, or is over; sign in with another key.";
            Problem::new(Code::StateConflict, how)
        });
    }
    let (session, refresh) = (Uuid::now_v7(), secrets::refresh());
    let opening = sessions::Opening {
        id: session,
        account,
        roles: None,
        refresh_hash: Some(secrets::hash(&refresh)),
        ip_prefix: origin.ip_prefix,
        user_agent: origin.user_agent,
        life: life(state),
    };
    sessions::open(tx, opening).await?;
    hand_out(state, tx, command, (session, account), refresh).await
}

/// The tokens of the session that a command of before opened or refreshed: nobody kept them, so its refresh token
/// is another one now. None where somebody has used that since, or the session is over.
pub(crate) async fn again(
    state: &State,
    tx: &mut Tx,
    command: &Command,
    account: Uuid,
    earlier: Given,
) -> Result<Option<Opened>, Problem> {
    let kept: Kept =
        serde_json::from_value(earlier.body.clone()).map_err(|error| Problem::internal(&error))?;
    let refresh = secrets::refresh();
    let hash = secrets::hash(&refresh);
    if !sessions::renew(tx, kept.session, kept.refresh_hash, hash).await? {
        return Ok(None);
    }
    let mut opened = hand_out(state, tx, command, (kept.session, account), refresh).await?;
    opened.given = earlier;
    Ok(Some(opened))
}

/// The tokens of a session that is open.
pub(crate) async fn hand_out(
    state: &State,
    tx: &mut Tx,
    command: &Command,
    (session, account): (Uuid, Uuid),
    refresh: String,
) -> Result<Opened, Problem> {
    let kept = json!(Kept {
        session,
        refresh_hash: secrets::hash(&refresh),
    });
    let given = Given::new(StatusCode::OK, kept);
    command.keep(tx, &given).await?;
    let (settings, roles) = (state.settings(), roles::names(tx, account).await?);
    let life: Duration = settings.sign_in.access_life;
    let grant = Grant {
        account,
        session,
        roles: roles.clone(),
    };
    let access = token::mint(settings.jwt_secret.reveal().as_bytes(), &grant, life);
    Ok(Opened {
        access: access.map_err(|error| Problem::internal(&error))?,
        refresh,
        expires_in: life.as_secs(),
        roles,
        given,
    })
}

/// How long a session lasts without a refresh.
pub(crate) fn life(state: &State) -> TimeDelta {
    let life = TimeDelta::from_std(state.settings().sign_in.refresh_life);
    life.unwrap_or(TimeDelta::days(30))
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn an_address_is_kept_as_its_neighbourhood() {
        let of = |address: &str| prefix(address.parse().unwrap());
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:7:9::1"), "2001:db8:7::/48");
    }
}
