//! The fleet: queues, workers, and who decided what.

use crate::problem::Code;
use crate::reference::{Api, Operation, staff};
use crate::routes::{audit, dead_letters::Decision, queues, workers};
use saga_core::store::audit::Decided;
use serde_json::json;

/// The switch of a queue.
fn switch(id: &'static str, summary: &'static str) -> Operation {
    staff(id, summary)
        .named("The queue's name.")
        .body::<Decision>(json!({"reason": "The provider is down."}))
        .answer::<queues::Item>(200, "The queue.")
        .once()
        .refuses(&[Code::StateConflict])
}

pub(super) fn operations() -> Api {
    let api = Api::of("Fleet").get(
        "/api/v1/admin/queues",
        queues::list,
        staff("listQueues", "List the queues, by name")
            .page::<queues::Item>("Queues. There is no next page."),
    );
    let api = api.get(
        "/api/v1/admin/queues/{name}",
        queues::show,
        staff("getQueue", "Tell how a queue stands")
            .named("The queue's name.")
            .answer::<queues::Item>(200, "The queue."),
    );
    let api = api.get(
        "/api/v1/admin/queues/{name}/scale",
        queues::scale,
        staff(
            "getQueueScale",
            "Tell a scaler how many workers there should be",
        )
        .named("The queue's name.")
        .query::<queues::Wanted>()
        .answer::<queues::Scale>(200, "How many there are, and should be."),
    );
    let api = api
        .post(
            "/api/v1/admin/queues/{name}/pause",
            queues::pause,
            switch("pauseQueue", "Have the workers leave a queue's steps alone")
                .says("Those under way go on to their end."),
        )
        .post(
            "/api/v1/admin/queues/{name}/resume",
            queues::resume,
            switch("resumeQueue", "Have the workers take a queue's steps again"),
        );
    let api = api.get(
        "/api/v1/admin/workers",
        workers::list,
        staff("listWorkers", "List the workers of the last day, by name")
            .page::<workers::Item>("Workers. There is no next page."),
    );
    let api = api.post(
        "/api/v1/admin/workers/{name}/drain",
        workers::drain,
        staff("drainWorker", "Ask a worker to leave")
            .says("As SIGTERM does: it finishes what it has, and its process ends.")
            .named("The worker's id.")
            .body::<Decision>(json!({"reason": "Its host is to be rebooted."}))
            .answer::<workers::Item>(202, "The worker, draining.")
            .once()
            .refuses(&[Code::StateConflict]),
    );
    api.and(
        Api::of("Audit").get(
            "/api/v1/admin/audit",
            audit::list,
            staff("listDecisions", "List decisions, newest first")
                .query::<audit::Filter>()
                .page::<Decided>("Decisions."),
        ),
    )
}
