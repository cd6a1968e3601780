//! Every setting as a row: what `chorus config check` prints.

use super::Given;
use super::mask::{masked, shown};
use clap::Args as _;

/// A setting, its value and where it comes from.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// The environment variable.
    pub name: String,
    /// Its value, masked where it is secret; the default where nothing was given.
    pub value: String,
    /// `environment`, `flag`, `file` or `default`.
    pub source: &'static str,
    /// What it is if nothing is given.
    pub default: String,
}

/// A setting as [`Given`] describes it.
pub(super) struct Described {
    /// The environment variable.
    pub(super) name: String,
    /// What it is for, in a sentence without its default.
    pub(super) about: String,
    /// What it is if nothing is given, in words; empty for a secret.
    pub(super) default: String,
    /// Whether it is never shown, and may come from the file that `NAME_FILE` names.
    pub(super) secret: bool,
    /// The heading that it stands under.
    pub(super) group: String,
}

/// Every setting, in the order of its description. A secret is told by the argument for its file.
pub(super) fn described() -> Vec<Described> {
    let command = Given::augment_args(clap::Command::new("chorus"));
    let one = |arg: &clap::Arg| {
        let variable = arg.get_env()?.to_string_lossy().into_owned();
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.replace('`', "");
        let (about, default) = help.rsplit_once("[default: ").unwrap_or((&help, ""));
        let secret = variable.strip_suffix("_FILE").map(str::to_owned);
        let about = match &secret {
            Some(name) => about
                .strip_prefix(&format!("File with {name}: "))
                .unwrap_or(about),
            None => about,
        };
        Some(Described {
            about: about.trim().to_owned(),
            default: default.trim_end_matches(']').to_owned(),
            secret: secret.is_some(),
            name: secret.unwrap_or(variable),
            group: arg.get_help_heading().unwrap_or_default().to_owned(),
        })
    };
    command.get_arguments().filter_map(one).collect()
}

/// Every name that is a setting, those of secrets' files, too.
pub(super) fn names() -> Vec<String> {
    let names = |one: Described| {
        let file = one.secret.then(|| format!("{}_FILE", one.name));
        [Some(one.name), file].into_iter().flatten()
    };
    described().into_iter().flat_map(names).collect()
}

impl Given {
    /// Every setting as a row, by name.
    pub fn rows(&self) -> Vec<Row> {
        let values = serde_json::to_value(self).unwrap_or_default();
        let value = |name: &str| {
            let value = values[name.to_ascii_lowercase()].as_str();
            value.filter(|value| !value.trim().is_empty())
        };
        let row = |one: Described| {
            let file = value(&format!("{}_FILE", one.name)).filter(|_| one.secret);
            let given = value(&one.name);
            one.row(given, file)
        };
        let mut rows: Vec<Row> = described().into_iter().map(row).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }
}

impl Described {
    fn row(self, given: Option<&str>, file: Option<&str>) -> Row {
        let default = self.default.trim_matches(['<', '>']).to_owned(); // rustdoc wants links so
        let (value, source) = match (given, file) {
            (Some(given), _) => {
                let in_env = std::env::var(&self.name).is_ok_and(|value| value == given);
                let shown = match (self.secret, self.name.ends_with("_URL")) {
                    (true, false) => "***".to_owned(),
                    (_, true) => masked(given),
                    (false, false) => shown(given),
                };
                (shown, if in_env { "environment" } else { "flag" })
            }
            (None, Some(file)) => (format!("*** (from {})", shown(file)), "file"),
            (None, None) if default.is_empty() => ("not set".to_owned(), "default"),
            (None, None) => (default.clone(), "default"),
        };
        Row {
            name: self.name,
            value,
            source,
            default,
        }
    }
}
