//! Replays: many dead letters replayed as one operation.

use crate::problem::Code;
use crate::reference::{Api, Operation, staff};
use crate::routes::{dead_letters::Decision, new_replay, replay_verbs, replays};
use saga_core::store::ReplayedLetter;
use serde_json::json;

/// A verb that steers a replay.
fn verb(id: &'static str, summary: &'static str) -> Operation {
    staff(id, summary)
        .says("Asking twice is fine.")
        .named("The replay's id.")
        .body::<Decision>(json!({"reason": "The provider is slow."}))
        .answer::<replays::Told>(200, "The replay.")
        .refuses(&[Code::StateConflict])
        .once()
}

pub(super) fn operations() -> Api {
    let api = Api::of("Replays").post(
        "/api/v1/admin/replays",
        replays::begin,
        staff("beginReplay", "Replay many letters, at a rate")
            .says(
                "The selection is frozen at once. A few are tried first; it stops by itself when too many fail again, \
                 and survives a restart.",
            )
            .body::<new_replay::Begin>(json!({"select": {"all": true}, "limit": 100, "rate_per_s": 5, "reason": "The provider is back."}))
            .answer::<replays::Told>(202, "The replay has begun.")
            .answer::<replays::Previewed>(200, "What it would do: a dry run.")
            .tells(202, "Location", "The replay.")
            .once(),
    );
    let api = api.get(
        "/api/v1/admin/replays",
        replays::list,
        staff("listReplays", "List replays, newest first")
            .query::<replays::Pages>()
            .page::<replays::Told>("Replays."),
    );
    let api = api.get(
        "/api/v1/admin/replays/{id}",
        replays::show,
        staff("getReplay", "Tell how a replay is")
            .named("The replay's id.")
            .answer::<replays::Told>(200, "The replay."),
    );
    let api = api.get(
        "/api/v1/admin/replays/{id}/letters",
        replays::letters,
        staff(
            "listReplayedLetters",
            "List the letters of a replay, in their order",
        )
        .named("The replay's id.")
        .query::<replays::Filter>()
        .page::<ReplayedLetter>("Letters."),
    );
    api.post(
        "/api/v1/admin/replays/{id}/pause",
        replay_verbs::pause,
        verb("pauseReplay", "Begin no further letter until it is resumed"),
    )
    .post(
        "/api/v1/admin/replays/{id}/resume",
        replay_verbs::resume,
        verb("resumeReplay", "Go on with a replay"),
    )
    .post(
        "/api/v1/admin/replays/{id}/stop",
        replay_verbs::stop,
        verb("stopReplay", "Begin no further letter at all"),
    )
}
