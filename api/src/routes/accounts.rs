//! `/admin/accounts`: who there is, and what they may do.

use super::dead_letters::words;
use super::sign_in::PASSWORD_BYTES_MAX;
use crate::asked::Asked;
use crate::auth::{By, Caller, Staff};
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::accounts::roles::{self, MEMBER, ROLES};
use domain::accounts::store::{self, Account, NAME_DEFAULT};
use domain::accounts::{passwords, sessions};
use saga_core::db::{Durability, Tx};
use saga_core::store::audit::{self, Entry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

const ADMIN: &str = "admin";
const CLIENT: &str = "client";
const PASSWORD_CHARS_MIN: usize = 12;
const NAME_CHARS_MAX: usize = 80;
const EMAIL_CHARS_MAX: usize = 254;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// The one with this address.
    email: Option<String>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An account, as it is told.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Account)]
pub(crate) struct Told {
    id: Uuid,
    /// None where an issuer vouches for no address.
    email: Option<String>,
    display_name: String,
    roles: Vec<String>,
    created_at: DateTime<Utc>,
    /// Since when it may do nothing.
    disabled_at: Option<DateTime<Utc>>,
}

impl Told {
    fn of(account: &Account, roles: Vec<String>) -> Self {
        Self {
            id: account.id,
            email: account.address().map(str::to_owned),
            display_name: account.display_name.clone(),
            roles,
            created_at: account.created_at,
            disabled_at: account.disabled_at,
        }
    }
}

/// Lists accounts, newest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let before: Option<Uuid> = page::read(filter.cursor.as_deref())?;
    let found = match &filter.email {
        Some(email) => store::by_email(state.db(), email)
            .await?
            .into_iter()
            .collect(),
        None => store::list(state.db(), before, limit + 1).await?,
    };
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    let (mut items, mut last) = (vec![], None);
    let mut tx = state.db().begin(Durability::Relaxed).await?;
    for account in found.iter().take(kept) {
        let names = roles::names(&mut tx, account.id).await?;
        items.push(Told::of(account, names));
        last = Some(account.id);
    }
    Ok(axum::Json(Page::new(items, last.filter(|_| more).as_ref())))
}

