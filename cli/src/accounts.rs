//! `chorus accounts`: who there is, and what they may do.

use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone};
use clap::{Args, Subcommand};
use domain::accounts::roles::ROLES;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};

const PATH: &str = "/api/v1/admin/accounts";

#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// List accounts, newest first
    List {
        /// Only the one with this address
        #[arg(long)]
        email: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Make an account
    Create {
        email: String,
        /// What others see
        #[arg(long)]
        name: Option<String>,
        /// What it may do; again for more
        #[arg(long = "role", value_name = "ROLE", default_values = ["member"], value_parser = ROLES)]
        roles: Vec<String>,
        /// File with its password, or - for standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        why: Why,
    },
    /// Give an account these roles, and no others
    Roles {
        /// Its id, or its address
        account: String,
        #[arg(long = "role", value_name = "ROLE", value_parser = ROLES)]
        roles: Vec<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Set an account's password, which ends its sessions
    SetPassword {
        /// Its id, or its address
        account: String,
        /// File with the password, or - for standard input
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        #[command(flatten)]
        why: Why,
    },
    /// Have an account do nothing any more, which ends its sessions
    Disable {
        /// Its id, or its address
        account: String,
        #[command(flatten)]
        why: Why,
    },
    /// Have an account that was disabled do things again
    Enable {
        /// Its id, or its address
        account: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Args)]
pub(crate) struct Why {
    /// Why; kept in the audit
    #[arg(long, default_value = "")]
    reason: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// A change of one account: whose, of what, how, and how it is told.
struct Change {
    account: String,
    what: &'static str,
    method: Method,
    body: Value,
    json: bool,
}

pub(crate) async fn run(command: AccountsCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        AccountsCommand::List { email, limit, json } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(email.map(|email| ("email", email)));
            let page = server.get(&with_query(PATH, &query)).await?;
            for account in page["items"].as_array().into_iter().flatten() {
                told(account, json);
            }
            Ok(())
        }
        AccountsCommand::Create {
            email,
            name,
            roles,
            password_file,
            why,
        } => {
            let mut body = json!({"email": email, "roles": roles, "reason": why.reason});
            if let Some(name) = name {
                body["display_name"] = json!(name);
            }
            if let Some(file) = password_file {
                body["password"] = json!(password(&file)?);
            }
            told(&server.post(PATH, &body).await?, why.json);
            Ok(())
        }
        AccountsCommand::Roles {
            account,
            roles,
            why,
        } => {
            let body = json!({"roles": roles});
            why.change(account, "roles", body).made(&server).await
        }
        AccountsCommand::SetPassword {
            account,
            password_file,
            why,
        } => {
            let body = json!({"password": password(&password_file)?});
            why.change(account, "password", body).made(&server).await
        }
        AccountsCommand::Disable { account, why } => {
            why.change(account, "disable", json!({}))
                .made(&server)
                .await
        }
        AccountsCommand::Enable { account, why } => {
            why.change(account, "enable", json!({})).made(&server).await
        }
    }
}

impl Why {
    fn change(self, account: String, what: &'static str, mut body: Value) -> Change {
        let verb = body.as_object().is_some_and(serde_json::Map::is_empty);
        body["reason"] = json!(self.reason);
        Change {
            account,
            what,
            method: if verb { Method::POST } else { Method::PUT },
            body,
            json: self.json,
        }
    }
}

impl Change {
    async fn made(self, server: &Server) -> Result<(), Trouble> {
        let id = found(server, &self.account).await?;
        let path = Server::path(PATH, &[&id, self.what]);
        let request = server.request(self.method, &path).json(&self.body);
        told(&server.json(request).await?, self.json);
        Ok(())
    }
}

/// The id of an account that was named by its id or its address.
pub(crate) async fn found(server: &Server, account: &str) -> Result<String, Trouble> {
    if !account.contains('@') {
        return Ok(account.to_owned());
    }
    let query = [("email", account.to_owned())];
    let page = server.get(&with_query(PATH, &query)).await?;
    let id = page["items"][0]["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| {
        Trouble::usage(
            format!("there is no account with the address {account}"),
            "chorus accounts list",
        )
    })
}

/// A password never stands on a command line, which everybody on the machine sees.
fn password(file: &Path) -> Result<String, Trouble> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = read.map_err(|error| {
        let what = format!("{} cannot be read: {error}", file.display());
        Trouble::usage(what, "--password-file FILE")
    })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn told(account: &Value, json: bool) {
    if json {
        terminal::line(account);
        return;
    }
    let terminal = Terminal::here();
    let text = |name: &str| account[name].as_str().unwrap_or_default();
    let roles: Vec<&str> = account["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let email = account["email"].as_str().unwrap_or("no address");
    let off = match account["disabled_at"].as_str() {
        Some(since) => format!("  disabled since {since}"),
        None => String::new(),
    };
    terminal::line(format!(
        "{}  {}  {}  {}{}",
        terminal.paint(Tone::Quiet, text("id")),
        terminal.paint(Tone::Strong, email),
        text("display_name"),
        roles.join(", "),
        terminal.paint(Tone::Warn, off)
    ));
}
