//! How long what is over is kept.

use super::reader::Reader;
use clap::Args;
use saga_core::store::Keep;
use serde::Serialize;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const DAYS_MAX: u32 = 36_500;

/// How long what is over is kept, as it was given.
#[derive(Args, Clone, Default, Serialize)]
#[command(next_help_heading = "Settings of retention, in days; 0 keeps for ever")]
pub struct RetentionGiven {
    /// Jobs, from their end: they are not found any more, what they made stays [default: 30]
    #[arg(long, env, value_name = "DAYS", hide_env_values = true)]
    pub retention_days: Option<String>,
    /// Letters, from the decision about them; a job stays as long as its letters [default: 90]
    #[arg(long, env, value_name = "DAYS", hide_env_values = true)]
    pub letter_retention_days: Option<String>,
    /// What models said to jobs that have ended, from the call [default: 7]
    #[arg(long, env, value_name = "DAYS", hide_env_values = true)]
    pub answer_retention_days: Option<String>,
    /// Paid calls, from the call and longer than their jobs; answers go with the job [default: 400]
    #[arg(long, env, value_name = "DAYS", hide_env_values = true)]
    pub ledger_retention_days: Option<String>,
    /// Who decided what, when and why [default: 400]
    #[arg(long, env, value_name = "DAYS", hide_env_values = true)]
    pub audit_retention_days: Option<String>,
}

impl Reader {
    pub(super) fn retention(&mut self, given: &RetentionGiven) -> Keep {
        Keep {
            sagas: self.days("RETENTION_DAYS", given.retention_days.as_deref(), 30),
            letters: self.days(
                "LETTER_RETENTION_DAYS",
                given.letter_retention_days.as_deref(),
                90,
            ),
            answers: self.days(
                "ANSWER_RETENTION_DAYS",
                given.answer_retention_days.as_deref(),
                7,
            ),
            effects: self.days(
                "LEDGER_RETENTION_DAYS",
                given.ledger_retention_days.as_deref(),
                400,
            ),
            audit: self.days(
                "AUDIT_RETENTION_DAYS",
                given.audit_retention_days.as_deref(),
                400,
            ),
        }
    }

    fn days(&mut self, name: &str, given: Option<&str>, default: u32) -> Option<Duration> {
        match self.number(name, given, default, 0..=DAYS_MAX) {
            0 => None,
            days => Some(DAY * days),
        }
    }
}
