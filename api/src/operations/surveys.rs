//! Surveys: what an owner asks their friends, and the friends' answers.

use crate::page::Paging;
use crate::problem::Code;
use crate::reference::{Api, anybody, signed};
use crate::routes::{jobs::Nothing, responses, surveys};
use serde_json::{Value, json};

fn answers() -> Value {
    json!({
        "c1": 4, "c2": 3, "i1": 4, "i2": 5, "k1": 5, "k2": 5, "e1": 2, "e2": 1,
        "p1": "calmer", "g1": "listener", "w1": "loyal, funny, stubborn",
        "h1": "Terrible puns, delivered completely deadpan.",
        "m1": "The voice notes on my walk to work.",
    })
}

pub(super) fn operations() -> Api {
    let which = "The survey's id, or its slug.";
    let api = Api::of("Surveys").post(
        "/api/v1/surveys",
        surveys::create,
        signed("createSurvey", "Make a survey")
            .body::<surveys::Wanted>(json!({"title": "Who am I to you?", "min_responses": 3}))
            .answer::<surveys::Told>(201, "The survey.")
            .tells(201, "Location", "The survey.")
            .once(),
    );
    let api = api.get(
        "/api/v1/surveys",
        surveys::list,
        signed("listSurveys", "List your surveys, newest first")
            .query::<Paging>()
            .page::<surveys::Told>("Surveys."),
    );
    let api = api.get(
        "/api/v1/surveys/{name}",
        surveys::show,
        anybody("getSurvey", "Show a friend what is asked")
            .named(which)
            .answer::<surveys::Public>(200, "The questions. Never how many have answered.")
            .kept()
            .refuses(&[Code::SurveyClosed, Code::Expired]),
    );
    let api = api.post(
        "/api/v1/surveys/{name}/responses",
        responses::create,
        anybody("respond", "Answer a survey, without an account")
            .says(
                "Each friend answers once. The answers that make enough of them start the forge of the owner's persona, \
                 in the same transaction.",
            )
            .named(which)
            .body::<responses::Respond>(json!({"answers": answers(), "fingerprint": "the browser of a friend"}))
            .answer::<responses::Thanks>(201, "The answers are in.")
            .once()
            .refuses(&[Code::DuplicateResponse, Code::SurveyClosed, Code::Expired]),
    );
    let api = api.get(
        "/api/v1/surveys/{name}/status",
        surveys::status,
        signed("getSurveyStatus", "Tell how far a survey of yours is")
            .named(which)
            .answer::<surveys::Progress>(200, "How far it is.")
            .kept(),
    );
    api.post(
        "/api/v1/surveys/{name}/close",
        surveys::close,
        signed("closeSurvey", "Close a survey for good")
            .says("Closing twice is fine.")
            .named(which)
            .body::<Nothing>(json!({}))
            .answer::<surveys::Told>(200, "The survey, archived.")
            .once(),
    )
}
