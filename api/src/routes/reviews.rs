//! `/reviews`: what sagas ask people to decide, in one shape for all of them.

use crate::auth::Signed;
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, Utc};
use domain::accounts::permissions::{DECIDES_ALL, DECIDING, Reach};
use saga_core::store::{ReviewFilter, ReviewRow};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that a job asks people to decide.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Review {
    id: Uuid,
    status: Status,
    subject: Subject,
    /// For people, in a line.
    title: String,
    /// The job that asks, and waits.
    job_id: Uuid,
    /// That job's kind.
    kind: String,
    /// Where in its course the job stands.
    point: String,
    /// How often it was made again already.
    revision: i64,
    /// How often it may be sent back still.
    revisions_left: i64,
    /// The account that decides; null where all do who hold the permission.
    decider_id: Option<Uuid>,
    /// Whoever holds it may decide.
    permission: String,
    /// Whose job asks.
    requested_by: Option<Uuid>,
    /// Whether that account has to leave it to somebody else.
    four_eyes: bool,
    /// Whether you may decide it, were it pending.
    may_decide: bool,
    /// What it comes to if nobody decides in time: `approve`, `reject` or `fail`.
    on_expiry: String,
    expires_at: DateTime<Utc>,
    /// Why it was decided so, or what is to be changed.
    notes: Option<String>,
    /// Who decided; only for those who may decide, too.
    decided_by: Option<String>,
    /// When it was decided, expired or closed.
    decided_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    links: Links,
}

/// What a review is about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReviewSubject)]
struct Subject {
    kind: String,
    id: String,
}

/// Where to go from a review.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReviewLinks)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    approve: String,
    revise: String,
    reject: String,
    job: String,
}

/// Where a review is. `closed` is one whose job no longer asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReviewStatus)]
pub(crate) enum Status {
    Pending,
    Approved,
    ChangesRequested,
    Rejected,
    Expired,
    Closed,
}

impl Status {
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Approved,
        Self::ChangesRequested,
        Self::Rejected,
        Self::Expired,
        Self::Closed,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::ChangesRequested => "changes_requested",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those where they are now.
    #[param(inline)]
    status: Option<Status>,
    /// Only those about this noun: `topic_round`.
    subject_kind: Option<String>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a caller has to do with a review.
pub(super) struct Standing {
    /// May decide it.
    pub(super) decides: bool,
    /// May know of it.
    sees: bool,
}

impl Standing {
    pub(super) fn of(caller: &Signed, review: &ReviewRow) -> Self {
        let holds = |permission: &str| caller.reach(permission) == Some(Reach::All);
        let me = caller.own_account();
        let asked = me.is_some() && review.requested_by == me;
        let chosen = me.is_some() && review.decider_id == me;
        let able = chosen || holds(&review.permission) || holds(DECIDES_ALL);
        let own = review.four_eyes && asked && !caller.is_admin();
        Self {
            decides: able && !own,
            sees: able || asked,
        }
    }
}

impl Review {
    pub(super) fn of(caller: &Signed, review: ReviewRow) -> Self {
        let may_decide = Standing::of(caller, &review).decides;
        let status = Status::ALL.into_iter();
        let status = status.clone().find(|one| one.as_str() == review.state);
        let this = format!("/api/v1/reviews/{}", review.id);
        Self {
            id: review.id,
            status: status.unwrap_or(Status::Closed),
            subject: Subject {
                kind: review.subject_kind,
                id: review.subject_id,
            },
            title: review.title,
            job_id: review.saga_id,
            kind: review.kind,
            point: review.point,
            revision: review.revision,
            revisions_left: review.rounds_left,
            decider_id: review.decider_id,
            permission: review.permission,
            requested_by: review.requested_by,
            four_eyes: review.four_eyes,
            may_decide,
            on_expiry: review.on_expiry,
            expires_at: review.expires_at,
            notes: review.notes,
            decided_by: review.decided_by.filter(|_| may_decide),
            decided_at: review.decided_at,
            created_at: review.created_at,
            links: Links {
                approve: format!("{this}/approve"),
                revise: format!("{this}/revise"),
                reject: format!("{this}/reject"),
                job: format!("/api/v1/jobs/{}", review.saga_id),
                this,
            },
        }
    }
}

/// Lists the reviews that the caller may decide or asked for, newest first.
pub(crate) async fn list(
    caller: Signed,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Review>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let holds = |permission: &&str| caller.reach(permission) == Some(Reach::All);
    let all = holds(&DECIDES_ALL);
    let wanted = ReviewFilter {
        state: filter.status.map(|status| status.as_str().to_owned()),
        subject_kind: filter.subject_kind,
        account: (!all).then(|| caller.account()),
        permissions: DECIDING
            .iter()
            .copied()
            .filter(holds)
            .map(str::to_owned)
            .collect(),
        before: page::read(filter.cursor.as_deref())?,
        limit: limit + 1,
    };
    let found = state.store().reviews(&wanted).await?;
    let told = found.into_iter().map(|review| Review::of(&caller, review));
    let place = |review: &Review| (review.created_at, review.id);
    Ok(axum::Json(Page::cut(told.collect(), limit, place)))
}

/// Tells one review.
pub(crate) async fn show(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
) -> Result<axum::Json<Review>, Problem> {
    let review = find(&caller, &state, id).await?;
    Ok(axum::Json(Review::of(&caller, review)))
}

/// A review that the caller may know of.
pub(super) async fn find(caller: &Signed, state: &State, id: Uuid) -> Result<ReviewRow, Problem> {
    let review = state.store().review(id).await?;
    let review = review.filter(|review| Standing::of(caller, review).sees);
    review.ok_or_else(|| Problem::not_found("review"))
}
