//! One JSON object a line: the event's own fields, and those of the spans around it, side by side.

use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes `ts, level, msg, target`, then every field. An inner span's field hides an outer one's.
pub(super) struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        for span in cx
            .event_scope()
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            let extensions = span.extensions();
            let written = extensions
                .get::<FormattedFields<JsonFields>>()
                .map(|written| written.fields.as_str());
            if let Ok(Value::Object(of_span)) = serde_json::from_str(written.unwrap_or("{}")) {
                of_span
                    .into_iter()
                    .for_each(|(name, value)| fields.keep(&name, value));
            }
        }
        event.record(&mut fields);
        let mut ts = String::new();
        SystemTime.format_time(&mut Writer::new(&mut ts))?;
        let meta = event.metadata();
        let (ts, msg) = (Value::from(ts), Value::from(fields.msg.unwrap_or_default()));
        let (level, target) = (
            Value::from(meta.level().as_str()),
            Value::from(meta.target()),
        );
        write!(
            out,
            "{{\"ts\":{ts},\"level\":{level},\"msg\":{msg},\"target\":{target}"
        )?;
        for (name, value) in fields.others {
            write!(out, ",{}:{value}", Value::from(name))?;
        }
        writeln!(out, "}}")
    }
}

#[derive(Default)]
struct Fields {
    msg: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    /// Keeps a field under the name that the documentation uses; none takes the place of the line's own.
    fn keep(&mut self, name: &str, value: Value) {
        let name = match name {
            "saga.id" => "job_id",
            "message" | "ts" | "level" | "msg" | "target" => "why",
            name => name,
        };
        self.others.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match (field.name(), &self.msg) {
            ("message", None) => self.msg = Some(text),
            (name, _) => self.keep(name, text.into()),
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field.name(), value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field.name(), value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field.name(), value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field.name(), value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field.name(), value.into());
    }
}
