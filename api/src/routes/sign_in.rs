//! `/auth/google`, `/auth/oidc/{provider}`, `/auth/login`: how people come in.

use crate::asked::Asked;
use crate::auth::opened::{self, Opened, Origin};
use crate::auth::passwords::Checked;
use crate::auth::{disabled, refused};
use crate::body::{Json, PUBLIC_BYTES_MAX};
use crate::idempotency::Command;
use crate::keyed;
use crate::params::Name;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use domain::accounts::attempts::{self, Locked};
use domain::accounts::passwords::{self, Known};
use domain::accounts::roles::ROLES;
use domain::accounts::store::{self, Account};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const GOOGLE: &str = "google";
/// What the tokens are to be sent as.
pub(super) const KIND: &str = "bearer";
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
    asked: Asked,
    Json { value, bytes }: Json<Shown, PUBLIC_BYTES_MAX>,
) -> Result<Response, Problem> {
    by_issuer(&state, GOOGLE, value, (origin, asked, &bytes)).await
}

/// Signs somebody in by a token of an issuer of the settings.
pub(crate) async fn oidc(
    Name(provider): Name,
    In(state): In<State>,
    origin: Origin,
    asked: Asked,
    Json { value, bytes }: Json<Shown, PUBLIC_BYTES_MAX>,
) -> Result<Response, Problem> {
    by_issuer(&state, &provider, value, (origin, asked, &bytes)).await
}

async fn by_issuer(
    state: &State,
    provider: &str,
    shown: Shown,
    (origin, asked, bytes): (Origin, Asked, &[u8]),
) -> Result<Response, Problem> {
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
    let command = Command::of(state, &account.id.to_string(), &asked, bytes)?;
    let mut tx = state.begin().await?;
    let opened = opened::open(state, &mut tx, &command, account.id, origin).await?;
    tx.commit().await?;
    tracing::info!(account = %account.id, provider, "Signed in by an issuer's token");
    let email = account.address().map(str::to_owned);
    let welcome = Welcome {
        user_id: account.id,
        email: email.or(stated.identity.email),
        display_name: account.display_name,
        token: opened.access,
        refresh_token: opened.refresh,
        token_type: KIND,
        expires_in: opened.expires_in,
    };
    Ok(opened.given.mark(axum::Json(welcome).into_response()))
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
    asked: Asked,
    Json { value, bytes }: Json<Login, PUBLIC_BYTES_MAX>,
) -> Result<Response, Problem> {
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
    let opened = match Command::of(&state, &account.id.to_string(), &asked, &bytes) {
        Ok(command) => opened::open(&state, &mut tx, &command, account.id, origin).await,
        Err(problem) => Err(problem),
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(problem) => {
            // The key was refused, not the password.
            drop(tx);
            let mut tx = state.begin().await?;
            attempts::succeeded(&mut tx, address).await?;
            tx.commit().await?;
            return Err(problem);
        }
    };
    tx.commit().await?;
    tracing::info!(account = %account.id, "Signed in by password");
    let given = opened.given.clone();
    let told = axum::Json(LoggedIn::of(account, opened));
    Ok(given.mark(told.into_response()))
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
