//! `/topic-rounds`: what became of the pool, for those who host it.

use super::topics::Told as TopicTold;
use crate::auth::Staff;
use crate::etag;
use crate::jobs::Job;
use crate::page::{self, Page, Paging};
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::topics::rounds::{RoundState, Trigger};
use domain::topics::store::rounds::{self, Round};
use domain::topics::store::topics;
use saga_core::run::Run;
use serde::Serialize;
use uuid::Uuid;

/// How many ideas and topics a round has to do with.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RoundCounts)]
pub(crate) struct Counts {
    /// Ideas that it took up.
    claimed: i64,
    clusters: i64,
    /// Ideas in no cluster.
    noise: i64,
    /// Topics made.
    published: i64,
    /// Ideas that are live again.
    released: i64,
}

/// A round.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TopicRound)]
pub(crate) struct Told {
    id: Uuid,
    state: RoundState,
    trigger: Trigger,
    require_review: bool,
    min_cluster_size: i64,
    max_topics: i64,
    counts: Counts,
    /// Why it made nothing, where it is empty.
    note: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    /// The job that it is.
    job: String,
}

impl From<Round> for Told {
    fn from(round: Round) -> Self {
        let (params, counts) = (round.params, round.counts);
        Self {
            id: round.id,
            state: round.state,
            trigger: round.trigger,
            require_review: params.require_review,
            min_cluster_size: params.min_cluster_size,
            max_topics: params.max_topics,
            counts: Counts {
                claimed: counts.claimed,
                clusters: counts.clusters,
                noise: counts.noise,
                published: counts.published,
                released: counts.released,
            },
            note: round.note,
            created_at: round.created_at,
            finished_at: round.finished_at,
            job: format!("/api/v1/jobs/{}", round.id),
        }
    }
}

/// A round, the jobs that it began, and the topics that it has made so far.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TopicRoundInFull)]
pub(crate) struct Full {
    #[serde(flatten)]
    round: Told,
    /// The drafts of its topics, as long as jobs are kept.
    jobs: Vec<Job>,
    /// That of most ideas first.
    topics: Vec<TopicTold>,
}

/// Lists rounds, newest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(paging.limit)?;
    let before: Option<Uuid> = page::read(paging.cursor.as_deref())?;
    let found = rounds::list(state.db(), before, limit + 1).await?;
    let told = found.into_iter().map(Told::from).collect();
    Ok(axum::Json(Page::cut(told, limit, |round: &Told| round.id)))
}

/// Shows a round, the jobs that it began, and the topics that it has made so far.
pub(crate) async fn show(
    _: Staff,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let round = found(&state, id).await?;
    let made = topics::of_round(state.db(), id).await?;
    let runs = state.store().view(&[id]).await?;
    let children = runs.get(&id).into_iter().flat_map(Run::children);
    let children: Vec<Uuid> = children.collect();
    let mut jobs = state.jobs().envelopes(&children).await?;
    let full = Full {
        round: round.into(),
        jobs: children.iter().filter_map(|id| jobs.remove(id)).collect(),
        topics: made
            .into_iter()
            .map(|topic| TopicTold::of(&state, topic))
            .collect(),
    };
    etag::telling(&headers, &full, "private, max-age=1")
}

/// A round, if there is one.
pub(super) async fn found(state: &State, id: Uuid) -> Result<Round, Problem> {
    let round = rounds::find(state.db(), id).await?;
    round.ok_or_else(|| Problem::not_found("round"))
}
