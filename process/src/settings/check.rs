//! From what was given to what is meant: every problem is found before any is told.

use super::near::near;
use super::prices::unpriced;
use super::reader::{Reader, text};
use super::{AppEnv, Given, LogFormat, Mode, Models, Problems, ProviderName, Role};
use super::{Secret, Settings, Work};
use super::{address, table};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

const BASE_URL: &str = "https://api.openai.com/v1";
/// A step that writes has 90 s, and asks a second time when the first answer is of no use.
const CALL_SECONDS_MAX: f64 = 45.0;
/// Nobody waits longer for a process that was asked to end.
const DRAIN_DELAY_SECONDS_MAX: f64 = 600.0;
const DAY: f64 = 86_400.0;

impl Given {
    /// Checks everything. The process's role decides what it must have been told.
    pub fn check(self, role: Role) -> Result<Settings, Problems> {
        let mut reader = Reader::default();
        let mode = reader.mode(&self);
        let embedded = !matches!(mode, Some(Mode::Fleet { .. }));
        let api_secrets = role == Role::Api && matches!(mode, Some(Mode::Fleet { .. }));
        let [jwt_secret, hash_pepper] = reader.secrets(&self, api_secrets);
        let port = reader.number("PORT", self.port.as_deref(), 8000, 0..=65_535);
        let data_dir = PathBuf::from(text(self.data_dir.as_deref()).unwrap_or("chorus-data"));
        let host = reader.host(&self, embedded);
        let (models, prices) = (reader.models(&self), reader.prices(&self));
        let caps = reader.caps(&self, &models, &prices);
        let app_env = reader.one_of(
            "APP_ENV",
            self.app_env.as_deref(),
            AppEnv::Development,
            &APP_ENVS,
        );
        reader.no_guest(mode.as_ref(), app_env);
        let edge = reader.edge(&self, embedded && host.is_loopback());
        let settings = Settings {
            app_env,
            host,
            port,
            public_base_url: reader.url(
                "PUBLIC_BASE_URL",
                self.public_base_url.as_deref(),
                &format!("http://127.0.0.1:{port}"),
            ),
            rates: edge.rates,
            connections_per_address: edge.connections,
            trusted_proxies: edge.proxies,
            queue_depth_max: reader.depth(&self),
            drain_delay: reader.drain_delay(&self),
            redis_url: reader.redis(&self),
            cors_origins: reader.origins(&self),
            db_pool_max: reader.number("DB_POOL_MAX", self.db_pool_max.as_deref(), 20, 1..=1_000),
            migrate_on_start: reader.one_of(
                "MIGRATE_ON_START",
                self.migrate_on_start.as_deref(),
                false,
                &BOOLS,
            ),
            media_dir: text(self.media_dir.as_deref())
                .map_or_else(|| data_dir.join("media"), PathBuf::from),
            data_dir,
            log_format: reader.one_of("LOG_FORMAT", self.log_format.as_deref(), None, &LOG_FORMATS),
            otlp_endpoint: text(self.otel_exporter_otlp_endpoint.as_deref())
                .map(|url| reader.url("OTEL_EXPORTER_OTLP_ENDPOINT", Some(url), "")),
            metrics_token: reader.metrics_token(&self),
            queue_prefix: reader.prefix(&self),
            demo_kinds: reader.one_of("DEMO_KINDS", self.demo_kinds.as_deref(), embedded, &BOOLS),
            work: reader.work(&self),
            topic_rounds: reader.topic_rounds(&self),
            warnings: [self.warnings(), unpriced(&models, &prices)].concat(),
            models,
            prices,
            caps,
            keep: reader.retention(&self.retention),
            sign_in: reader.sign_in(&self.sign_in, app_env),
            public_given: text(self.public_base_url.as_deref()).is_some(),
            jwt_secret,
            hash_pepper,
            mode: mode.unwrap_or(Mode::Embedded),
        };
        if reader.problems.is_empty() {
            Ok(settings)
        } else {
            Err(Problems(reader.problems))
        }
    }

