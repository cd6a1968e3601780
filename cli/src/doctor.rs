//! `chorus doctor`: looks at a running deployment from here, and says of each thing what to do about it.

mod api;
mod broker;
mod disk;
mod finding;
mod schedules;
mod store;

use crate::exit::{Code, Trouble};
use crate::terminal::{self, Terminal, Tone};
use finding::{Finding, State};
use process::Settings;
use process::settings::{Given, Problems, Role};

pub(crate) async fn run(given: Given, url: Option<String>, json: bool) -> Result<(), Trouble> {
    let given = given.with_environment();
    let warnings = given.warnings();
    let mut findings = match given.check(Role::Tool) {
        Ok(settings) => examine(&settings, url).await,
        Err(Problems(problems)) => {
            let told = problems.into_iter().map(|problem| {
                let found = format!("{} is {}: {}", problem.name, problem.value, problem.fix);
                Finding::failed("settings", found, "chorus config check")
            });
            told.collect()
        }
    };
    let guesses = warnings
        .into_iter()
        .map(|warning| Finding::warning("settings", warning, "chorus config check"));
    findings.splice(0..0, guesses);
    let terminal = Terminal::here();
    for finding in &findings {
        if json {
            terminal::line(finding.json());
        } else {
            show(finding, &terminal);
        }
    }
    let failed = findings
        .iter()
        .any(|finding| finding.state == State::Failed);
    if failed {
        return Err(Trouble::told(Code::Failed));
    }
    Ok(())
}

/// Everything that can be looked at once the settings are in order. What does not answer hides only what
/// it alone could tell.
async fn examine(settings: &Settings, url: Option<String>) -> Vec<Finding> {
    let mode = if settings.embedded() {
        "embedded mode"
    } else {
        "PostgreSQL and RabbitMQ"
    };
    let mut findings = vec![Finding::ok("settings", mode)];
    findings.extend(store::examine(settings).await);
    findings.extend(broker::examine(settings).await);
    findings.push(api::examine(settings, url).await);
    findings.push(disk::examine(settings));
    findings
}

fn show(finding: &Finding, terminal: &Terminal) {
    let tone = match finding.state {
        State::Ok => Tone::Good,
        State::Warning => Tone::Warn,
        State::Failed => Tone::Bad,
    };
    let word = terminal.paint(tone, format!("{:<7}", finding.state.word()));
    terminal::line(format!("{word}  {:<10}  {}", finding.check, finding.found));
    if let Some(remedy) = &finding.remedy {
        terminal::line(terminal.paint(Tone::Quiet, format!("{:21}try: {remedy}", "")));
    }
}
