//! Jobs: what becomes of accepted commands.

use crate::jobs::Job;
use crate::problem::Code;
use crate::reference::{Api, signed};
use crate::routes::{events, jobs};
use serde_json::json;

pub(super) fn operations() -> Api {
    let api = Api::of("Jobs").post(
        "/api/v1/jobs",
        jobs::create,
        signed("createJob", "Start a job of a demo kind")
            .says(
                "Where demo kinds are switched on. Every other kind has a route that starts it. Whichever it is: 503 and \
                 Retry-After where more steps wait in its queue than MAX_QUEUE_DEPTH allows.",
            )
            .body::<jobs::NewJob>(json!({"kind": "demo.pair", "input": {}}))
            .answer::<Job>(202, "The job is accepted.")
            .answer::<Job>(200, "The job is done: it was waited for.")
            .tells(202, "Location", "The job.")
            .waits()
            .once(),
    );
    let api = api.get(
        "/api/v1/jobs",
        jobs::list,
        signed("listJobs", "List your jobs, newest first")
            .query::<jobs::Filter>()
            .page::<Job>("Jobs. A page may be short, or empty, and still have a next one."),
    );
    let api = api.get(
        "/api/v1/jobs/{id}",
        jobs::show,
        signed("getJob", "Tell how a job is")
            .named("The job's id.")
            .answer::<Job>(200, "The job, done or not.")
            .kept()
            .waits(),
    );
    let api = api.post(
        "/api/v1/jobs/{id}/cancel",
        jobs::cancel,
        signed("cancelJob", "Cancel a job: what was done is taken back")
            .named("The job's id.")
            .body::<jobs::Nothing>(json!({}))
            .answer::<Job>(202, "Undo is under way.")
            .answer::<Job>(200, "The job is canceled.")
            .tells(202, "Location", "The job.")
            .waits()
            .once()
            .refuses(&[Code::JobFinished, Code::StateConflict]),
    );
    api.get(
        "/api/v1/jobs/{id}/events",
        events::events,
        signed("listJobEvents", "Tell a job's history, as a list or as it happens")
            .says(
                "With `Accept: text/event-stream` it is a stream: first a `job.snapshot`, then every event with its \
                 id, until the job is done. Whoever comes again sends `Last-Event-ID`, and misses nothing.",
            )
            .named("The job's id.")
            .query::<events::From>()
            .header("Last-Event-ID", json!({"type": "integer", "minimum": 0}), "The id of the last event of the stream that you have.")
            .answer::<events::EventPage>(200, "Events, the oldest first.")
            .of_type(200, "text/event-stream", "Events, the oldest first.", &json!({"type": "string"}))
            .empty(204, "The job is done and you have all of it: do not come again."),
    )
}
