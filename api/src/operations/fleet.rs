//! The fleet: queues, workers, and who decided what.

use crate::problem::Code;
use crate::reference::{Api, Operation, staff};
use crate::routes::{audit, dead_letters::Decision, kinds, queues, schedules, workers};
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
        "/api/v1/admin/schedules",
        schedules::list,
        staff("listSchedules", "List what begins by the clock, by name")
            .page::<schedules::Item>("Schedules. There is no next page."),
    );
    let api = api.get(
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
    api.and(of_workers()).and(of_kinds()).and(
        Api::of("Audit").get(
            "/api/v1/admin/audit",
            audit::list,
            staff("listDecisions", "List decisions, newest first")
                .query::<audit::Filter>()
                .page::<Decided>("Decisions."),
        ),
    )
}

fn of_workers() -> Api {
    let api = Api::of("Fleet").get(
        "/api/v1/admin/workers",
        workers::list,
        staff("listWorkers", "List the workers of the last day, by name")
            .page::<workers::Item>("Workers. There is no next page."),
    );
    api.post(
        "/api/v1/admin/workers/{name}/drain",
        workers::drain,
        staff("drainWorker", "Ask a worker to leave")
            .says(
                "As SIGTERM does: it finishes what it has, and its process ends. Refused with 409 where it has left or is \
                 lost, and, of everything in one process, for its only worker: pause its queues instead.",
            )
            .named("The worker's id.")
            .body::<Decision>(json!({"reason": "Its host is to be rebooted."}))
            .answer::<workers::Item>(202, "The worker, draining.")
            .once()
            .refuses(&[Code::StateConflict]),
    )
}

/// The switch of a kind.
fn kind_switch(id: &'static str, summary: &'static str) -> Operation {
    staff(id, summary)
        .named("The kind's name.")
        .body::<kinds::Wanted>(json!({"reason": "Its provider is down."}))
        .either::<kinds::Item, kinds::Foreseen>(
            200,
            "The kind; or what would come of it: a dry run.",
        )
        .once()
        .refuses(&[Code::StateConflict])
}

fn of_kinds() -> Api {
    let api = Api::of("Fleet").get(
        "/api/v1/admin/kinds",
        kinds::list,
        staff("listKinds", "List the kinds of sagas, by name")
            .page::<kinds::Item>("Kinds. There is no next page."),
    );
    let api = api.get(
        "/api/v1/admin/kinds/{name}",
        kinds::show,
        staff("getKind", "Tell how a kind of saga stands")
            .named("The kind's name.")
            .answer::<kinds::Item>(200, "The kind."),
    );
    api.post(
        "/api/v1/admin/kinds/{name}/pause",
        kinds::pause,
        kind_switch("pauseKind", "Have the workers leave a kind's steps alone").says(
            "Those under way go on to their end, and new sagas are accepted. It needs a reason.",
        ),
    )
    .post(
        "/api/v1/admin/kinds/{name}/drain",
        kinds::drain,
        kind_switch(
            "drainKind",
            "Let only those sagas of a kind go on that have begun",
        )
        .says("Others are accepted, and wait. It needs a reason."),
    )
    .post(
        "/api/v1/admin/kinds/{name}/resume",
        kinds::resume,
        kind_switch("resumeKind", "Have the workers take a kind's steps again")
            .says("Those that waited are taken bit by bit."),
    )
}
