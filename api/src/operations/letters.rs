//! Dead letters: steps that gave up, for a person to judge.

use crate::problem::Code;
use crate::reference::{Api, Operation, staff};
use crate::routes::{dead_letter_groups as groups, dead_letters as letters, letter_verbs as verbs};
use saga_core::store::GroupNote;
use serde_json::json;

/// A verb about a letter, which somebody may have judged already.
fn verb(id: &'static str, summary: &'static str) -> Operation {
    let late = [Code::AlreadyResolved, Code::StateConflict];
    staff(id, summary).named("The letter's id.").refuses(&late)
}

pub(super) fn operations() -> Api {
    let api = Api::of("Dead letters").get(
        "/api/v1/admin/dead-letters",
        letters::list,
        staff("listDeadLetters", "List letters, newest first")
            .query::<letters::Filter>()
            .page::<letters::Item>("Letters."),
    );
    let api = api.get(
        "/api/v1/admin/dead-letters/groups",
        groups::list,
        staff(
            "listDeadLetterGroups",
            "List letters by what they have in common, the largest group first",
        )
        .query::<groups::Filter>()
        .page::<groups::Item>("Groups. There is no next page."),
    );
    let api = api.patch(
        "/api/v1/admin/dead-letters/groups/{name}",
        groups::note,
        staff(
            "noteDeadLetterGroup",
            "Note something about letters that failed alike",
        )
        .named("The group's key.")
        .body::<groups::Noted>(json!({"note": "Ticket 4711 with the provider."}))
        .answer::<GroupNote>(200, "The note."),
    );
    let api = api.get(
        "/api/v1/admin/dead-letters/{id}",
        letters::show,
        staff("getDeadLetter", "Tell one letter in full")
            .named("The letter's id.")
            .answer::<letters::Detail>(200, "The letter; its input for an admin alone."),
    );
    api.and(verbs_of_letters())
}

fn verbs_of_letters() -> Api {
    let api = Api::of("Dead letters").post(
        "/api/v1/admin/dead-letters/{id}/replay",
        verbs::replay,
        verb("replayDeadLetter", "Try a letter's step again")
            .says(
                "Finished steps and paid calls are kept. With an edit a new job begins, from the input so changed; \
                 after the job's end one begins from the input as it was.",
            )
            .body::<verbs::Replay>(json!({"reason": "The provider is back."}))
            .answer::<verbs::Judged>(202, "The job goes on, or another begins.")
            .answer::<verbs::Foreseen>(200, "What would come of it: a dry run.")
            .tells(202, "Location", "The job.")
            .once(),
    );
    let api = api.post(
        "/api/v1/admin/dead-letters/{id}/skip",
        verbs::skip,
        verb(
            "skipDeadLetter",
            "Put an answer in the place of a letter's step",
        )
        .body::<verbs::Skip>(json!({"output": "yes", "reason": "Done by hand."}))
        .answer::<verbs::Judged>(202, "The job goes on with the answer.")
        .answer::<verbs::Foreseen>(200, "What would come of it: a dry run.")
        .tells(202, "Location", "The job.")
        .once(),
    );
    let api = api.post(
        "/api/v1/admin/dead-letters/{id}/discard",
        verbs::discard,
        verb("discardDeadLetter", "Give a letter's step up: undo begins")
            .body::<verbs::Plain>(json!({"reason": "Nobody waits for it any more."}))
            .either::<letters::Item, verbs::Foreseen>(
                200,
                "The letter; or what would come of it: a dry run.",
            )
            .once(),
    );
    api.post(
        "/api/v1/admin/dead-letters/{id}/restore",
        verbs::restore,
        verb(
            "restoreDeadLetter",
            "Take a discarded letter up again, within 30 days",
        )
        .says("What was undone stays so: a new job begins from the same input.")
        .body::<verbs::Plain>(json!({"reason": "Somebody does wait for it."}))
        .answer::<verbs::Judged>(202, "The new job.")
        .answer::<verbs::Foreseen>(200, "What would come of it: a dry run.")
        .tells(202, "Location", "The job.")
        .once()
        .refuses(&[Code::Expired]),
    )
}
