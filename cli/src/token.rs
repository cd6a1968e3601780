//! `chorus token`: a bearer token for somebody, signed with the server's own secret, of a session in its store.

use crate::exit::Trouble;
use crate::terminal;
use anyhow::Context as _;
use chorus_api::token::{Grant, mint};
use chrono::TimeDelta;
use clap::Args;
use domain::accounts::roles::ROLES;
use domain::accounts::sessions::{self, Opening};
use domain::accounts::store;
use process::{Settings, fleet, telemetry};
use saga_core::Store;
use saga_core::db::Durability;
use saga_core::store::audit::{self, Entry};
use serde_json::json;
use uuid::Uuid;

/// How decisions of the command line are signed.
const ACTOR: &str = "chorus token";

const NAME_CHARS_MAX: usize = 80;

#[derive(Args)]
pub(crate) struct TokenArguments {
    /// Whom it speaks for; the account is made if there is none
    #[arg(long)]
    email: String,
    /// What it may do while it lives, whatever roles the account has; again for more
    #[arg(long = "role", value_name = "ROLE", default_values = ["member"], value_parser = ROLES)]
    roles: Vec<String>,
    /// What friends are shown, if the account is new
    #[arg(long, default_value = store::NAME_DEFAULT)]
    name: String,
}

pub(crate) async fn run(settings: Settings, arguments: TokenArguments) -> Result<(), Trouble> {
    telemetry::start(settings.log_format, "warn");
    let TokenArguments { email, roles, name } = arguments;
    if !email.contains('@') {
        return Err(Trouble::usage(
            format!("{email:?} is no e-mail address"),
            "--email you@example.org",
        ));
    }
    let name = name.trim();
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(Trouble::usage(
            format!("--name must be 1 to {NAME_CHARS_MAX} plain characters"),
            "--name Ana",
        ));
    }
    let kept = fleet::open_store(&settings, domain::catalog::kinds()).await?;
    let by = By::Person;
    let token = token_for(&kept, &settings, (&email, name), &roles, by).await?;
    kept.db().close().await;
    terminal::line(token);
    Ok(())
}

/// Who wants a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Somebody who typed the command, which is a decision and goes into the audit.
    Person,
    /// This process, for its own demo or its own folder.
    Itself,
}

/// Mints a token for an address, valid for a day, of a session that has these roles in place of its account's;
/// an account that is new gets the name.
pub(crate) async fn token_for(
    kept: &Store,
    settings: &Settings,
    (email, name): (&str, &str),
    roles: &[String],
    by: By,
) -> anyhow::Result<String> {
    let mut tx = kept.db().begin(Durability::Full).await?;
    let account = store::find_or_create(&mut tx, Uuid::now_v7(), email, name)
        .await
        .context("finding the account")?;
    let (session, life) = (Uuid::now_v7(), settings.sign_in.access_life);
    let opening = Opening {
        id: session,
        account: account.id,
        roles: Some(roles.to_vec()),
        refresh_hash: None,
        ip_prefix: String::new(),
        user_agent: ACTOR.to_owned(),
        life: TimeDelta::from_std(life)?,
    };
    sessions::open(&mut tx, opening)
        .await
        .context("opening a session")?;
    let entry = Entry {
        actor: ACTOR,
        verb: "session.open",
        target_kind: "account",
        target_id: account.id.to_string(),
        reason: "",
        detail: json!({"session_id": session, "roles": roles}),
    };
    match by {
        By::Person => audit::write(&mut tx, &entry).await?,
        By::Itself => {}
    }
    tx.commit().await?;
    let grant = Grant {
        account: account.id,
        session,
        roles: roles.to_vec(),
    };
    Ok(mint(
        settings.jwt_secret()?.reveal().as_bytes(),
        &grant,
        life,
    )?)
}
