//! The settings as they were given: flags and environment variables, text and unchecked.

use super::{RetentionGiven, SignInGiven};
use clap::Args;
use serde::Serialize;

// The groups of `--help` and of `.env.example`.
const API: &str = "Settings of the API";
const STORE: &str = "Settings of the store and the broker";
const SECRETS: &str = "Settings of the API's secrets";
const MODELS: &str = "Settings of models";
const WORK: &str = "Settings of workers";
const FILES: &str = "Settings of files and logs";

/// The settings as they were given. Empty means not given, since that is what compose files pass on.
///
/// Secrets have no flag of their own: a command line is seen by everybody on the machine. Each has one for
/// a file, described as "File with `NAME`: what it is"; whatever lists settings takes the secret from there.
/// There is no `Debug`, which would show them.
#[derive(Args, Clone, Default, Serialize)]
#[command(next_help_heading = "Settings (each also from the environment)")]
pub struct Given {
    /// Where this runs: development, test, staging or production [default: development]
    #[arg(long, env, value_name = "NAME", hide_env_values = true)]
    pub app_env: Option<String>,
    /// Address to listen on [default: 0.0.0.0; 127.0.0.1 in embedded mode]
    #[arg(long, env, value_name = "IP", hide_env_values = true, help_heading = API)]
    pub host: Option<String>,
    /// Port to listen on [default: 8000]
    #[arg(long, env, value_name = "PORT", hide_env_values = true, help_heading = API)]
    pub port: Option<String>,
    /// The address that people use, for links and QR codes; every process needs it [default: http://127.0.0.1:PORT]
    #[arg(long, env, value_name = "URL", hide_env_values = true, help_heading = API)]
    pub public_base_url: Option<String>,
    /// Our own proxies in front of the API, whose `X-Forwarded-For` counts: how many hops they are, or their
    /// networks, as 10.0.0.0/8,127.0.0.1 [default: 0]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = API)]
    pub trusted_proxies: Option<String>,
    /// Origins of pages that may call, with commas between [default: none; any port of localhost in development]
    #[arg(long, env, value_name = "URLS", hide_env_values = true, help_heading = API)]
    pub cors_origins: Option<String>,
    /// Requests taken from one caller: on, off, or what differs from deploy/README.md, as
    /// commands=200/min+2000/h,reads=off [default: on; off in embedded mode that only this machine reaches]
    #[arg(long, env, value_name = "LIMITS", hide_env_values = true, help_heading = API)]
    pub rate_limits: Option<String>,
    /// Connections that one address may have at once, where it is no proxy of ours; 0 for as many as it likes
    /// [default: 256; 0 where `RATE_LIMITS` is off]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = API)]
    pub connections_per_address: Option<String>,
    /// Ready steps of one queue beyond which jobs that would begin there are answered 503 [default: 100000]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = API)]
    pub max_queue_depth: Option<String>,
    /// How long an API process goes on accepting after the signal to stop, not ready any more, in seconds: as long
    /// as balancers take to see that; what kills it waits so much longer [default: 0]
    #[arg(long, env, value_name = "S", hide_env_values = true, help_heading = API)]
    pub drain_delay_s: Option<String>,
    /// File with `REDIS_URL`: where several API processes count requests together, as <redis://:password@host:6379>; without it each counts its own
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = API)]
    pub redis_url_file: Option<String>,
    /// File with `DATABASE_URL`: the store, as <postgres://user:password@host:5432/database>; without it and `AMQP_URL`, embedded mode
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = STORE)]
    pub database_url_file: Option<String>,
    /// Most connections to the database [default: 20]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = STORE)]
    pub db_pool_max: Option<String>,
    /// Bring the tables up to date at start: true or false [default: false]
    #[arg(long, env, value_name = "BOOL", hide_env_values = true, help_heading = STORE)]
    pub migrate_on_start: Option<String>,
    /// File with `AMQP_URL`: the broker, as <amqp://user:password@host:5672/%2f>; set both, or neither
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = STORE)]
    pub amqp_url_file: Option<String>,
    /// First part of every name at the broker [default: chorus]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = STORE)]
    pub queue_prefix: Option<String>,
    /// File with `JWT_SECRET`: signs tokens, 32 bytes or more (openssl rand -hex 32); embedded mode makes its own
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = SECRETS)]
    pub jwt_secret_file: Option<String>,
    /// File with `HASH_PEPPER`: hides responders, 32 bytes or more; embedded mode makes its own
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = SECRETS)]
    pub hash_pepper_file: Option<String>,
    /// Who writes: local or openai [default: openai if it has a key or an address, else local]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = MODELS)]
    pub ai_provider: Option<String>,
    /// Who paints: local or openai [default: as `AI_PROVIDER`]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = MODELS)]
    pub image_provider: Option<String>,
    /// Who compares ideas: local or openai [default: as `AI_PROVIDER`]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = MODELS)]
    pub embed_provider: Option<String>,
    /// File with `OPENAI_API_KEY`: the key of the model server; servers without keys need their address alone
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = MODELS)]
    pub openai_api_key_file: Option<String>,
    /// Address of the model server [default: <https://api.openai.com/v1>]
    #[arg(long, env, value_name = "URL", hide_env_values = true, help_heading = MODELS)]
    pub openai_base_url: Option<String>,
    /// Model that writes [default: gpt-4.1]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = MODELS)]
    pub text_model: Option<String>,
    /// Model that paints [default: gpt-image-1]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = MODELS)]
    pub image_model: Option<String>,
    /// Model that turns ideas into vectors [default: text-embedding-3-small]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = MODELS)]
    pub embed_model: Option<String>,
    /// Hosts besides the model server's own, at public addresses, that pictures may be fetched from, with commas between [default: none]
    #[arg(long, env, value_name = "HOSTS", hide_env_values = true, help_heading = MODELS)]
    pub image_hosts: Option<String>,
    /// Longest call of a model, in seconds, at most 45 [default: 30]
    #[arg(long, env, value_name = "S", hide_env_values = true, help_heading = MODELS)]
    pub ai_timeout_secs: Option<String>,
    /// What models cost: JSON, or a file with it, such as deploy/prices.json (/usr/share/chorus/prices.json in
    /// the image); what it leaves out costs an unknown sum [default: none]
    #[arg(long, env, value_name = "JSON", hide_env_values = true, help_heading = MODELS)]
    pub prices: Option<String>,
    /// Most that one saga, with all that it began, may spend on models, in millionths of a dollar [default: none]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = MODELS)]
    pub ai_saga_budget_micros: Option<String>,
    /// Most that one account may spend in a day (UTC), in millionths of a dollar [default: none]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = MODELS)]
    pub ai_account_daily_budget_micros: Option<String>,
    /// Most that everybody may spend in a day (UTC), in millionths of a dollar [default: none]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = MODELS)]
    pub ai_daily_budget_micros: Option<String>,
    /// Steps of one queue that a worker does at once, 1 to 100 [default: 10]
    #[arg(long, env, value_name = "N", hide_env_values = true, help_heading = WORK)]
    pub worker_concurrency: Option<String>,
    /// Port on which a worker tells its health and metrics [default: none]
    #[arg(long, env, value_name = "PORT", hide_env_values = true, help_heading = WORK)]
    pub worker_port: Option<String>,
    /// How long a step is a worker's without a heartbeat, in seconds [default: 30]
    #[arg(long, env, value_name = "S", hide_env_values = true, help_heading = WORK)]
    pub lease_seconds: Option<String>,
    /// How long steps under way may go on after the signal to stop, in seconds [default: 25]
    #[arg(long, env, value_name = "S", hide_env_values = true, help_heading = WORK)]
    pub drain_timeout_s: Option<String>,
    /// How often a worker looks for what is due, in seconds [default: 1]
    #[arg(long, env, value_name = "S", hide_env_values = true, help_heading = WORK)]
    pub sweep_seconds: Option<String>,
    /// When rounds of topics begin by themselves: minute, hour, day, month, day of the week and a time zone, as
    /// 0 18 * * FRI Europe/Berlin [default: none]
    #[arg(long, env, value_name = "WHEN", hide_env_values = true, help_heading = WORK)]
    pub topic_round_schedule: Option<String>,
    /// Folder of embedded mode: store, media, secrets [default: chorus-data]
    #[arg(long, env, value_name = "FOLDER", hide_env_values = true, help_heading = FILES)]
    pub data_dir: Option<String>,
    /// Folder of media files; processes share it [default: media, in `DATA_DIR`]
    #[arg(long, env, value_name = "FOLDER", hide_env_values = true, help_heading = FILES)]
    pub media_dir: Option<String>,
    /// Have the kinds demo.*, too: true or false [default: true in embedded mode, else false]
    #[arg(long, env, value_name = "BOOL", hide_env_values = true, help_heading = FILES)]
    pub demo_kinds: Option<String>,
    /// Log lines: pretty or json [default: pretty on a terminal, else json]
    #[arg(long, env, value_name = "NAME", hide_env_values = true, help_heading = FILES)]
    pub log_format: Option<String>,

    /// Collector that spans are sent to, by OTLP over HTTP; more of `OTEL_*` is read as OpenTelemetry has it [default: none]
    #[arg(long, env, value_name = "URL", hide_env_values = true, help_heading = FILES)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// File with `METRICS_TOKEN`: the bearer token that `/metrics` of every process wants; without it whoever gets there may read
    #[arg(long, env, value_name = "FILE", hide_env_values = true, help_heading = FILES)]
    pub metrics_token_file: Option<String>,

    /// How people and machines show who they are.
    #[command(flatten)]
    #[serde(flatten)]
    pub sign_in: SignInGiven,

    /// How long what is over is kept.
    #[command(flatten)]
    #[serde(flatten)]
    pub retention: RetentionGiven,

    /// `DATABASE_URL`.
    #[arg(skip)]
    pub database_url: Option<String>,
    /// `AMQP_URL`.
    #[arg(skip)]
    pub amqp_url: Option<String>,
    /// `REDIS_URL`.
    #[arg(skip)]
    pub redis_url: Option<String>,
    /// `JWT_SECRET`.
    #[arg(skip)]
    pub jwt_secret: Option<String>,
    /// `HASH_PEPPER`.
    #[arg(skip)]
    pub hash_pepper: Option<String>,
    /// `METRICS_TOKEN`.
    #[arg(skip)]
    pub metrics_token: Option<String>,
    /// `OPENAI_API_KEY`.
    #[arg(skip)]
    pub openai_api_key: Option<String>,
    /// Names in the environment that are none of ours.
    #[arg(skip)]
    #[serde(skip)]
    pub strangers: Vec<String>,
}

impl Given {
    /// Adds what only the environment tells: the secrets, and names that may be misspelt ones.
    #[must_use]
    pub fn with_environment(mut self) -> Self {
        self.database_url = std::env::var("DATABASE_URL").ok();
        self.amqp_url = std::env::var("AMQP_URL").ok();
        self.redis_url = std::env::var("REDIS_URL").ok();
        self.jwt_secret = std::env::var("JWT_SECRET").ok();
        self.hash_pepper = std::env::var("HASH_PEPPER").ok();
        self.metrics_token = std::env::var("METRICS_TOKEN").ok();
        self.openai_api_key = std::env::var("OPENAI_API_KEY").ok();
        self.sign_in.with_environment();
        self.strangers = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .collect();
        self
    }
}
