//! What a process is told from outside: read once, checked whole, documented by `--help`.

mod address;
mod budgets;
mod check;
mod edge;
mod example;
mod given;
mod issuers;
mod kept;
mod mask;
mod near;
mod prices;
mod problem;
mod proxies;
mod rates;
mod reader;
mod retention;
mod secret;
mod sign_in;
mod table;
mod timetable;

pub use given::Given;
pub use issuers::{Algorithm, Issuer};
pub use mask::shown;
pub use problem::{Problem, Problems};
pub use proxies::{Network, Proxies};
pub use rates::{Quota, Rates, Scope};
pub use retention::RetentionGiven;
pub use secret::Secret;
pub use sign_in::{PasswordCost, SignIn, SignInGiven};
pub use table::Row;
pub use timetable::Recurring;

use saga_core::store::Keep;
use saga_core::{Caps, Prices};
use std::{net::IpAddr, path::PathBuf, time::Duration};

/// What a process is for, which decides what it must be told: a worker needs no secret of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers HTTP, so it signs tokens and hashes responders.
    Api,
    /// Does steps.
    Worker,
    /// Does one thing and ends.
    Tool,
}

/// Where the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// On a developer's machine.
    Development,
    /// In a test.
    Test,
    /// Before production.
    Staging,
    /// For users.
    Production,
}

/// What the process stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// SQLite and tickets within the process: everything in one.
    Embedded,
    /// PostgreSQL and RabbitMQ: many processes.
    Fleet {
        /// `postgres://user:password@host:port/database`.
        database_url: Secret,
        /// `amqp://user:password@host:port/vhost`.
        amqp_url: Secret,
    },
}

/// Who makes texts or pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderName {
    /// Built in, no key.
    Local,
    /// A server with the OpenAI interface.
    Openai,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Models and who serves them.
#[derive(Clone, Debug)]
pub struct Models {
    /// Who writes.
    pub text_provider: ProviderName,
    /// Who paints.
    pub image_provider: ProviderName,
    /// Who turns ideas into vectors; locally it is done where they are grouped.
    pub embed_provider: ProviderName,
    /// The provider's key; none for servers at home.
    pub openai_api_key: Option<Secret>,
    /// The provider's address, up to and with the version.
    pub openai_base_url: String,
    /// The model that writes.
    pub text_model: String,
    /// The model that paints.
    pub image_model: String,
    /// The model that turns ideas into vectors.
    pub embed_model: String,
    /// Hosts besides the server's own that pictures may be fetched from.
    pub image_hosts: Vec<String>,
    /// Longest call.
    pub timeout: Duration,
}

/// How a process works steps off.
#[derive(Clone, Debug)]
pub struct Work {
    /// Steps of one queue at once.
    pub concurrency: u16,
    /// Where a worker tells its health; nowhere if unset.
    pub port: Option<u16>,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How long steps under way may go on after the signal to stop.
    pub drain: Duration,
    /// How often it looks for what is due.
    pub sweep: Duration,
}

/// Everything a process is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it runs.
    pub app_env: AppEnv,
    /// What it stands on.
    pub mode: Mode,
    /// Where the API listens.
    pub host: IpAddr,
    /// The API's port.
    pub port: u16,
    /// The address people use, without a slash at the end; for links.
    pub public_base_url: String,
    /// Proxies of our own in front of the API.
    pub trusted_proxies: Proxies,
    /// How many requests are taken from whom.
    pub rates: Rates,
    /// How many connections one address may have at once.
    pub connections_per_address: Option<usize>,
    /// Ready steps of one queue beyond which no job is accepted that would begin there.
    pub queue_depth_max: u64,
    /// How long the API goes on accepting after the signal to stop.
    pub drain_delay: Duration,
    /// Where API processes count requests together; each counts its own if unset.
    pub redis_url: Option<Secret>,
    /// Origins of pages that may call, each as a browser sends it; without any `app_env` decides.
    pub cors_origins: Vec<String>,
    /// Most connections to the database.
    pub db_pool_max: u32,
    /// Whether the process may bring the tables up to date by itself.
    pub migrate_on_start: bool,
    /// The folder of embedded mode: store, media, secrets.
    pub data_dir: PathBuf,
    /// Where media files are.
    pub media_dir: PathBuf,
    /// How log lines look; by the kind of output if unset.
    pub log_format: Option<LogFormat>,
    /// Where spans are sent, without a slash at the end; nowhere if unset.
    pub otlp_endpoint: Option<String>,
    /// What whoever reads `/metrics` has to show; nothing if unset.
    pub metrics_token: Option<Secret>,
    /// First part of every name at the broker.
    pub queue_prefix: String,
    /// Whether the kinds `demo.*` exist here; always in embedded mode.
    pub demo_kinds: bool,
    /// Models.
    pub models: Models,
    /// What they cost.
    pub prices: Prices,
    /// The most that may be spent on them, unless somebody sets other caps by hand.
    pub caps: Caps,
    /// How steps are worked off.
    pub work: Work,
    /// When rounds of topics begin by themselves; never if unset.
    pub topic_rounds: Option<Recurring>,
    /// How long what is over is kept.
    pub keep: Keep,
    /// How people and machines show who they are.
    pub sign_in: SignIn,
    /// Things worth saying that stop nothing: an unknown name near a known one.
    pub warnings: Vec<String>,
    public_given: bool,
    jwt_secret: Option<Secret>,
    hash_pepper: Option<Secret>,
}

impl Settings {
    /// Whether everything is in this process.
    pub fn embedded(&self) -> bool {
        matches!(self.mode, Mode::Embedded)
    }

    /// Has links lead to where the process listens in fact, unless `PUBLIC_BASE_URL` says where.
    pub fn listens_at(&mut self, url: &str) {
        if !self.public_given {
            url.clone_into(&mut self.public_base_url);
        }
    }

    /// The SQLite file of embedded mode.
    pub fn store_file(&self) -> PathBuf {
        self.data_dir.join("chorus.db")
    }

    /// What signs tokens. Embedded mode makes one once and keeps it in the data folder.
    pub fn jwt_secret(&self) -> std::io::Result<Secret> {
        self.secret(self.jwt_secret.as_ref(), "jwt-secret", "JWT_SECRET")
    }

    /// What makes hashes of responders unguessable; kept like [`Settings::jwt_secret`].
    pub fn hash_pepper(&self) -> std::io::Result<Secret> {
        self.secret(self.hash_pepper.as_ref(), "hash-pepper", "HASH_PEPPER")
    }

    /// The default settings of embedded mode in another folder: for `chorus demo` and for tests.
    pub fn embedded_in(folder: impl Into<PathBuf>) -> Result<Self, Problems> {
        let folder = folder.into().display().to_string();
        Given {
            data_dir: Some(folder),
            ..Given::default()
        }
        .check(Role::Api)
    }

    fn secret(&self, given: Option<&Secret>, file: &str, name: &str) -> std::io::Result<Secret> {
        match (given, &self.mode) {
            (Some(secret), _) => Ok(secret.clone()),
            (None, Mode::Embedded) => kept::kept(&self.data_dir.join(file)),
            (None, Mode::Fleet { .. }) => Err(std::io::Error::other(format!("{name} is not set"))),
        }
    }
}
