//! Three friends, and what they say.

use domain::mirror::answers::validate;
use domain::mirror::questions::QuestionSet;
use domain::mirror::store::responses::Submission;
use domain::mirror::store::surveys::Survey;
use serde_json::{Value, json};
use uuid::Uuid;

/// What one of them sends.
pub(crate) fn submission(survey: &Survey, responder: u8, answers: &Value) -> Submission {
    Submission {
        id: Uuid::now_v7(),
        survey: survey.id,
        answers: validate(&QuestionSet::friends(), answers).unwrap(),
        responder_hash: [responder; 32],
        saga: Uuid::now_v7(),
        request_id: "test".to_owned(),
    }
}

/// What three friends say.
pub(crate) fn friends() -> [Value; 3] {
    [
        json!({"c1": 4, "c2": 3, "i1": 4, "i2": 5, "k1": 5, "k2": 5, "e1": 3, "e2": 2, "p1": "calmer", "g1": "listener",
               "w1": "patient, funny, loyal", "h1": "Terrible puns, delivered with a straight face.",
               "m1": "The late calls when everything feels too much."}),
        json!({"c1": 3, "c2": 4, "i1": 5, "i2": 4, "k1": 5, "k2": 4, "e1": 3, "e2": 3, "p1": "quieter", "g1": "planner",
               "w1": "curious, gentle, stubborn", "h1": "Old cartoons and their own jokes.",
               "m1": "How they remember what I said months ago."}),
        json!({"c1": 3, "c2": 2, "i1": 4, "i2": 4, "k1": 4, "k2": 5, "e1": 2, "e2": 2, "p1": "calmer", "g1": "listener",
               "w1": "warm, wise, dry"}),
    ]
}
