//! `chorus api-keys`: what machines show in place of a token.

use crate::accounts;
use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone};
use clap::Subcommand;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/admin/api-keys";

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// List keys, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Make a key; it is shown this once
    Create {
        /// What it is for
        name: String,
        /// What it opens, such as jobs:write or ops:read; again for more
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// For whom it speaks: an id, or an address [default: you]
        #[arg(long)]
        account: Option<String>,
        /// From when on it opens nothing, such as 2027-01-31T00:00:00Z [default: never]
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// Why; kept in the audit
        #[arg(long, default_value = "")]
        reason: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Have a key open nothing any more
    Revoke {
        key: uuid::Uuid,
        /// Why; kept in the audit
        #[arg(long, default_value = "")]
        reason: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: KeysCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        KeysCommand::List { limit, json } => {
            let query = [("limit", limit.to_string())];
            let page = server.get(&with_query(PATH, &query)).await?;
            let keys = page["items"].as_array().cloned().unwrap_or_default();
            for key in &keys {
                told(key, json);
            }
            if keys.is_empty() && !json {
                terminal::line("No keys. Make one: chorus api-keys create NAME --scope SCOPE");
            }
        }
        KeysCommand::Create {
            name,
            scopes,
            account,
            expires_at,
            reason,
            json,
        } => {
            let mut body = json!({"name": name, "scopes": scopes, "reason": reason});
            if let Some(account) = account {
                body["account_id"] = json!(accounts::found(&server, &account).await?);
            }
            if let Some(expires_at) = expires_at {
                body["expires_at"] = json!(expires_at);
            }
            let key = server.post(PATH, &body).await?;
            told(&key, json);
            if !json {
                let terminal = Terminal::here();
                let secret = key["key"].as_str().unwrap_or_default();
                terminal::line(terminal.paint(Tone::Strong, secret));
                terminal::line("Keep it: nobody can show it again. Send it as X-API-Key.");
            }
        }
        KeysCommand::Revoke { key, reason, json } => {
            let path = Server::path(PATH, &[&key.to_string(), "revoke"]);
            let revoked = server.post(&path, &json!({"reason": reason})).await?;
            told(&revoked, json);
        }
    }
    Ok(())
}

fn told(key: &Value, json: bool) {
    if json {
        terminal::line(key);
        return;
    }
    let terminal = Terminal::here();
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let scopes: Vec<&str> = key["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let end = match (key["revoked_at"].as_str(), key["expires_at"].as_str()) {
        (Some(at), _) => format!("  revoked at {at}"),
        (None, Some(at)) => format!("  until {at}"),
        (None, None) => String::new(),
    };
    terminal::line(format!(
        "{}  {}  {}  {}{}",
        terminal.paint(Tone::Quiet, text("id")),
        terminal.paint(Tone::Strong, text("prefix")),
        text("name"),
        scopes.join(" "),
        terminal.paint(Tone::Warn, end)
    ));
}
