//! Reviews: what jobs ask people to decide.

use crate::problem::Code;
use crate::reference::{Api, Operation, signed};
use crate::routes::{review_verbs, reviews};
use serde_json::json;

pub(super) fn operations() -> Api {
    let api = Api::of("Reviews").get(
        "/api/v1/reviews",
        reviews::list,
        signed("listReviews", "List the reviews that you may decide, or asked for, newest first")
            .says(
                "One inbox for everything that waits for people, in one shape: topics, listings, messages. It is at \
                 `/api/v1/approvals`, too, with all that is below it.",
            )
            .query::<reviews::Filter>()
            .page::<reviews::Review>("Reviews."),
    );
    let api = api.get(
        "/api/v1/reviews/{id}",
        reviews::show,
        signed("getReview", "Tell a review")
            .named("The review's id.")
            .answer::<reviews::Review>(200, "The review, decided or not."),
    );
    let api = api.post(
        "/api/v1/reviews/{id}/approve",
        review_verbs::approve,
        decision("approveReview", "Approve: the job goes on")
            .body::<review_verbs::Plain>(json!({"notes": "Good as it is."})),
    );
    let api = api.post(
        "/api/v1/reviews/{id}/revise",
        review_verbs::revise,
        decision(
            "reviseReview",
            "Send back: it is made again by your notes, at most three times",
        )
        .body::<review_verbs::Revision>(json!({"notes": "Shorter, and without the last theme."}))
        .refuses(&[Code::StateConflict]),
    );
    api.post(
        "/api/v1/reviews/{id}/reject",
        review_verbs::reject,
        decision("rejectReview", "Reject: the job goes no further")
            .body::<review_verbs::Plain>(json!({"notes": "Not for this community."})),
    )
}

fn decision(id: &'static str, summary: &'static str) -> Operation {
    signed(id, summary)
        .named("The review's id.")
        .answer::<reviews::Review>(200, "The review as it is by that.")
        .once()
        .refuses(&[Code::Forbidden, Code::AlreadyResolved])
}
