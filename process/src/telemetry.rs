//! What a process tells of itself: log lines, pretty on a terminal, else JSON, always to standard error; and
//! spans, where the settings say who collects them.

mod json;
mod traces;

pub use traces::Traces;

use crate::settings::{LogFormat, Settings};
use opentelemetry_sdk::trace::SdkTracer;
use std::io::IsTerminal as _;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Libraries that tell more than anybody asked for. What ends a session with the broker is told by us.
const QUIET: &str = "lapin=off,sqlx=warn,hyper=warn,reqwest=warn,h2=warn,rustls=warn";

/// Starts logging, and sends spans if the settings say where. `RUST_LOG` decides what is told, else `info`.
pub fn start_traced(settings: &Settings, service: &str) -> Traces {
    let begun = Traces::begin(settings, service);
    let tracer = begun.as_ref().ok().and_then(Traces::tracer);
    start_with(settings.log_format, "info", tracer);
    begun.unwrap_or_else(|error| {
        tracing::warn!(%error, "Traces are not sent");
        Traces::default()
    })
}

/// Starts logging. `RUST_LOG` decides what is told, else `default_level`. A second start changes nothing.
pub fn start(format: Option<LogFormat>, default_level: &str) {
    start_with(format, default_level, None);
}

fn start_with(format: Option<LogFormat>, default_level: &str, tracer: Option<SdkTracer>) {
    let spoken = std::env::var("RUST_LOG")
        .ok()
        .filter(|directives| !directives.trim().is_empty());
    let wanted = spoken.as_deref().unwrap_or(default_level);
    let filter = EnvFilter::new(format!("{QUIET},{wanted}"));
    let terminal = std::io::stderr().is_terminal();
    let by_output = if terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    };
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let spans = tracer.map(|tracer| tracing_opentelemetry::layer().with_tracer(tracer));
    let lines = tracing_subscriber::registry().with(filter).with(spans);
    let started = match format.unwrap_or(by_output) {
        LogFormat::Pretty => {
            let pretty = tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(colour)
                .with_target(false)
                .compact();
            lines.with(pretty).try_init()
        }
        LogFormat::Json => {
            let json = tracing_subscriber::fmt::layer()
                .event_format(json::Line)
                .fmt_fields(JsonFields::new());
            lines
                .with(json.with_writer(std::io::stderr).with_ansi(false))
                .try_init()
        }
    };
    drop(started); // an embedding program may log already
}
