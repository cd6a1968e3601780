//! What can be typed after `chorus`. Help shows examples first.

use crate::accounts::AccountsCommand;
use crate::ai_requests::AiRequestsCommand;
use crate::api_keys::KeysCommand;
use crate::audit::AuditCommand;
use crate::costs::CostsArguments;
use crate::demo::Show;
use crate::jobs::JobsCommand;
use crate::kinds::KindsArguments;
use crate::letters::LettersCommand;
use crate::limits::LimitsArguments;
use crate::queues::QueuesArguments;
use crate::replays::ReplaysCommand;
use crate::rounds::RoundsCommand;
use crate::sagas::SagasCommand;
use crate::topics::TopicsCommand;
use crate::workers::WorkersArguments;
use clap::{Args, Parser, Subcommand, ValueEnum};
use process::settings::{Given, Role};
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  chorus                                    everything in one process; no settings, no keys needed
  chorus demo                               three friends' answers become a persona, here and now
  chorus jobs list                          what is being done on the server
  chorus jobs watch JOB                     one job, step by step, as it happens
  chorus dead-letters replay LETTER         a step that gave up, once more
";
const DEV: &str = "Examples:
  chorus                                    on port 8000, with data in chorus-data/
  chorus --port 9000 --data-dir other      elsewhere
  OPENAI_API_KEY=… chorus                   with models of your provider
