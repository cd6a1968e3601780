//! The default questions, in their public shape.

use domain::mirror::questions::{DEFAULT_SET, QuestionKind, QuestionSet};
use serde_json::json;

#[test]
fn the_default_set_has_eight_scales_two_choices_and_three_texts() {
    let set = QuestionSet::friends();
    let ids: Vec<&str> = set.questions.iter().map(|q| q.id.as_str()).collect();
    assert_eq!(set.id, DEFAULT_SET);
    assert_eq!(
        ids,
        [
            "c1", "c2", "i1", "i2", "k1", "k2", "e1", "e2", "p1", "g1", "w1", "h1", "m1"
        ]
    );
}

#[test]
fn only_scales_are_required() {
    for question in QuestionSet::friends().questions {
        assert_eq!(question.required, question.kind == QuestionKind::Scale);
    }
}

#[test]
fn a_question_shows_only_the_fields_of_its_kind() {
    let set = QuestionSet::friends();
    let shown = |id| serde_json::to_value(set.question(id).unwrap()).unwrap();
    assert_eq!(
        shown("k2"),
        json!({"id": "k2", "type": "scale", "text": "How safe is it to tell them bad news?",
               "min": 1, "max": 5, "required": true})
    );
    assert_eq!(
        shown("p1"),
        json!({"id": "p1", "type": "choice", "text": "Under pressure they usually get…",
               "options": ["calmer", "faster", "louder", "quieter"], "required": false})
    );
    assert_eq!(
        shown("m1"),
        json!({"id": "m1", "type": "text", "text": "What would you miss first?",
               "max_length": 500, "required": false})
    );
}

#[test]
fn a_stored_set_reads_back_the_same() {
    let set = QuestionSet::friends();
    let stored = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<QuestionSet>(&stored).unwrap(), set);
}
