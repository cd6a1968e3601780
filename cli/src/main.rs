//! The command line of Chorus, and every process that it can be.

mod accounts;
mod ai_requests;
mod api_keys;
mod arguments;
mod audit;
mod config;
mod consequence;
mod costs;
mod demo;
mod dev;
mod doctor;
mod exit;
mod follow;
mod healthcheck;
mod house;
mod http;
mod jobs;
mod kinds;
mod letters;
mod limits;
mod migrate;
mod notes;
mod parts;
mod port;
mod queues;
mod replays;
mod rounds;
mod sagas;
mod seed;
mod story;
mod terminal;
mod token;
mod topics;
mod workers;

use arguments::{Arguments, Command, ConfigCommand};
use clap::{CommandFactory as _, Parser as _};
use exit::Trouble;
use process::settings::Role;
use process::{Settings, threads};
use std::{ffi::OsString, io, process::ExitCode};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let arguments = Arguments::parse_from(with_default(std::env::args_os().collect()));
    let ended = match arguments.command {
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "chorus",
                &mut io::stdout(),
            );
            Ok(())
        }
        Command::Openapi => {
            terminal::line(format!("{:#}", chorus_api::openapi()));
            Ok(())
        }
        Command::Config {
            command: ConfigCommand::Check { given, role, json },
        } => config::check(*given, role.into(), json),
        Command::Config {
            command: ConfigCommand::Example,
        } => {
            config::example();
            Ok(())
        }
        command @ Command::Worker { .. } => block_on(threads::of_worker(), command),
        command @ (Command::Dev { .. }
        | Command::Demo { .. }
        | Command::Api { .. }
        | Command::Migrate { .. }
        | Command::Token { .. }
        | Command::Seed { .. }
        | Command::Accounts { .. }
        | Command::ApiKeys { .. }
        | Command::Jobs { .. }
        | Command::Rounds { .. }
        | Command::Topics { .. }
        | Command::DeadLetters { .. }
        | Command::Replays { .. }
        | Command::Workers(_)
        | Command::Queues(_)
        | Command::Kinds(_)
        | Command::Sagas { .. }
        | Command::Why { .. }
        | Command::Audit { .. }
        | Command::AiRequests { .. }
        | Command::Doctor { .. }
        | Command::Costs(_)
        | Command::Limits(_)
        | Command::Healthcheck { .. }) => block_on(threads::of_callers(), command),
    };
    ended.map_or_else(|trouble| trouble.tell(), |()| ExitCode::SUCCESS)
}

fn block_on(threads: io::Result<Runtime>, command: Command) -> Result<(), Trouble> {
    threads?.block_on(run(command))
}

/// Without a command everything runs, in one process.
fn with_default(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments
        .get(1)
        .and_then(|first| first.to_str())
        .unwrap_or_default();
    let of_top = ["-h", "--help", "-V", "--version"].contains(&first);
    if arguments.len() < 2 || (first.starts_with('-') && !of_top) {
        arguments.insert(arguments.len().min(1), "dev".into());
    }
    arguments
}

async fn run(command: Command) -> Result<(), Trouble> {
    match command {
        Command::Dev { given } => dev::run(given.with_environment().check(Role::Api)?).await,
        Command::Demo { what, answers } => demo::run(what, answers.as_deref()).await,
        Command::Api { given } => {
            let settings = alone("an API", given.with_environment().check(Role::Api)?)?;
            Ok(chorus_api::run(settings).await?)
        }
        Command::Worker { queue, given } => {
            let settings = alone(
                "a worker",
                given.given().with_environment().check(Role::Worker)?,
            )?;
            Ok(process::worker::run(settings, queue.name(), parts::of_worker).await?)
        }
        Command::Migrate { given, dry_run } => {
            migrate::run(given.with_environment().check(Role::Tool)?, dry_run).await
        }
        Command::Token { given, token } => {
            token::run(given.with_environment().check(Role::Api)?, token).await
        }
        Command::Seed { given, seed } => {
            seed::run(given.with_environment().check(Role::Tool)?, seed).await
        }
        Command::Accounts { command } => accounts::run(command).await,
        Command::ApiKeys { command } => api_keys::run(command).await,
        Command::Jobs { command } => jobs::run(command).await,
        Command::Rounds { command } => rounds::run(command).await,
        Command::Topics { command } => topics::run(command).await,
        Command::DeadLetters { command } => letters::run(command).await,
        Command::Replays { command } => replays::run(command).await,
        Command::Workers(arguments) => workers::run(arguments).await,
        Command::Queues(arguments) => queues::run(arguments).await,
        Command::Kinds(arguments) => kinds::run(arguments).await,
        Command::Sagas { command } => sagas::run(command).await,
        Command::Why { saga, json } => sagas::why(saga, json).await,
        Command::Audit { command } => audit::run(command).await,
        Command::AiRequests { command } => ai_requests::run(command).await,
        Command::Doctor { url, json, given } => doctor::run(given, url, json).await,
        Command::Costs(arguments) => costs::run(arguments).await,
        Command::Limits(arguments) => limits::run(arguments).await,
        Command::Healthcheck { ready, url } => healthcheck::run(ready, url).await,
        Command::Completions { .. } | Command::Config { .. } | Command::Openapi => Ok(()), // done before there was a runtime
    }
}

/// Refuses what in embedded mode would work for nobody.
fn alone(what: &str, settings: Settings) -> Result<Settings, Trouble> {
    if settings.embedded() {
        return Err(Trouble::usage(
            format!("{what} of its own needs DATABASE_URL and AMQP_URL"),
            "chorus, which runs everything in one process",
        ));
    }
    Ok(settings)
}
