//! `chorus seed --dev`: an account for each role, to develop with; never where others could use them.

use crate::exit::Trouble;
use crate::terminal;
use chorus_api::hash_password;
use clap::Args;
use domain::accounts::passwords;
use domain::accounts::roles::{self, ROLES};
use domain::accounts::store::{self, NAME_DEFAULT};
use process::settings::AppEnv;
use process::{Settings, fleet, telemetry};
use saga_core::db::{Db, Durability};
use saga_core::store::audit::{self, Entry};
use serde_json::json;
use uuid::Uuid;

/// How decisions of this command are signed.
const ACTOR: &str = "chorus seed";
const ADMIN: &str = "admin";

#[derive(Args)]
pub(crate) struct SeedArguments {
    /// Say that this is for development; anything else is refused
    #[arg(long, required = true)]
    dev: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(settings: Settings, arguments: SeedArguments) -> Result<(), Trouble> {
    telemetry::start(settings.log_format, "warn");
    match settings.app_env {
        AppEnv::Development | AppEnv::Test => {}
        AppEnv::Staging | AppEnv::Production => {
            return Err(Trouble::usage(
                "seeds are for development and tests, and APP_ENV says otherwise",
                "chorus accounts create, for accounts that stay",
            ));
        }
    }
    let kept = fleet::open_store(&settings, domain::catalog::kinds()).await?;
    for role in ROLES {
        let is_admin = role == ADMIN;
        let email = if is_admin {
            settings.sign_in.seed_email.clone()
        } else {
            format!("{role}@localhost")
        };
        let password = settings.sign_in.seed_password.as_ref();
        let password = password.filter(|_| is_admin);
        let hash = match password {
            Some(password) => {
                let hash = hash_password(settings.sign_in.cost, password);
                Some(hash.map_err(|error| anyhow::anyhow!("the password: {error}"))?)
            }
            None => None,
        };
        let made = seed(kept.db(), (&email, role), hash).await?;
        let did = if made { "made" } else { "was there" };
        if arguments.json {
            terminal::line(json!({"email": email, "role": role, "made": made}));
        } else {
            terminal::line(format!("{email}  {role}  {did}"));
        }
    }
    kept.db().close().await;
    if !arguments.json {
        terminal::line("A token for one: chorus token --email member@localhost");
    }
    Ok(())
}

/// Makes an account with this role, unless there is one of this address: that stays as it is.
async fn seed(db: &Db, (email, role): (&str, &str), hash: Option<String>) -> anyhow::Result<bool> {
    let mut tx = db.begin(Durability::Full).await?;
    let id = Uuid::now_v7();
    if !store::insert(&mut tx, id, email, NAME_DEFAULT).await? {
        return Ok(false);
    }
    roles::grant(&mut tx, id, role, ACTOR).await?;
    if let Some(hash) = hash {
        passwords::set(&mut tx, id, hash).await?;
    }
    let entry = Entry {
        actor: ACTOR,
        verb: "account.create",
        target_kind: "account",
        target_id: id.to_string(),
        reason: "",
        detail: json!({"roles": [role]}),
    };
    audit::write(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(true)
}
