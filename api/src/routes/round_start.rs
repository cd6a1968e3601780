//! Starting a round: by `POST /topic-rounds`, and by the address that an older script knows.

use crate::asked::Asked;
use crate::auth::{By, Staff};
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::jobs::answer;
use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::topics::POOL;
use domain::topics::rounds::{CLUSTER_SIZE_MAX, CLUSTER_SIZE_MIN, Params, TOPICS_MAX, Trigger};
use domain::topics::store::rounds::{self, NewRound};
use saga_core::db::Tx;
use saga_core::store::Started;
use saga_core::ticket::Ticket;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// How the command line of this program names itself.
const CLI: &str = "chorus/";

/// A round to start.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTopicRound)]
pub(crate) struct Wish {
    /// Whether a curator looks at the clusters before topics are made; not, unless said otherwise.
    require_review: Option<bool>,
    /// The fewest ideas that make a cluster, 3 unless said otherwise.
    #[schema(minimum = 2, maximum = 1000)]
    min_cluster_size: Option<i64>,
    /// The most topics, 3 unless said otherwise.
    #[schema(minimum = 1, maximum = 10)]
    max_topics: Option<i64>,
}

impl Wish {
    fn checked(&self) -> Result<Params, Problem> {
        let usual = Params::default();
        let params = Params {
            require_review: self.require_review.unwrap_or(usual.require_review),
            min_cluster_size: self.min_cluster_size.unwrap_or(usual.min_cluster_size),
            max_topics: self.max_topics.unwrap_or(usual.max_topics),
        };
        let bounds = [
            (
                "/min_cluster_size",
                params.min_cluster_size,
                CLUSTER_SIZE_MIN..=CLUSTER_SIZE_MAX,
            ),
            ("/max_topics", params.max_topics, 1..=TOPICS_MAX),
        ];
        let outside = bounds
            .into_iter()
            .filter(|(_, given, range)| !range.contains(given));
        let errors: Vec<FieldProblem> = outside
            .map(|(at, _, range)| outside_of(at, &range))
            .collect();
        if errors.is_empty() {
            Ok(params)
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

fn outside_of(pointer: &str, range: &RangeInclusive<i64>) -> FieldProblem {
    FieldProblem {
        pointer: pointer.to_owned(),
        code: "out_of_range".into(),
        detail: format!(
            "Send a whole number from {} to {}.",
            range.start(),
            range.end()
        ),
    }
}

/// Starts a round of the pool, unless one is open.
pub(crate) async fn create(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Wish>,
) -> Result<Response, Problem> {
    let params = value.checked()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    let earlier = command.claim(&mut tx).await?;
    let job = if let Some(earlier) = &earlier {
        drop(tx);
        earlier
            .job
            .ok_or_else(|| Problem::internal(&"a kept start of a round names no job"))?
    } else {
        let (started, tickets) = start(&state, &mut tx, &caller, params, &asked).await?;
        if !started.new {
            return Err(in_progress(started.id));
        }
        command.keep(&mut tx, &Given::of_job(started.id)).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        state.client().publish(tickets);
        started.id
    };
    let seen = state.jobs().fresh(job).await?;
    let mut seen = seen.ok_or_else(|| Problem::no_job("job"))?;
    if let Some(wait) = asked.wait {
        seen = state.jobs().wait(seen, wait).await;
    }
    let response = answer::to_command(&seen, asked.wait);
    Ok(match earlier {
        Some(earlier) => earlier.mark(response),
        None => response,
    })
}

fn in_progress(round: Uuid) -> Problem {
    let how =
        "A round is open, and there is one at a time; follow `job`, or wait until it is over.";
    Problem::new(Code::RoundInProgress, how)
        .with("round_id", round.to_string())
        .with("job", job(round))
}

fn job(round: Uuid) -> String {
    format!("/api/v1/jobs/{round}")
}

/// What the older script reads.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = GenerationRound)]
pub(crate) struct Kept {
    /// `success`.
    status: &'static str,
    message: &'static str,
    round_id: Uuid,
    /// The address of the round's job.
    job: String,
}

/// Starts a round with what rounds usually have, or tells of the one that is open.
pub(crate) async fn kept(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
) -> Result<Response, Problem> {
    match caller.by() {
        By::Key(_) | By::Bootstrap => {}
        By::Session(_) | By::Issuer => {
            let how = "Send an API key in X-API-Key; this address takes nothing else.";
            return Err(Problem::new(Code::MissingCredentials, how));
        }
    }
    let command = Command::of(&state, &caller.account().to_string(), &asked, b"")?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let (started, tickets) = start(&state, &mut tx, &caller, Params::default(), &asked).await?;
    let message = if started.new {
        "The round has begun."
    } else {
        "A round is open already; this is it."
    };
    let told = Kept {
        status: "success",
        message,
        round_id: started.id,
        job: job(started.id),
    };
    let given = Given::telling(StatusCode::OK, &told)?;
    if started.new {
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        state.client().publish(tickets);
    } else {
        drop(tx); // nothing was done, and what is told of it stays as it is told now
        command.keep_after(&state, &given).await?;
    }
    Ok(given.into_response())
}

async fn start(
    state: &State,
    tx: &mut Tx,
    caller: &Staff,
    params: Params,
    asked: &Asked,
) -> Result<(Started, Vec<Ticket>), Problem> {
    if let Some(account) = caller.own_account() {
        super::erase::staying(state, account).await?;
    }
    let trigger = if asked.user_agent.starts_with(CLI) {
        Trigger::Cli
    } else {
        Trigger::Api
    };
    let new = NewRound {
        id: Uuid::now_v7(),
        pool: POOL.to_owned(),
        trigger,
        params,
        started_by: caller.own_account(),
    };
    Ok(rounds::start(tx, state.client(), new, &asked.request_id).await?)
}
