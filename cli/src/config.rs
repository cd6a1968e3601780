//! `chorus config`: every setting, where it comes from, everything that is wrong, and an example of all.

use crate::exit::Trouble;
use crate::terminal::{self, Terminal, Tone};
use process::settings::{Given, Problems, Role, Row};
use serde_json::json;

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
    let warnings = given.warnings();
    if json {
        let told = warnings.iter().map(|warning| json!({ "warning": warning }));
        told.for_each(terminal::line);
    } else {
        let told = warnings.iter().map(|warning| format!("warning: {warning}"));
        told.for_each(terminal::line);
    }
    let settings = given.check(role).inspect_err(|Problems(problems)| {
        if json {
            let told = problems.iter().map(|problem| json!({ "problem": problem }));
            told.for_each(terminal::line);
        }
    })?;
    if !json {
        let mode = if settings.embedded() {
            "embedded mode: SQLite, everything in one process"
        } else {
            "PostgreSQL and RabbitMQ"
        };
        terminal::line(format!("ok: {mode}"));
    }
    Ok(())
}

/// Prints `.env.example`.
pub(crate) fn example() {
    terminal::line(Given::example().trim_end());
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
