//! `/auth/google`, `/auth/oidc/{provider}`, `/auth/login`, `/auth/refresh`: how people come in, and stay.

use crate::auth::opened::{self, Opened, Origin};
use crate::auth::passwords::Checked;
use crate::auth::{disabled, refused, secrets};
use crate::body::{Json, PUBLIC_BYTES_MAX};
use crate::keyed;
use crate::params::Name;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use chrono::Utc;
use domain::accounts::attempts::{self, Locked};
use domain::accounts::passwords::{self, Known};
use domain::accounts::roles::ROLES;
use domain::accounts::sessions::{self, Rotated};
use domain::accounts::store::{self, Account};
use saga_core::store::audit::{self, Entry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

const GOOGLE: &str = "google";
const KIND: &str = "bearer";
/// Longer ones cost more than they are worth.
pub(super) const PASSWORD_BYTES_MAX: usize = 256;

/// What an issuer gave to whoever signs in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IssuerToken)]
pub(crate) struct Shown {
    /// The token: Google's ID token, or the issuer's session token.
    #[schema(required = true, nullable = false, min_length = 1)]
    token: Option<String>,
}

/// Who signed in by an issuer's token, and their tokens here.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SignedIn)]
pub(crate) struct Welcome {
    user_id: Uuid,
    email: Option<String>,
    display_name: String,
    /// To be sent as `Authorization: Bearer`.
    token: String,
    /// For `POST /auth/refresh`, once.
    refresh_token: String,
    token_type: &'static str,
    /// Seconds that the token is good for.
    expires_in: u64,
}

/// Signs somebody in by an ID token of Google's.
pub(crate) async fn google(
    In(state): In<State>,
    origin: Origin,
    Json { value, .. }: Json<Shown, PUBLIC_BYTES_MAX>,
) -> Result<axum::Json<Welcome>, Problem> {
    by_issuer(&state, GOOGLE, value, origin).await
}

/// Signs somebody in by a token of an issuer of the settings.
pub(crate) async fn oidc(
    Name(provider): Name,
    In(state): In<State>,
    origin: Origin,
    Json { value, .. }: Json<Shown, PUBLIC_BYTES_MAX>,
) -> Result<axum::Json<Welcome>, Problem> {
    by_issuer(&state, &provider, value, origin).await
}

async fn by_issuer(
    state: &State,
    provider: &str,
    shown: Shown,
    origin: Origin,
) -> Result<axum::Json<Welcome>, Problem> {
    let issuers = state.door().issuers();
    if !issuers.has(provider) {
        let how =
            "No issuer of this name is configured here; see GOOGLE_CLIENT_ID and OIDC_ISSUERS.";
        return Err(Problem::new(Code::NotFound, how));
    }
    let token = shown.token.filter(|token| !token.trim().is_empty());
    let token = token.ok_or_else(|| {
        let how = "token: send the token that the issuer gave you.";
        Problem::new(Code::BadParameter, how)
    })?;
    let stated = issuers.signs_in(provider, token.trim(), Utc::now()).await;
    let stated = stated.map_err(refused)?;
    let account = state.door().account_of(&stated).await?;
    let mut tx = state.begin().await?;
    let opened = opened::open(state, &mut tx, account.id, origin).await?;
    tx.commit().await?;
    tracing::info!(account = %account.id, provider, "Signed in by an issuer's token");
    let email = account.address().map(str::to_owned);
    Ok(axum::Json(Welcome {
        user_id: account.id,
        email: email.or(stated.identity.email),
        display_name: account.display_name,
        token: opened.access,
        refresh_token: opened.refresh,
        token_type: KIND,
        expires_in: opened.expires_in,
    }))
}

/// Who signs in by password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The account's address, in any case.
    email: String,
    password: String,
}