/// An account to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccount)]
pub(crate) struct New {
    /// Its address, which no other account has.
    #[schema(max_length = 254)]
    email: String,
    /// What its owner is called.
    #[schema(min_length = 1, max_length = 80)]
    display_name: Option<String>,
    /// Its roles; `member` unless said otherwise.
    roles: Option<Vec<String>>,
    /// Its password, 12 characters at least and 256 bytes at most; without one, an issuer's token opens it.
    #[schema(min_length = 12, max_length = 256)]
    password: Option<String>,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Makes an account. Nobody is told: its owner signs in by the password, or by a token of `chorus token`.
pub(crate) async fn create(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<New>,
) -> Result<Response, Problem> {
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    let given = value.roles.unwrap_or_else(|| vec![MEMBER.to_owned()]);
    let (email, name) = (value.email.trim(), value.display_name.as_deref());
    let name = name.map_or(NAME_DEFAULT, str::trim);
    plain(email, name)?;
    known(&given)?;
    may_make(&caller, &given)?;
    let hash = match value.password {
        Some(password) => {
            no_key(&caller)?;
            Some(hashed(&state, password).await?)
        }
        None => None,
    };
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let id = Uuid::now_v7();
    if !store::insert(&mut tx, id, email, name).await? {
        let how = "There is an account with this address already; list it with ?email=.";
        return Err(Problem::new(Code::StateConflict, how));
    }
    let by = caller.signature();
    roles::set(&mut tx, id, &given, &by).await?;
    let detail = json!({"roles": given, "password": hash.is_some()});
    if let Some(hash) = hash {
        passwords::set(&mut tx, id, hash).await?;
    }
    decided(&mut tx, (&by, &reason), "account.create", (id, detail)).await?;
    let body = shown(&mut tx, id).await?;
    let given = Given::telling(StatusCode::CREATED, &body)?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}

/// The roles of an account, all of them.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoles {
    /// Some of `member`, `client`, `agent`, `employee`, `curator`, `reviewer`, `operator` and `admin`.
    roles: Vec<String>,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Makes these the roles of an account, and no others. They count at once; sessions with roles of their own,
/// which are made by `chorus token`, end, but for the one that decides.
pub(crate) async fn roles(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    Json { value, .. }: Json<NewRoles>,
) -> Result<axum::Json<Told>, Problem> {
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    known(&value.roles)?;
    may_make(&caller, &value.roles)?;
    let mut tx = state.begin().await?;
    touched(&mut tx, &caller, id).await?;
    let by = caller.signature();
    let before = roles::set(&mut tx, id, &value.roles, &by).await?;
    let own = match caller.by() {
        By::Session(session) => *session,
        By::Issuer | By::Key(_) | By::Bootstrap => Uuid::nil(),
    };
    let ended = sessions::revoke_own_roles(&mut tx, id, own).await?;
    let detail = json!({"before": before, "after": value.roles, "sessions_ended": ended});
    decided(&mut tx, (&by, &reason), "account.roles", (id, detail)).await?;
    finished(&state, tx, id).await
}

/// A password to set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// 12 characters at least, 256 bytes at most.
    #[schema(min_length = 12, max_length = 256)]
    password: String,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Sets the password of an account, and ends its sessions.
pub(crate) async fn password(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    Json { value, .. }: Json<NewPassword>,
) -> Result<axum::Json<Told>, Problem> {
    no_key(&caller)?;
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    let hash = hashed(&state, value.password).await?;
    let mut tx = state.begin().await?;
    touched(&mut tx, &caller, id).await?;
    passwords::set(&mut tx, id, hash).await?;
    let ended = sessions::revoke_all(&mut tx, id).await?;
    let (by, detail) = (caller.signature(), json!({"sessions_ended": ended}));
    decided(&mut tx, (&by, &reason), "account.password", (id, detail)).await?;
    finished(&state, tx, id).await
}

/// Commits, has it count at once, and tells how the account is now.
async fn finished(state: &State, mut tx: Tx, id: Uuid) -> Result<axum::Json<Told>, Problem> {
    let body = shown(&mut tx, id).await?;
    tx.commit().await?;
    state.door().look_again();
    Ok(axum::Json(body))
}

pub(super) async fn shown(tx: &mut Tx, id: Uuid) -> Result<Told, Problem> {
    let account = store::find_in(tx, id).await?;
    let account = account.ok_or_else(|| Problem::not_found("account"))?;
    Ok(Told::of(&account, roles::names(tx, id).await?))
}

/// Makes sure that there is such an account, and that the caller may change it.
pub(super) async fn touched(tx: &mut Tx, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    let found = store::find_in(tx, id).await?;
    found.ok_or_else(|| Problem::not_found("account"))?;
    may_make(caller, &roles::names(tx, id).await?)
}

/// Only whoever may do everything makes an admin, or changes one: or else a key for accounts would be a key
/// for all.
pub(super) fn may_make(caller: &Caller, roles: &[String]) -> Result<(), Problem> {
    let (may, how) = match caller.by() {
        By::Bootstrap => return Ok(()),
        By::Session(_) | By::Issuer => (
            caller.is_admin() || !roles.iter().any(|role| role == ADMIN),
            "Admins are made and changed by admins alone.",
        ),
        By::Key(_) => (
            roles.iter().all(|role| role == MEMBER || role == CLIENT),
            "An API key makes and changes members and clients alone; admins are for admins who signed in.",
        ),
    };
    let refused = || Problem::new(Code::Forbidden, how);
    may.then_some(()).ok_or_else(refused)
}

/// Refuses an API key what would outlive it, and do more than it may: passwords, and other keys.
pub(super) fn no_key(caller: &Caller) -> Result<(), Problem> {
    let how = "An API key sets no passwords and makes no keys; sign in for that.";
    let refused = || Problem::new(Code::Forbidden, how);
    let by_key = matches!(caller.by(), By::Key(_));
    (!by_key).then_some(()).ok_or_else(refused)
}

pub(super) async fn decided(
    tx: &mut Tx,
    (by, reason): (&str, &str),
    verb: &'static str,
    (id, detail): (Uuid, Value),
) -> sqlx::Result<()> {
    let entry = Entry {
        actor: by,
        verb,
        target_kind: "account",
        target_id: id.to_string(),
        reason,
        detail,
    };
    audit::write(tx, &entry).await
}

async fn hashed(state: &State, password: String) -> Result<String, Problem> {
    let long = password.len() > PASSWORD_BYTES_MAX;
    if long || password.chars().count() < PASSWORD_CHARS_MIN {
        let how = format!(
            "Give at least {PASSWORD_CHARS_MIN} characters, and at most {PASSWORD_BYTES_MAX} bytes."
        );
        return Err(Problem::field("/password", "out_of_range", how));
    }
    state.passwords().hash(password).await
}

fn plain(email: &str, name: &str) -> Result<(), Problem> {
    let mut wrong = vec![];
    let mut field = |pointer: &str, detail: String| {
        wrong.push(FieldProblem {
            pointer: pointer.to_owned(),
            code: "invalid".into(),
            detail,
        });
    };
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let parts: Vec<&str> = email.split('@').collect();
    let whole = matches!(parts[..], [user, host] if !user.is_empty() && !host.is_empty());
    if !whole || email.contains(odd) || email.chars().count() > EMAIL_CHARS_MAX {
        let how = "Give an e-mail address, such as ana@example.org.";
        field("/email", how.to_owned());
    }
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.contains(char::is_control) {
        let how = format!("Give 1 to {NAME_CHARS_MAX} plain characters.");
        field("/display_name", how);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(wrong))
    }
}

fn known(roles: &[String]) -> Result<(), Problem> {
    let strange = roles
        .iter()
        .position(|role| !ROLES.contains(&role.as_str()));
    let Some(at) = strange else {
        return Ok(());
    };
    let how = format!("Give some of: {}.", ROLES.join(", "));
    Err(Problem::field(format!("/roles/{at}"), "unknown_role", how))
}
