//! How people and machines show who they are, as the operator sets it.

use super::reader::{Reader, text};
use super::{AppEnv, Issuer, Secret};
use clap::Args;
use serde::Serialize;
use std::time::Duration;

const DAY_S: u64 = 86_400;

/// How people and machines show who they are.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// How long an access token lives; a day at most.
    pub access_life: Duration,
    /// How long a session lasts without being refreshed.
    pub refresh_life: Duration,
    /// Whose tokens are believed.
    pub issuers: Vec<Issuer>,
    /// Whether issuers may be asked without TLS: in tests alone.
    pub plain_http: bool,
    /// What a guess at a password costs.
    pub cost: PasswordCost,
    /// The key that makes the first accounts and keys; none opens nothing.
    pub bootstrap_key: Option<Secret>,
    /// The address of the account that `chorus seed` makes an admin.
    pub seed_email: String,
    /// Its password; none has it sign in by token alone.
    pub seed_password: Option<Secret>,
}

/// What Argon2id takes for one password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Passwords that are looked at at once.
    pub at_once: usize,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            access_life: Duration::from_secs(DAY_S),
            refresh_life: Duration::from_secs(30 * DAY_S),
            issuers: vec![],
            plain_http: false,
            cost: PasswordCost {
                memory_kib: 19_456,
                passes: 2,
                at_once: 2,
            },
            bootstrap_key: None,
            seed_email: "admin@localhost".to_owned(),
            seed_password: None,
        }
    }
}

/// How people and machines show who they are, as it was given.
#[derive(Args, Clone, Default, Serialize)]
#[command(next_help_heading = "Settings of sign-in")]
pub struct SignInGiven {
    /// How long an access token lives, in seconds, at most 86400 [default: 86400]
    #[arg(long, env, value_name = "S", hide_env_values = true)]
    pub jwt_access_ttl: Option<String>,
    /// How long a session lasts without a refresh, in seconds [default: 2592000]
    #[arg(long, env, value_name = "S", hide_env_values = true)]
    pub jwt_refresh_ttl: Option<String>,
    /// Client ids at Google, with commas between: whoever has an ID token for one may sign in [default: none]
    #[arg(long, env, value_name = "IDS", hide_env_values = true)]
    pub google_client_id: Option<String>,
    /// Other issuers whose tokens are believed: JSON, or a file with it; deploy/README.md has an example [default: none]
    #[arg(long, env, value_name = "JSON", hide_env_values = true)]
    pub oidc_issuers: Option<String>,
    /// File with `BACKEND_SECRET_KEY`: an API key that makes the first accounts and keys, and starts rounds; 32 bytes or more
    #[arg(long, env, value_name = "FILE", hide_env_values = true)]
    pub backend_secret_key_file: Option<String>,
    /// Memory that looking at a password takes, in KiB [default: 19456]
    #[arg(long, env, value_name = "N", hide_env_values = true)]
    pub password_memory_kib: Option<String>,
    /// Passes over that memory [default: 2]
    #[arg(long, env, value_name = "N", hide_env_values = true)]
    pub password_passes: Option<String>,
    /// Passwords that a process looks at at once; others wait [default: 2]
    #[arg(long, env, value_name = "N", hide_env_values = true)]
    pub passwords_at_once: Option<String>,
    /// Whom `chorus seed --dev` makes an admin.
    // rustdoc would take an address in brackets for a link to an item.
    #[arg(
        long,
        env,
        value_name = "EMAIL",
        hide_env_values = true,
        help = "Whom `chorus seed --dev` makes an admin [default: admin@localhost]"
    )]
    pub seed_admin_email: Option<String>,
    /// File with `SEED_ADMIN_PASSWORD`: the password of that admin; without it there is none
    #[arg(long, env, value_name = "FILE", hide_env_values = true)]
    pub seed_admin_password_file: Option<String>,

    /// `BACKEND_SECRET_KEY`.
    #[arg(skip)]
    pub backend_secret_key: Option<String>,
    /// `SEED_ADMIN_PASSWORD`.
    #[arg(skip)]
    pub seed_admin_password: Option<String>,
}

impl SignInGiven {
    /// Adds the secrets, which only the environment tells.
    pub(super) fn with_environment(&mut self) {
        self.backend_secret_key = std::env::var("BACKEND_SECRET_KEY").ok();
        self.seed_admin_password = std::env::var("SEED_ADMIN_PASSWORD").ok();
    }
}

impl Reader {
    pub(super) fn sign_in(&mut self, given: &SignInGiven, app_env: AppEnv) -> SignIn {
        let usual = SignIn::default();
        let plain_http = app_env == AppEnv::Test;
        let mut issuers = self.google(given.google_client_id.as_deref());
        issuers.extend(self.issuers(given.oidc_issuers.as_deref(), plain_http));
        SignIn {
            access_life: self.whole_seconds(
                "JWT_ACCESS_TTL",
                given.jwt_access_ttl.as_deref(),
                usual.access_life,
                60..=DAY_S,
            ),
            refresh_life: self.whole_seconds(
                "JWT_REFRESH_TTL",
                given.jwt_refresh_ttl.as_deref(),
                usual.refresh_life,
                60..=365 * DAY_S,
            ),
            issuers,
            plain_http,
            cost: self.cost(given, usual.cost),
            bootstrap_key: self.signing(
                "BACKEND_SECRET_KEY",
                given.backend_secret_key.as_deref(),
                given.backend_secret_key_file.as_deref(),
                false,
            ),
            seed_email: text(given.seed_admin_email.as_deref())
                .map_or(usual.seed_email, str::to_owned),
            seed_password: self.secret(
                "SEED_ADMIN_PASSWORD",
                given.seed_admin_password.as_deref(),
                given.seed_admin_password_file.as_deref(),
            ),
        }
    }

    fn cost(&mut self, given: &SignInGiven, usual: PasswordCost) -> PasswordCost {
        PasswordCost {
            memory_kib: self.number(
                "PASSWORD_MEMORY_KIB",
                given.password_memory_kib.as_deref(),
                usual.memory_kib,
                64..=1_048_576,
            ),
            passes: self.number(
                "PASSWORD_PASSES",
                given.password_passes.as_deref(),
                usual.passes,
                1..=16,
            ),
            at_once: self.number(
                "PASSWORDS_AT_ONCE",
                given.passwords_at_once.as_deref(),
                usual.at_once,
                1..=64,
            ),
        }
    }

    fn whole_seconds(
        &mut self,
        name: &str,
        given: Option<&str>,
        default: Duration,
        range: std::ops::RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_secs(self.number(name, given, default.as_secs(), range))
    }
}