    /// Unknown names that look like misspelt ones.
    pub fn warnings(&self) -> Vec<String> {
        let known = table::names();
        let known = || known.iter().map(String::as_str);
        let strange = |name: &&String| !known().any(|ours| ours == name.as_str());
        let told = |name: &String| {
            near(name, known()).map(|ours| format!("{name} is not a setting; did you mean {ours}?"))
        };
        self.strangers
            .iter()
            .filter(strange)
            .filter_map(told)
            .collect()
    }
}

const APP_ENVS: [(&str, AppEnv); 4] = [
    ("development", AppEnv::Development),
    ("test", AppEnv::Test),
    ("staging", AppEnv::Staging),
    ("production", AppEnv::Production),
];
const LOG_FORMATS: [(&str, Option<LogFormat>); 2] = [
    ("pretty", Some(LogFormat::Pretty)),
    ("json", Some(LogFormat::Json)),
];
const PROVIDERS: [(&str, ProviderName); 2] = [
    ("local", ProviderName::Local),
    ("openai", ProviderName::Openai),
];
const BOOLS: [(&str, bool); 4] = [("true", true), ("false", false), ("1", true), ("0", false)];

impl Reader {
    fn mode(&mut self, given: &Given) -> Option<Mode> {
        let before = self.problems.len();
        let database = self.secret(
            "DATABASE_URL",
            given.database_url.as_deref(),
            given.database_url_file.as_deref(),
        );
        let broker = self.secret(
            "AMQP_URL",
            given.amqp_url.as_deref(),
            given.amqp_url_file.as_deref(),
        );
        if let Some(url) = &database {
            self.address("DATABASE_URL", url, address::database);
        }
        if let Some(url) = &broker {
            self.address("AMQP_URL", url, address::broker);
        }
        match (database, broker) {
            (Some(database_url), Some(amqp_url)) => Some(Mode::Fleet {
                database_url,
                amqp_url,
            }),
            _ if self.problems.len() > before => None,
            (None, None) => Some(Mode::Embedded),
            (Some(_), None) => {
                self.problem(
                    "AMQP_URL",
                    "not set",
                    "DATABASE_URL is: set both, or neither for embedded mode",
                );
                None
            }
            (None, Some(_)) => {
                self.problem(
                    "DATABASE_URL",
                    "not set",
                    "AMQP_URL is: set both, or neither for embedded mode",
                );
                None
            }
        }
    }

    /// A broker for users has none that everybody knows.
    fn no_guest(&mut self, mode: Option<&Mode>, app_env: AppEnv) {
        let Some(Mode::Fleet { amqp_url, .. }) = mode else {
            return;
        };
        let for_users = matches!(app_env, AppEnv::Staging | AppEnv::Production);
        if for_users {
            self.address("AMQP_URL", amqp_url, address::no_guest);
        }
    }

    fn redis(&mut self, given: &Given) -> Option<Secret> {
        let url = self.secret(
            "REDIS_URL",
            given.redis_url.as_deref(),
            given.redis_url_file.as_deref(),
        );
        if let Some(url) = &url {
            self.address("REDIS_URL", url, address::redis);
        }
        url
    }

    fn origins(&mut self, given: &Given) -> Vec<String> {
        let origins = given.cors_origins.as_deref();
        self.list("CORS_ORIGINS", origins, address::origin)
    }

    fn depth(&mut self, given: &Given) -> u64 {
        let depth = given.max_queue_depth.as_deref();
        self.number("MAX_QUEUE_DEPTH", depth, 100_000, 1..=1_000_000_000_000)
    }

    fn drain_delay(&mut self, given: &Given) -> Duration {
        let delay = given.drain_delay_s.as_deref();
        self.seconds("DRAIN_DELAY_S", delay, 0.0, 0.0..=DRAIN_DELAY_SECONDS_MAX)
    }

    fn metrics_token(&mut self, given: &Given) -> Option<Secret> {
        let file = given.metrics_token_file.as_deref();
        self.signing("METRICS_TOKEN", given.metrics_token.as_deref(), file, false)
    }

    fn secrets(&mut self, given: &Given, required: bool) -> [Option<Secret>; 2] {
        let jwt_secret = self.signing(
            "JWT_SECRET",
            given.jwt_secret.as_deref(),
            given.jwt_secret_file.as_deref(),
            required,
        );
        let hash_pepper = self.signing(
            "HASH_PEPPER",
            given.hash_pepper.as_deref(),
            given.hash_pepper_file.as_deref(),
            required,
        );
        [jwt_secret, hash_pepper]
    }

