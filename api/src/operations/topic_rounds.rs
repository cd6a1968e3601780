//! Rounds: how ideas become topics, for those who host them.

use crate::jobs::Job;
use crate::page::Paging;
use crate::problem::Code;
use crate::reference::{Api, staff};
use crate::routes::{clusters, round_start, topic_rounds};
use serde_json::json;

pub(super) fn operations() -> Api {
    let round = "The round's id.";
    let api = Api::of("Rounds").post(
        "/api/v1/topic-rounds",
        round_start::create,
        staff("startRound", "Start a round")
            .says(
                "It takes up every live idea, finds those that are alike, and makes topics of the largest clusters. \
                 What it does not use is live again.",
            )
            .body::<round_start::Wish>(json!({"require_review": false, "max_topics": 3}))
            .answer::<Job>(202, "The round has begun.")
            .answer::<Job>(200, "The round is over: it was waited for.")
            .tells(202, "Location", "The job.")
            .waits()
            .once()
            .refuses(&[Code::RoundInProgress]),
    );
    let api = api.get(
        "/api/v1/topic-rounds",
        topic_rounds::list,
        staff("listRounds", "List rounds, newest first")
            .query::<Paging>()
            .page::<topic_rounds::Told>("Rounds."),
    );
    let api = api.get(
        "/api/v1/topic-rounds/{id}",
        topic_rounds::show,
        staff("getRound", "Show a round, and the topics that it has made")
            .named(round)
            .answer::<topic_rounds::Full>(200, "The round.")
            .kept(),
    );
    let api = api.get(
        "/api/v1/topic-rounds/{id}/clusters",
        clusters::list,
        staff(
            "listClusters",
            "List the clusters of a round, largest first",
        )
        .says("Texts that stand for each, and nobody's names.")
        .named(round)
        .answer::<clusters::All>(200, "Clusters.")
        .kept(),
    );
    let api = api.patch(
        "/api/v1/topic-rounds/{id}/clusters/{name}",
        clusters::decide,
        staff(
            "decideCluster",
            "Decide about a cluster, while its round is in review",
        )
        .says("What nobody decides about is kept, after what somebody keeps.")
        .named("The round's id, and the cluster's.")
        .body::<clusters::Wish>(
            json!({"decision": "keep", "title_hint": "What would make evenings in town better?"}),
        )
        .answer::<clusters::Told>(200, "The cluster.")
        .refuses(&[Code::StateConflict]),
    );
    older(api)
}

fn older(api: Api) -> Api {
    api.post(
        "/api/admin/start_generation_round",
        round_start::kept,
        staff("startGenerationRound", "Start a round, as an older script does")
            .by_key()
            .says(
                "Deprecated: use `POST /api/v1/topic-rounds`. It takes an API key alone, and where a round is open it \
                 tells of that one.",
            )
            .answer::<round_start::Kept>(200, "A round is open: this one, or the one that was.")
            .once(),
    )
}
