//! `chorus config check`: every setting, where it comes from, and everything that is wrong.

use crate::exit::Trouble;
use crate::terminal::{self, Terminal, Tone};
use process::settings::{Given, Role, Row};

pub(crate) fn check(given: Given, role: Role, json: bool) -> Result<(), Trouble> {
    let given = given.with_environment();
    let rows = given.rows();
    if json {
        rows.iter()
            .filter_map(|row| serde_json::to_string(row).ok())
            .for_each(terminal::line);
    } else {
        table(&rows, &Terminal::here());
    }
    let settings = given.check(role)?;
    if !json {
        settings
            .warnings
            .iter()
            .for_each(|warning| terminal::line(format!("warning: {warning}")));
        let mode = if settings.embedded() {
            "embedded mode: SQLite, everything in one process"
        } else {
            "PostgreSQL and RabbitMQ"
        };
        terminal::line(format!("ok: {mode}"));
    }
    Ok(())
}

fn table(rows: &[Row], terminal: &Terminal) {
    let head = Row {
        name: "NAME".to_owned(),
        value: "VALUE".to_owned(),
        source: "SOURCE",
        default: "DEFAULT".to_owned(),
    };
    let width = |of: fn(&Row) -> &str| {
        rows.iter()
            .map(|row| of(row).chars().count())
            .max()
            .unwrap_or(0)
            .max(5)
    };
    let (names, values) = (width(|row| &row.name), width(|row| &row.value));
    let line = |row: &Row| {
        format!(
            "{:names$}  {:values$}  {:<11}  {}",
            row.name, row.value, row.source, row.default
        )
        .trim_end()
        .to_owned()
    };
    terminal::line(terminal.paint(Tone::Quiet, line(&head)));
    for row in rows {
        let tone = if row.source == "default" {
            Tone::Quiet
        } else {
            Tone::Strong
        };
        terminal::line(terminal.paint(tone, line(row)));
    }
}