    fn host(&mut self, given: &Given, embedded: bool) -> IpAddr {
        let any = if embedded {
            Ipv4Addr::LOCALHOST
        } else {
            Ipv4Addr::UNSPECIFIED
        };
        self.parse(
            "HOST",
            given.host.as_deref(),
            IpAddr::V4(any),
            "an IP address, such as 127.0.0.1 or 0.0.0.0",
        )
    }

    fn models(&mut self, given: &Given) -> Models {
        let before = self.problems.len();
        let openai_api_key = self.secret(
            "OPENAI_API_KEY",
            given.openai_api_key.as_deref(),
            given.openai_api_key_file.as_deref(),
        );
        let reachable =
            openai_api_key.is_some() || text(given.openai_base_url.as_deref()).is_some();
        let likely = if reachable {
            ProviderName::Openai
        } else {
            ProviderName::Local
        };
        let text_provider = self.one_of(
            "AI_PROVIDER",
            given.ai_provider.as_deref(),
            likely,
            &PROVIDERS,
        );
        let image_provider = self.one_of(
            "IMAGE_PROVIDER",
            given.image_provider.as_deref(),
            text_provider,
            &PROVIDERS,
        );
        let embed_provider = self.one_of(
            "EMBED_PROVIDER",
            given.embed_provider.as_deref(),
            text_provider,
            &PROVIDERS,
        );
        let missing = !reachable && self.problems.len() == before; // a file that cannot be read is told
        if missing
            && [text_provider, image_provider, embed_provider].contains(&ProviderName::Openai)
        {
            self.problem(
                "OPENAI_API_KEY",
                "not set",
                "the provider openai needs it (or OPENAI_BASE_URL of a server without keys)",
            );
        }
        Models {
            text_provider,
            image_provider,
            embed_provider,
            openai_api_key,
            openai_base_url: self.url(
                "OPENAI_BASE_URL",
                given.openai_base_url.as_deref(),
                BASE_URL,
            ),
            text_model: text(given.text_model.as_deref())
                .unwrap_or("gpt-4.1")
                .to_owned(),
            image_model: text(given.image_model.as_deref())
                .unwrap_or("gpt-image-1")
                .to_owned(),
            embed_model: text(given.embed_model.as_deref())
                .unwrap_or("text-embedding-3-small")
                .to_owned(),
            image_hosts: self.list("IMAGE_HOSTS", given.image_hosts.as_deref(), address::name),
            timeout: self.seconds(
                "AI_TIMEOUT_SECS",
                given.ai_timeout_secs.as_deref(),
                30.0,
                1.0..=CALL_SECONDS_MAX,
            ),
        }
    }

    fn work(&mut self, given: &Given) -> Work {
        let port: u16 = self.number("WORKER_PORT", given.worker_port.as_deref(), 0, 1..=65_535);
        Work {
            concurrency: self.number(
                "WORKER_CONCURRENCY",
                given.worker_concurrency.as_deref(),
                10,
                1..=100,
            ),
            port: (port > 0).then_some(port),
            lease: self.seconds(
                "LEASE_SECONDS",
                given.lease_seconds.as_deref(),
                30.0,
                0.2..=DAY,
            ),
            drain: self.seconds(
                "DRAIN_TIMEOUT_S",
                given.drain_timeout_s.as_deref(),
                25.0,
                0.0..=DAY,
            ),
            sweep: self.seconds(
                "SWEEP_SECONDS",
                given.sweep_seconds.as_deref(),
                1.0,
                0.01..=DAY,
            ),
        }
    }

    fn prefix(&mut self, given: &Given) -> String {
        let prefix = text(given.queue_prefix.as_deref()).unwrap_or("chorus");
        if prefix.len() > 100
            || !prefix
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
        {
            self.problem(
                "QUEUE_PREFIX",
                prefix,
                "at most 100 letters, digits, dots, dashes and underscores",
            );
        }
        prefix.to_owned()
    }
}
