//! Sagas: search, full story, and the verbs that steer one.

use crate::problem::Code;
use crate::reference::{Api, Operation, staff};
use crate::routes::{events::EventPage, saga, saga_verbs as verbs, sagas};
use serde_json::json;

/// A verb that steers a saga.
fn verb(id: &'static str, summary: &'static str) -> Operation {
    let misfits = [Code::JobFinished, Code::StateConflict];
    staff(id, summary).named("The saga's id.").refuses(&misfits)
}

pub(super) fn operations() -> Api {
    let api = Api::of("Sagas").get(
        "/api/v1/admin/sagas",
        sagas::list,
        staff("listSagas", "Search sagas, newest first")
            .query::<sagas::Filter>()
            .page::<sagas::Item>(
                "Sagas. A page may be short, or empty, and still have a next one.",
            ),
    );
    let api = api.get(
        "/api/v1/admin/sagas/{id}",
        saga::show,
        staff(
            "getSaga",
            "Tell one saga in full, and why it is where it is",
        )
        .named("The saga's id.")
        .answer::<saga::Detail>(
            200,
            "The saga; what it was given and made for an admin alone.",
        ),
    );
    let api = api.get(
        "/api/v1/admin/sagas/{id}/events",
        saga::events,
        staff(
            "listSagaEvents",
            "Tell a saga's history, with who and where",
        )
        .named("The saga's id.")
        .query::<saga::From>()
        .answer::<EventPage>(200, "Events, the oldest first."),
    );
    let api = api.post(
        "/api/v1/admin/sagas/{id}/cancel",
        sagas::cancel,
        verb("cancelSaga", "Turn a saga round, whoever's it is")
            .body::<sagas::End>(json!({"reason": "A duplicate."}))
            .answer::<sagas::Canceling>(202, "Undo begins.")
            .answer::<sagas::Foreseen>(200, "What would come of it: a dry run.")
            .tells(202, "Location", "The saga.")
            .once(),
    );
    api.and(verbs_of_sagas())
}

fn verbs_of_sagas() -> Api {
    let decided = |operation: Operation| {
        operation
            .answer::<verbs::Steered>(202, "The saga, as it is by that.")
            .answer::<verbs::Steered>(200, "What would come of it: a dry run.")
            .tells(202, "Location", "The saga.")
            .once()
    };
    let api = Api::of("Sagas").post(
        "/api/v1/admin/sagas/{id}/pause",
        verbs::pause,
        decided(
            verb("pauseSaga", "Hold a saga")
                .says("What a worker has goes on to its end; nothing further is taken.")
                .body::<verbs::Hold>(json!({"reason": "Its owner called."})),
        ),
    );
    let api = api.post(
        "/api/v1/admin/sagas/{id}/resume",
        verbs::resume,
        decided(
            verb("resumeSaga", "Have a paused saga go on")
                .body::<verbs::Hold>(json!({"reason": "All is well."})),
        ),
    );
    let api = api.post(
        "/api/v1/admin/sagas/{id}/retry-step",
        verbs::retry_step,
        decided(
            verb("retryStep", "Try a step again now")
                .says("Without waiting for its hour, or for whoever judges its letter.")
                .body::<verbs::Retry>(json!({"reason": "The provider is back."})),
        ),
    );
    api.post(
        "/api/v1/admin/sagas/{id}/skip-step",
        verbs::skip_step,
        decided(
            verb(
                "skipStep",
                "Do without an optional step, or answer in a step's place",
            )
            .body::<verbs::SkipStep>(
                json!({"output": "yes", "force": true, "reason": "Done by hand."}),
            ),
        ),
    )
}