";
const DEMO: &str = "Examples:
  chorus demo                               with answers that come along
  chorus demo topics                        thirty-nine ideas of a neighbourhood become discussions
  chorus demo --answers nora.json           with your friends' answers:
    {\"friends\": [{\"answers\": {\"c1\": 4, \"c2\": 3, …, \"w1\": \"loyal, funny, stubborn\"}}, …]}
";
const WORKER: &str = "Examples:
  chorus worker synthesis                   the same as the binary synthesis-worker
  chorus worker image --concurrency 4
";
const MIGRATE: &str = "Examples:
  chorus migrate --dry-run                  which migrations the database lacks
  chorus migrate                            do them
";
const TOKEN: &str = "Examples:
  export CHORUS_TOKEN=$(chorus token --email ana@example.org --name Ana)
  chorus token --email ops@example.org --role operator --role member
";
const SEED: &str = "Examples:
  chorus seed --dev                         one account a role: member@localhost, operator@localhost, …
  SEED_ADMIN_PASSWORD=… chorus seed --dev   with a password for the admin
";
const ACCOUNTS: &str = "Examples:
  chorus accounts list --email ana@example.org
  chorus accounts create ana@example.org --role member --role curator --password-file -
  chorus accounts roles ana@example.org --role operator --reason \"on call\"
  chorus accounts disable ana@example.org   its tokens and keys open nothing any more; enable

The first ones are made with a token of `chorus token --role admin`, or with CHORUS_API_KEY=$BACKEND_SECRET_KEY.
";
const API_KEYS: &str = "Examples:
  chorus api-keys create nightly --scope rounds:start --account bot@example.org
  chorus api-keys list
  chorus api-keys revoke KEY --reason \"it leaked\"
";
const JOBS: &str = "Examples:
  chorus jobs submit demo.pair --wait       start one, and see how it ends
  chorus jobs watch JOB
  chorus jobs list --status running --json

The server is CHORUS_URL (default: the one that `chorus` runs here, else http://127.0.0.1:8000),
the token CHORUS_TOKEN (default: the one in the data folder).
Exit codes: 0 ok, 1 the job failed, 2 usage, 3 the server does not answer, 4 not authorised.
";
const LETTERS: &str = "Examples:
  chorus dead-letters list                  what gave up and waits for somebody; --text, --kind, --group
  chorus dead-letters groups                the same by trouble: which ones are alike?
  chorus dead-letters replay LETTER --reason \"the provider is back\"
  chorus dead-letters replay LETTER --edit '{\"mode\": \"fated\"}' --dry-run
  chorus dead-letters skip LETTER --output '\"yes\"' --reason \"done by hand\"
  chorus dead-letters discard LETTER        give it up for good: what was done is undone
  chorus dead-letters restore LETTER        take it up again, within 30 days, as a new job
  chorus dead-letters note GROUP \"ticket 4711 with the provider\"
";
const REPLAYS: &str = "Examples:
  chorus replays start --group GROUP --dry-run         what would run again, and what is kept?
  chorus replays start --group GROUP --rate 5 --watch  one tried first, then five a second
  chorus replays pause REPLAY                          and resume, and stop
";
const WORKERS: &str = "Examples:
  chorus workers                            who works, and at how much
  chorus workers drain WORKER --reason \"a new kernel\"   ask one to leave; it finishes what it has
";
const QUEUES: &str = "Examples:
  chorus queues                             what waits, who works it off, how fast
  chorus queues pause image --reason \"the provider is down\"
  chorus queues resume image
";
const KINDS: &str = "Examples:
  chorus kinds                              what is under way of each kind, and what is switched off
  chorus kinds pause persona.forge --reason \"the provider is down\" --dry-run
  chorus kinds drain persona.forge --reason \"a new version comes\"
  chorus kinds resume persona.forge
";
const SAGAS: &str = "Examples:
  chorus sagas list --state live --older-than 10m      what is under way, and should it still be?
  chorus sagas list --text timeout --kind persona.forge
  chorus sagas show SAGA                    every step, attempt, error, letter and paid call
  chorus sagas cancel SAGA --reason \"a duplicate\"
  chorus sagas pause SAGA --reason \"the owner called\"  and resume
  chorus sagas retry-step SAGA              now, not at its next attempt
  chorus sagas skip-step SAGA --reason \"not needed\" --dry-run
";
const WHY: &str = "Examples:
  chorus why SAGA                           what it waits for, and what to do about it
  chorus why SAGA --json                    one JSON object a line
";
const AUDIT: &str = "Examples:
  chorus audit list                         who decided what, newest first
  chorus audit list --verb letter.discard --since 2026-01-31T00:00:00Z
";
const AI_REQUESTS: &str = "Examples:
  chorus ai-requests list                   which models were called, for what, at what cost
  chorus ai-requests list --status failed --model gpt-4o --json
";
const COSTS: &str = "Examples:
  chorus costs                              what each of the last 30 days cost
  chorus costs --by account --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z
";
const LIMITS: &str = "Examples:
  chorus limits                             the most that may be spent, and what is spent today
  chorus limits set --all 20 --account 0.50 --reason \"a trial\"
  chorus limits set --all default           as the settings say
  chorus limits kind persona.forge --running 4 --per-minute 60 --reason \"their new terms\"
  chorus limits kind persona.forge --running none
";
const HEALTHCHECK: &str = "Examples:
  chorus healthcheck                        does the process here live?
  chorus healthcheck --ready                may it be given work?
";

const DOCTOR: &str = "Examples:
  chorus doctor                             with the settings of the deployment: is all well, what is to be done?
  chorus doctor --json --url https://chorus.example.org
";

/// Many people's input becomes one AI-made artefact: durable sagas, an HTTP API, workers.
#[derive(Parser)]
#[command(name = "chorus", version, before_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process (the default)
    #[command(before_help = DEV)]
    Dev {
        #[command(flatten)]
        given: Given,
    },
    /// Show the main job from end to end, on a store that is gone afterwards
    #[command(before_help = DEMO)]
    Demo {
        /// What is shown
        #[arg(value_enum, default_value = "persona")]
        what: Show,
        /// Friends' answers, as JSON
        #[arg(long, value_name = "FILE")]
        answers: Option<PathBuf>,
    },
    /// Serve the HTTP API alone
    Api {
        #[command(flatten)]
        given: Given,
    },
    /// Do the steps of one queue
    #[command(before_help = WORKER)]
    Worker {
        queue: QueueName,
        #[command(flatten)]
        given: WorkerGiven,
    },
    /// Bring the database's tables up to date
    #[command(before_help = MIGRATE)]
    Migrate {
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        given: Given,
    },
    /// Make a bearer token for somebody
    #[command(before_help = TOKEN)]
    Token {
        #[command(flatten)]
        token: crate::token::TokenArguments,
        #[command(flatten)]
        given: Given,
    },
    /// Make an account for each role, to develop with
    #[command(before_help = SEED)]
    Seed {
        #[command(flatten)]
        seed: crate::seed::SeedArguments,
        #[command(flatten)]
        given: Given,
    },
    /// List, make and change accounts, and what they may do
    #[command(before_help = ACCOUNTS)]
    Accounts {
        #[command(subcommand)]
        command: AccountsCommand,
    },
    /// List, make and revoke keys of machines
    #[command(before_help = API_KEYS)]
    ApiKeys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Submit, list, watch and cancel jobs on a server
    #[command(before_help = JOBS)]
    Jobs {
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// Start a round that makes topics of ideas, or look at one
    #[command(before_help = crate::rounds::EXAMPLES, visible_alias = "round")]
    Rounds {
        #[command(subcommand)]
        command: RoundsCommand,
    },
    /// List the topics that ideas became, show one, take one back
    #[command(before_help = crate::topics::EXAMPLES)]
    Topics {
        #[command(subcommand)]
        command: TopicsCommand,
    },
    /// Judge steps that gave up
    #[command(before_help = LETTERS)]
    DeadLetters {
        #[command(subcommand)]
        command: LettersCommand,
    },
    /// Replay many dead letters as one operation
    #[command(before_help = REPLAYS)]
    Replays {
        #[command(subcommand)]
        command: ReplaysCommand,
    },
    /// List the workers, or ask one to leave
    #[command(before_help = WORKERS)]
    Workers(WorkersArguments),
    /// List the queues, pause one, resume it
    #[command(before_help = QUEUES)]
    Queues(QueuesArguments),
    /// List the kinds of sagas, pause one, drain it, resume it
    #[command(before_help = KINDS)]
    Kinds(KindsArguments),
    /// Search, show and steer sagas, whoever's they are
    #[command(before_help = SAGAS)]
    Sagas {
        #[command(subcommand)]
        command: SagasCommand,
    },
    /// Say why a saga is where it is, and what to do about it
    #[command(before_help = WHY)]
    Why {
        saga: uuid::Uuid,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Read who decided what, when and why
    #[command(before_help = AUDIT)]
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Read which models were called, for what, at what cost
    #[command(before_help = AI_REQUESTS)]
    AiRequests {
        #[command(subcommand)]
        command: AiRequestsCommand,
    },
    /// Look at a running deployment from here, and say what to do about it
    #[command(before_help = DOCTOR)]
    Doctor {
        /// Where the API is [default: `CHORUS_URL`, else the one that runs here, else `PUBLIC_BASE_URL`]
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        given: Given,
    },
    /// Tell what calls of models cost, by day, kind, model or account
    #[command(before_help = COSTS)]
    Costs(CostsArguments),
    /// Tell what may be spent on models, and how much of a kind may run, or set it
    #[command(before_help = LIMITS)]
    Limits(LimitsArguments),
    /// Ask the process on this machine how it is; for containers
    #[command(before_help = HEALTHCHECK)]
    Healthcheck {
        /// Whether it may be given work, not only whether it lives
        #[arg(long)]
        ready: bool,
        /// Where it is [default: this machine, on `WORKER_PORT`, else on PORT, else on 8000]
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Print the OpenAPI document of the API, without a server
    Openapi,
    /// Look at the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting, where it comes from, and everything that is wrong
    Check {
        /// For which process
        #[arg(long = "for", value_enum, default_value_t = RoleName::Api)]
        role: RoleName,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        given: Box<Given>,
    },
    /// Print a file of all settings with their defaults, as `.env.example` is
    Example,
}

/// A process that has settings.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RoleName {
    Api,
    Worker,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Api => Self::Api,
            RoleName::Worker => Self::Worker,
        }
    }
}

/// A queue of the fleet.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum QueueName {
    Synthesis,
    Image,
    Delivery,
}

impl QueueName {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Synthesis => "synthesis",
            Self::Image => "image",
            Self::Delivery => "delivery",
        }
    }
}

/// The settings of a worker, with a short name for the one that is set most.
#[derive(Args)]
pub(crate) struct WorkerGiven {
    /// Short for --worker-concurrency
    #[arg(long, value_name = "N", conflicts_with = "worker_concurrency")]
    concurrency: Option<String>,
    #[command(flatten)]
    given: Given,
}

impl WorkerGiven {
    pub(crate) fn given(self) -> Given {
        Given {
            worker_concurrency: self.concurrency.or(self.given.worker_concurrency),
            ..self.given
        }
    }
}