/// Signs somebody in by password. Whoever does not exist is looked at as long as whoever does.
pub(crate) async fn login(
    In(state): In<State>,
    origin: Origin,
    Json { value, .. }: Json<Login, PUBLIC_BYTES_MAX>,
) -> Result<axum::Json<LoggedIn>, Problem> {
    let email = value.email.trim().to_lowercase();
    let parts = [email.as_bytes()];
    let address = keyed::hash(&state.settings().pepper, "sign-in address", &parts);
    let mut tx = state.begin().await?;
    let begun = attempts::begin(&mut tx, address).await?;
    tx.commit().await?;
    begun.map_err(locked)?;
    let known = passwords::known(state.db(), &email).await?;
    let hash = known.as_ref().and_then(|known| known.hash.clone());
    let long = value.password.len() > PASSWORD_BYTES_MAX;
    let password = if long { String::new() } else { value.password };
    let passwords = state.passwords();
    let checked = passwords.check(state.db(), hash.clone(), password.clone());
    let checked = checked.await?;
    let wrong = || {
        let how = "There is no account with this address and this password.";
        Problem::new(Code::InvalidCredentials, how)
    };
    let (Some(Known { account, .. }), Some(hash), Checked::Right | Checked::RightOutdated) =
        (known, hash, checked)
    else {
        return Err(wrong());
    };
    let renewed = match checked {
        Checked::RightOutdated => passwords.hash(password).await?,
        Checked::Right | Checked::Wrong => hash.clone(),
    };
    let mut tx = state.begin().await?;
    attempts::succeeded(&mut tx, address).await?;
    // Looking at a password takes its time: it may have been set anew meanwhile, to keep this one out.
    if !passwords::keep(&mut tx, account.id, hash, renewed).await? {
        return Err(wrong());
    }
    let now = store::find_in(&mut tx, account.id).await?;
    if now.is_none_or(|account| account.disabled_at.is_some()) {
        tx.commit().await?;
        return Err(disabled());
    }
    let opened = opened::open(&state, &mut tx, account.id, origin).await?;
    tx.commit().await?;
    tracing::info!(account = %account.id, "Signed in by password");
    Ok(axum::Json(LoggedIn::of(account, opened)))
}

/// Who signed in by password, and their tokens.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LoggedIn {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    /// For `POST /auth/refresh`, once.
    refresh_token: String,
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: u64,
    user: User,
}

/// The account, as a page greets it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LoggedInUser)]
struct User {
    id: Uuid,
    email: Option<String>,
    /// The first word of the name.
    first_name: String,
    /// The rest of it.
    last_name: String,
    /// Of the roles, the one that says most.
    role: Option<String>,
    roles: Vec<String>,
}

impl LoggedIn {
    fn of(account: Account, opened: Opened) -> Self {
        let name = account.display_name.trim();
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        // The one that says most; the table has them in that order.
        let mut known = ROLES.iter().rev();
        let role = known.find(|role| opened.roles.iter().any(|one| one == *role));
        Self {
            access_token: opened.access,
            refresh_token: opened.refresh,
            token_type: KIND,
            expires_in: opened.expires_in,
            user: User {
                id: account.id,
                email: account.address().map(str::to_owned),
                first_name: first.to_owned(),
                last_name: last.to_owned(),
                role: role.map(|role| (*role).to_owned()),
                roles: opened.roles,
            },
        }
    }
}

fn locked(Locked(left): Locked) -> Problem {
    let seconds = u64::try_from(left.num_seconds()).unwrap_or_default() + 1;
    let how = "Too many attempts in a row failed; try again in a few minutes.";
    Problem::new(Code::AccountLocked, how).retry_after(seconds)
}

/// A refresh token, to be spent.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshToken)]
pub(crate) struct Refresh {
    /// The one that came last.
    refresh_token: String,
}

/// A new pair of tokens.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TokenPair)]
pub(crate) struct Pair {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    /// For the next refresh, once.
    refresh_token: String,
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: u64,
}

/// Gives a new pair of tokens for a refresh token, which counts once. One that was used before ends its
/// session: of the two who have it, nobody knows which one is the owner.
pub(crate) async fn refresh(
    In(state): In<State>,
    Json { value, .. }: Json<Refresh, PUBLIC_BYTES_MAX>,
) -> Result<axum::Json<Pair>, Problem> {
    let unknown = || {
        Problem::new(
            Code::InvalidToken,
            "The refresh token is none of ours, or over; sign in again.",
        )
    };
    if !secrets::is_refresh(&value.refresh_token) {
        return Err(unknown());
    }
    let (old, new) = (secrets::hash(&value.refresh_token), secrets::refresh());
    let mut tx = state.begin().await?;
    let hash = secrets::hash(&new);
    match sessions::rotate(&mut tx, old, hash, opened::life(&state)).await? {
        Rotated::Unknown => Err(unknown()),
        Rotated::Reused { session, account } => {
            let entry = Entry {
                actor: "the server",
                verb: "session.revoke",
                target_kind: "session",
                target_id: session.to_string(),
                reason: "a refresh token was used twice",
                detail: json!({"account_id": account}),
            };
            audit::write(&mut tx, &entry).await?;
            tx.commit().await?;
            state.door().forget(session).await;
            tracing::warn!(%session, %account, "A refresh token was used twice: its session is over");
            Err(unknown())
        }
        Rotated::Done { session, account } => {
            let found = store::find_in(&mut tx, account).await?;
            if found.is_none_or(|account| account.disabled_at.is_some()) {
                return Err(disabled()); // rolled back: the token is not spent
            }
            let opened = opened::hand_out(&state, &mut tx, (session, account), new).await?;
            tx.commit().await?;
            Ok(axum::Json(Pair {
                access_token: opened.access,
                refresh_token: opened.refresh,
                token_type: KIND,
                expires_in: opened.expires_in,
            }))
        }
    }
}
