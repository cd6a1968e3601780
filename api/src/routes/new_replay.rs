//! What is asked for when a replay begins: which letters, how many, how fast.

use super::dead_letters::words;
use crate::problem::{FieldProblem, Problem};
use saga_core::store::{LetterFilter, NewReplay};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const LIMIT_DEFAULT: i64 = 1_000;
const LIMIT_MAX: i64 = 10_000;
const RATE_DEFAULT: f64 = 2.0;
const RATE_MIN: f64 = 0.01;
const RATE_MAX: f64 = 100.0;
const CANARY_DEFAULT: i64 = 1;
const CANARY_MAX: i64 = 100;
const RATIO_DEFAULT: f64 = 0.5;

/// Which letters: those that fit everything that is said.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterSelection)]
pub(super) struct Select {
    /// Alike in kind, step, class and message.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Of jobs of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Of this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// Of this queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    /// That failed in this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    /// Of this job.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<Uuid>,
    /// Every open letter: has to be said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all: bool,
}

impl Select {
    fn filter(&self) -> LetterFilter {
        LetterFilter {
            kind: self.kind.clone(),
            step: self.step.clone(),
            queue: self.queue.clone(),
            class: self.class.clone(),
            fingerprint: self.group.clone(),
            saga_id: self.job,
            ..LetterFilter::default()
        }
    }

    fn says_nothing(&self) -> bool {
        let words = [
            &self.group,
            &self.kind,
            &self.step,
            &self.queue,
            &self.class,
        ];
        words.iter().all(|word| word.is_none()) && self.job.is_none()
    }
}

/// Where the sagas go on.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReplayFrom)]
pub(crate) enum GoOn {
    /// At the step that failed: finished steps and paid calls are kept.
    #[default]
    FailedStep,
    /// At the start, as new sagas from the stored inputs; the old ones are undone.
    Start,
}

/// A replay to begin.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReplay)]
pub(crate) struct Begin {
    select: Select,
    /// Where they go on; `failed_step` unless said otherwise.
    #[serde(default)]
    from: GoOn,
    /// At most so many letters; 1000 unless said otherwise.
    #[schema(minimum = 1, maximum = 10000)]
    limit: Option<i64>,
    /// So many a second; 2 unless said otherwise.
    #[schema(minimum = 0.01, maximum = 100)]
    rate_per_s: Option<f64>,
    /// So many are tried first; 1 unless said otherwise.
    #[schema(minimum = 0, maximum = 100)]
    canary: Option<i64>,
    /// Stops by itself when more than this part of them failed again; 0.5 unless said otherwise.
    #[schema(minimum = 0, maximum = 1)]
    stop_if_failure_ratio: Option<f64>,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Only tells what would come of it.
    #[serde(default)]
    pub(super) dry_run: bool,
}

impl Begin {
    pub(super) fn checked(&self, by: String) -> Result<NewReplay, Problem> {
        let mut wrong = vec![];
        let mut within = |pointer: &str, fits: bool, how: String| {
            if !fits {
                wrong.push(FieldProblem {
                    pointer: pointer.to_owned(),
                    code: "out_of_range".into(),
                    detail: how,
                });
            }
        };
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        let fits = (1..=LIMIT_MAX).contains(&limit);
        within("/limit", fits, format!("Take 1 to {LIMIT_MAX} letters."));
        let rate = self.rate_per_s.unwrap_or(RATE_DEFAULT);
        let how = format!("Replay {RATE_MIN} to {RATE_MAX} letters a second.");
        within("/rate_per_s", (RATE_MIN..=RATE_MAX).contains(&rate), how);
        let canary = self.canary.unwrap_or(CANARY_DEFAULT);
        let how = format!("Try 0 to {CANARY_MAX} letters first.");
        within("/canary", (0..=CANARY_MAX).contains(&canary), how);
        let ratio = self.stop_if_failure_ratio.unwrap_or(RATIO_DEFAULT);
        let how = "Say a part between 0 and 1.".to_owned();
        within("/stop_if_failure_ratio", (0.0..=1.0).contains(&ratio), how);
        if self.select.says_nothing() != self.select.all {
            wrong.push(FieldProblem {
                pointer: "/select".to_owned(),
                code: "ambiguous".into(),
                detail: "Say which letters (group, kind, step, queue, class, job), or {\"all\": true} and nothing else."
                    .to_owned(),
            });
        }
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        Ok(NewReplay {
            id: Uuid::now_v7(),
            select: self.select.filter(),
            selection: json!(self.select),
            from_start: self.from == GoOn::Start,
            limit,
            pause: Duration::from_secs_f64(1.0 / rate),
            tried_first: canary,
            failure_ratio_max: ratio,
            by,
            reason: words(self.reason.as_deref(), self.note.as_deref())?,
        })
    }
}
