//! `/topic-rounds/{id}/clusters`: what a curator looks at before topics are made: texts, and nobody's names.

use super::topic_rounds::found;
use super::words::{Limits, checked};
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::etag;
use crate::params::{Id, Part};
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::topics::rounds::{TITLE_HINT_MAX, title_hint};
use domain::topics::store::clusters::{self, Change, Cluster, Decided, Decision};
use domain::topics::store::ideas;
use saga_core::store::audit::{self, Entry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A cluster of ideas that are alike.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TopicCluster)]
pub(crate) struct Told {
    id: Uuid,
    /// From 0, largest first.
    label: i64,
    /// How many ideas are in it.
    size: i64,
    /// Words that tell it from the others, best first.
    keywords: Vec<String>,
    /// Ideas that stand for it, best first; those that the round does not hold any more are left out.
    samples: Vec<String>,
    decision: Decision,
    /// What its topic might be called.
    title_hint: Option<String>,
}

impl Told {
    fn of(cluster: Cluster, texts: &BTreeMap<Uuid, String>) -> Self {
        let text = |id: &Uuid| texts.get(id).cloned();
        Self {
            samples: cluster.samples.iter().filter_map(text).collect(),
            id: cluster.id,
            label: cluster.label,
            size: cluster.size,
            keywords: cluster.keywords,
            decision: cluster.decision,
            title_hint: cluster.title_hint,
        }
    }
}

/// The clusters of a round.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TopicClusters)]
pub(crate) struct All {
    /// Largest first.
    items: Vec<Told>,
}

/// Lists the clusters of a round, largest first.
pub(crate) async fn list(
    _: Staff,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let round = found(&state, id).await?;
    let all = clusters::of_round(state.db(), round.id).await?;
    let samples: Vec<Uuid> = all.iter().flat_map(|one| one.samples.clone()).collect();
    let texts = ideas::texts(state.db(), round.id, &samples).await?;
    let items = all.into_iter().map(|one| Told::of(one, &texts)).collect();
    etag::telling(&headers, &All { items }, "private, max-age=1")
}

/// What a curator decides about a cluster; what is left out stays as it is.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClusterChange)]
pub(crate) struct Wish {
    /// `keep` comes before those that are `pending`, `drop` makes no topic.
    decision: Option<Decision>,
    /// What its topic might be called; an empty one takes the hint away.
    #[schema(max_length = 200)]
    title_hint: Option<String>,
}

const HINT: Limits = Limits {
    take: title_hint,
    chars_max: TITLE_HINT_MAX,
};

/// Decides about a cluster, as long as its round is in review.
pub(crate) async fn decide(
    caller: Staff,
    Part(round, name): Part,
    In(state): In<State>,
    _: Asked,
    Json { value, .. }: Json<Wish>,
) -> Result<axum::Json<Told>, Problem> {
    let id = Uuid::try_parse(&name).map_err(|_| Problem::not_found("cluster"))?;
    let hint = match value.title_hint.as_deref().map(str::trim) {
        None => None,
        Some("") => Some(None),
        Some(given) => Some(Some(checked(given, "/title_hint", &HINT)?)),
    };
    let change = Change {
        decision: value.decision,
        title_hint: hint,
    };
    let mut tx = state.begin().await?;
    let cluster = match clusters::decide(&mut tx, round, id, change).await? {
        Decided::Done(cluster) => cluster,
        Decided::NotThere => return Err(Problem::not_found("cluster")),
        Decided::NotInReview => {
            drop(tx);
            let state = found(&state, round).await?.state;
            let how = "Clusters are decided about while their round is in review; this one is not.";
            let problem = Problem::new(Code::StateConflict, how);
            return Err(problem.with("state", state.as_str()));
        }
    };
    let entry = Entry {
        actor: &caller.signature(),
        verb: "cluster.decide",
        target_kind: "topic_round",
        target_id: round.to_string(),
        reason: "",
        detail: json!({"cluster": id, "decision": cluster.decision, "title_hint": cluster.title_hint}),
    };
    audit::write(&mut tx, &entry).await?;
    tx.commit().await?;
    let texts = ideas::texts(state.db(), round, &cluster.samples).await?;
    Ok(axum::Json(Told::of(cluster, &texts)))
}
