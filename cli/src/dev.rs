//! `chorus dev`, the default: everything in one process, to stay.

use crate::exit::Trouble;
use crate::house::House;
use crate::notes::Notes;
use crate::terminal::{self, Terminal, Tone};
use crate::token;
use domain::accounts::store::NAME_DEFAULT;
use process::settings::ProviderName;
use process::{Settings, VERSION, notify, stop, telemetry};
use std::{path::Path, time::Duration};
use tokio_util::sync::CancellationToken;

/// Whom the token in the data folder speaks for.
const EMAIL: &str = "you@localhost";
const ROLES: [&str; 2] = ["member", "admin"];
/// The token lives for a day; it is made anew long before.
const RENEW: Duration = Duration::from_hours(12);

pub(crate) async fn run(settings: Settings) -> Result<(), Trouble> {
    let traces = telemetry::start_traced(&settings, "chorus");
    settings
        .warnings
        .iter()
        .for_each(|warning| tracing::warn!("{warning}"));
    let stop = stop::on_signal()?;
    let house = House::open(settings.clone(), stop.clone()).await?;
    let notes = leave(&house, &settings).await?;
    house.fleet().tracker().spawn(renew(
        house.store().clone(),
        settings.clone(),
        notes.url.clone(),
        stop.clone(),
    ));
    banner(&settings, &house.url, settings.port);
    notify::ready();
    stop.cancelled().await;
    Notes::remove(&settings.data_dir);
    house.close().await?;
    traces.stop().await;
    terminal::line("Stopped. What was not finished goes on at the next start.");
    Ok(())
}

async fn leave(house: &House, settings: &Settings) -> Result<Notes, Trouble> {
    let notes = Notes {
        url: house.url.clone(),
        token: minted(house.store(), settings).await?,
    };
    notes.leave(&settings.data_dir)?;
    Ok(notes)
}

async fn minted(store: &saga_core::Store, settings: &Settings) -> anyhow::Result<String> {
    token::token_for(
        store,
        settings,
        (EMAIL, NAME_DEFAULT),
        &ROLES.map(str::to_owned),
        token::By::Itself,
    )
    .await
}

/// Keeps the token in the data folder fresh until shutdown.
async fn renew(
    store: saga_core::Store,
    settings: Settings,
    url: String,
    shutdown: CancellationToken,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW) => {}
            () = shutdown.cancelled() => return,
        }
        let renewed = match minted(&store, &settings).await {
            Ok(token) => Notes {
                url: url.clone(),
                token,
            }
            .leave(&settings.data_dir)
            .map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        if let Err(error) = renewed {
            tracing::warn!(%error, "The token in the data folder could not be made anew");
        }
    }
}

fn banner(settings: &Settings, url: &str, asked: u16) {
    let terminal = Terminal::here();
    let data =
        std::path::absolute(&settings.data_dir).unwrap_or_else(|_| settings.data_dir.clone());
    let mode = if settings.embedded() {
        format!(
            "embedded mode — SQLite at {}",
            shown(&settings.store_file())
        )
    } else {
        "everything in one process, on PostgreSQL and RabbitMQ".to_owned()
    };
    let provider = match settings.models.text_provider {
        ProviderName::Local => "offline provider (no keys needed)".to_owned(),
        ProviderName::Openai => format!(
            "{} at {}",
            settings.models.text_model, settings.models.openai_base_url
        ),
    };
    let head = format!("chorus {VERSION} · {mode} · {provider} · not for production");
    terminal::line(terminal.paint(Tone::Strong, head));
    if !url.ends_with(&format!(":{asked}")) && asked != 0 {
        terminal::line(terminal.paint(
            Tone::Warn,
            format!("  Port {asked} is in use; this is the next free one."),
        ));
    }
    let row = |name: &str, value: &str| {
        terminal::line(format!(
            "  {} {value}",
            terminal.paint(Tone::Quiet, format!("{name:<9}"))
        ));
    };
    row("API", &format!("{url}/api/v1"));
    row("Docs", &format!("{url}/docs"));
    row("Health", &format!("{url}/health"));
    row(
        "Token",
        &format!(
            "{} (admin, for `chorus jobs …` and curl)",
            data.join("token").display()
        ),
    );
    row(
        "Try",
        &format!(
            "curl -s {url}/api/v1/surveys -H \"Authorization: Bearer $(cat '{}')\" -H 'Content-Type: application/json' -d '{{\"title\":\"Who am I?\"}}'",
            data.join("token").display()
        ),
    );
    row("Stop", "Ctrl-C");
}

/// A path as people write it.
fn shown(path: &Path) -> String {
    if path.is_relative() {
        format!("./{}", path.display())
    } else {
        path.display().to_string()
    }
}
