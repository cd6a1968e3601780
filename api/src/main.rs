//! `chorus-api`: the HTTP API alone. The same as `chorus api`.

use clap::Parser;
use process::Role;
use process::settings::Given;
use std::process::ExitCode;

/// Exit code of wrong settings and wrong usage.
const USAGE: u8 = 2;

#[derive(Parser)]
#[command(
    version,
    about = "Serves the HTTP API alone. The same as `chorus api`."
)]
struct Arguments {
    #[command(flatten)]
    given: Given,
}

#[expect(
    clippy::print_stderr,
    reason = "a process that cannot start says so before there are logs"
)]
fn main() -> ExitCode {
    match Arguments::parse().given.with_environment().check(Role::Api) {
        Ok(settings) => {
            process::worker::block_on(process::threads::of_callers(), chorus_api::run(settings))
        }
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::from(USAGE)
        }
    }
}
