//! `chorus token`: a bearer token for somebody, signed with the server's own secret.

use crate::exit::Trouble;
use crate::terminal;
use anyhow::Context as _;
use chorus_api::token::{Grant, LIFE_MAX, mint};
use clap::Args;
use domain::accounts::store;
use process::{Settings, fleet, telemetry};
use saga_core::Store;
use saga_core::db::Durability;
use uuid::Uuid;

/// Roles that there are: another word would open nothing, and nobody would know why.
const ROLES: [&str; 8] = [
    "member", "client", "agent", "employee", "curator", "reviewer", "operator", "admin",
];

const NAME_CHARS_MAX: usize = 80;

#[derive(Args)]
pub(crate) struct TokenArguments {
    /// Whom it speaks for; the account is made if there is none
    #[arg(long)]
    email: String,
    /// What it may do; again for more
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
    let token = token_for(&kept, &settings, (&email, name), &roles).await?;
    kept.db().close().await;
    terminal::line(token);
    Ok(())
}

/// Mints a token for an address, valid for a day; an account that is new gets the name.
pub(crate) async fn token_for(
    kept: &Store,
    settings: &Settings,
    (email, name): (&str, &str),
    roles: &[String],
) -> anyhow::Result<String> {
    let mut tx = kept.db().begin(Durability::Full).await?;
    let account = store::find_or_create(&mut tx, Uuid::now_v7(), email, name)
        .await
        .context("finding the account")?;
    tx.commit().await?;
    let grant = Grant {
        account: account.id,
        email: Some(account.email),
        roles: roles.to_vec(),
    };
    Ok(mint(
        settings.jwt_secret()?.reveal().as_bytes(),
        &grant,
        LIFE_MAX,
    )?)
}
