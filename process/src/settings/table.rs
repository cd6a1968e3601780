//! Every setting as a row: what `chorus config check` prints.

use super::{Given, address};
use clap::{Args as _, CommandFactory as _};

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

const SECRETS: [&str; 5] = [
    "DATABASE_URL",
    "AMQP_URL",
    "JWT_SECRET",
    "HASH_PEPPER",
    "OPENAI_API_KEY",
];

#[derive(clap::Parser)]
struct Probe {
    #[command(flatten)]
    _given: Given,
}

/// Every name that is a setting.
pub(super) fn names() -> Vec<String> {
    let command = Given::augment_args(clap::Command::new("chorus"));
    let by_clap = command
        .get_arguments()
        .filter_map(|arg| arg.get_env())
        .map(|name| name.to_string_lossy().into_owned());
    by_clap.chain(SECRETS.map(str::to_owned)).collect()
}

impl Given {
    /// Every setting as a row, by name.
    pub fn rows(&self) -> Vec<Row> {
        let command = Probe::command();
        let mut rows: Vec<Row> = command
            .get_arguments()
            .filter_map(|arg| {
                let name = arg.get_env()?.to_string_lossy().into_owned();
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                (!name.ends_with("_FILE")).then(|| self.row(name, default_of(&help)))
            })
            .chain(SECRETS.map(|name| self.row(name.to_owned(), String::new())))
            .collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows
    }

    fn row(&self, name: String, default: String) -> Row {
        let (given, file) = self.value_of(&name);
        let set = |value: &Option<String>| {
            value
                .as_deref()
                .is_some_and(|value| !value.trim().is_empty())
        };
        let secret = SECRETS.contains(&name.as_str());
        let (value, source) = match (given, file) {
            (given, _) if set(&given) => {
                let given = given.unwrap_or_default();
                let in_env = std::env::var(&name).is_ok_and(|value| value == given);
                let shown = match (secret, name.ends_with("_URL")) {
                    (true, true) => address::masked(&given),
                    (true, false) => "***".to_owned(),
                    (false, _) => given,
                };
                (shown, if in_env { "environment" } else { "flag" })
            }
            (_, file) if set(&file) => (format!("*** (from {})", file.unwrap_or_default()), "file"),
            _ if default.is_empty() => ("not set".to_owned(), "default"),
            _ => (default.clone(), "default"),
        };
        Row {
            name,
            value,
            source,
            default,
        }
    }

    /// What was given under a name, and the file that was given instead.
    fn value_of(&self, name: &str) -> (Option<String>, Option<String>) {
        let plain = |value: &Option<String>| (value.clone(), None);
        match name {
            "APP_ENV" => plain(&self.app_env),
            "HOST" => plain(&self.host),
            "PORT" => plain(&self.port),
            "PUBLIC_BASE_URL" => plain(&self.public_base_url),
            "TRUSTED_PROXIES" => plain(&self.trusted_proxies),
            "CORS_ORIGINS" => plain(&self.cors_origins),
            "DB_POOL_MAX" => plain(&self.db_pool_max),
            "MIGRATE_ON_START" => plain(&self.migrate_on_start),
            "QUEUE_PREFIX" => plain(&self.queue_prefix),
            "AI_PROVIDER" => plain(&self.ai_provider),
            "IMAGE_PROVIDER" => plain(&self.image_provider),
            "OPENAI_BASE_URL" => plain(&self.openai_base_url),
            "TEXT_MODEL" => plain(&self.text_model),
            "IMAGE_MODEL" => plain(&self.image_model),
            "IMAGE_HOSTS" => plain(&self.image_hosts),
            "AI_TIMEOUT_SECS" => plain(&self.ai_timeout_secs),
            "WORKER_CONCURRENCY" => plain(&self.worker_concurrency),
            "WORKER_PORT" => plain(&self.worker_port),
            "LEASE_SECONDS" => plain(&self.lease_seconds),
            "DRAIN_TIMEOUT_S" => plain(&self.drain_timeout_s),
            "SWEEP_SECONDS" => plain(&self.sweep_seconds),
            "DATA_DIR" => plain(&self.data_dir),
            "MEDIA_DIR" => plain(&self.media_dir),
            "DEMO_KINDS" => plain(&self.demo_kinds),
            "LOG_FORMAT" => plain(&self.log_format),
            "DATABASE_URL" => (self.database_url.clone(), self.database_url_file.clone()),
            "AMQP_URL" => (self.amqp_url.clone(), self.amqp_url_file.clone()),
            "JWT_SECRET" => (self.jwt_secret.clone(), self.jwt_secret_file.clone()),
            "HASH_PEPPER" => (self.hash_pepper.clone(), self.hash_pepper_file.clone()),
            "OPENAI_API_KEY" => (
                self.openai_api_key.clone(),
                self.openai_api_key_file.clone(),
            ),
            _ => (None, None),
        }
    }
}

/// The default, as the help text tells it.
fn default_of(help: &str) -> String {
    let (_, after) = help.rsplit_once("[default: ").unwrap_or_default();
    let bare = after.trim_end_matches(']');
    bare.trim_matches(['<', '>']).to_owned() // rustdoc wants links so
}
