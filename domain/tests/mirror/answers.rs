//! What a survey takes and what it sends back.

use domain::mirror::answers::{
    ANSWERS_BYTES_MAX, Answers, FIELD_ERRORS_MAX, FieldCode, FieldError, validate,
};
use domain::mirror::questions::QuestionSet;
use serde_json::{Value, json};

use crate::support::{friend, sample, scales_json};

fn valid() -> Value {
    scales_json([3; 8])
}

fn refused(given: &Value) -> Vec<FieldError> {
    validate(&QuestionSet::friends(), given).expect_err("a refusal")
}

/// The one problem with `value` under `id`.
fn problem(id: &str, value: Value) -> FieldError {
    let mut given = valid();
    given[id] = value;
    let mut errors = refused(&given);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[test]
fn the_demo_friends_are_valid() {
    assert_eq!(sample().len(), 3);
}

#[test]
fn every_problem_is_reported_at_once() {
    let errors = refused(&json!({
        "c1": 9, "c2": "four", "i2": 3, "k1": 4, "k2": 5, "e1": 0, "e2": 2.5,
        "p1": "sleepier", "w1": 7, "m1": "x".repeat(501), "h1": "bell\u{7}", "zz/~": 1,
    }));
    let found: Vec<(&str, FieldCode)> = errors
        .iter()
        .map(|e| (e.pointer.as_str(), e.code))
        .collect();
    assert_eq!(
        found,
        [
            ("/answers/c1", FieldCode::OutOfRange),
            ("/answers/c2", FieldCode::WrongType),
            ("/answers/i1", FieldCode::MissingRequired),
            ("/answers/e1", FieldCode::OutOfRange),
            ("/answers/e2", FieldCode::WrongType),
            ("/answers/p1", FieldCode::UnknownOption),
            ("/answers/w1", FieldCode::WrongType),
            ("/answers/h1", FieldCode::ControlCharacter),
            ("/answers/m1", FieldCode::TooLong),
            ("/answers/zz~1~0", FieldCode::UnknownQuestion),
        ]
    );
}

#[test]
fn a_problem_reads_like_a_problem_document_and_says_the_fix() {
    assert_eq!(
        serde_json::to_value(problem("c1", json!(6))).unwrap(),
        json!({"pointer": "/answers/c1", "code": "out_of_range",
               "detail": "6 is outside the scale. Send a whole number from 1 to 5."})
    );
    assert_eq!(
        problem("g1", json!("boss")).detail,
        "Send one of planner, joker, listener, spark, critic."
    );
    assert_eq!(
        problem("w1", json!("y".repeat(61))).detail,
        "The text has 61 characters. Send a text of at most 60 characters."
    );
}

#[test]
fn a_scale_takes_its_bounds_and_nothing_past_them() {
    for good in [1, 5] {
        assert_eq!(friend(&scales_json([good; 8])).number("c1"), Some(good));
    }
    for bad in [json!(0), json!(6), json!(-1), json!(300), json!(u64::MAX)] {
        assert_eq!(problem("c1", bad).code, FieldCode::OutOfRange);
    }
    for bad in [json!(3.5), json!("3"), json!(true), json!([3]), json!(1e40)] {
        assert_eq!(problem("c1", bad).code, FieldCode::WrongType);
    }
    assert_eq!(problem("c1", Value::Null).code, FieldCode::MissingRequired);
}

#[test]
fn a_text_takes_exactly_its_length_counted_in_characters() {
    let mut given = valid();
    given["w1"] = json!("é".repeat(60));
    assert_eq!(friend(&given).words("w1").unwrap().chars().count(), 60);
    assert_eq!(
        problem("w1", json!("é".repeat(61))).code,
        FieldCode::TooLong
    );
}

#[test]
fn a_text_is_trimmed_and_an_empty_one_counts_as_left_out() {
    let mut given = valid();
    given["w1"] = json!("  kind,\r\nloud ");
    given["h1"] = json!(" \n ");
    given["m1"] = Value::Null;
    let answers = friend(&given);
    assert_eq!(answers.words("w1"), Some("kind,\nloud"));
    assert_eq!(answers.words("h1"), None);
    assert_eq!(answers.words("m1"), None);
}

#[test]
fn control_and_direction_characters_are_refused() {
    for bad in ["a\tb", "a\0b", "a\u{1b}[31m", "a\u{202e}b", "a\rb"] {
        assert_eq!(problem("h1", json!(bad)).code, FieldCode::ControlCharacter);
    }
}

#[test]
fn the_whole_object_has_a_size() {
    let overhead = json!({"x": ""}).to_string().len();
    let whole = json!({"x": "a".repeat(ANSWERS_BYTES_MAX - overhead)});
    assert_eq!(whole.to_string().len(), ANSWERS_BYTES_MAX);
    assert!(refused(&whole).len() > 1, "it is read, and found wanting");

    let over = json!({"x": "a".repeat(ANSWERS_BYTES_MAX - overhead + 1)});
    let errors = refused(&over);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].pointer, "/answers");
    assert_eq!(errors[0].code, FieldCode::TooLong);
}

#[test]
fn anything_but_an_object_is_of_the_wrong_type() {
    for bad in [json!(null), json!([]), json!("c1"), json!(4)] {
        let errors = refused(&bad);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].code, FieldCode::WrongType);
    }
}

#[test]
fn the_list_of_problems_is_bounded() {
    let many: Value = (0..500).map(|n| (format!("q{n}"), json!(1))).collect();
    assert_eq!(refused(&many).len(), FIELD_ERRORS_MAX);
}

#[test]
fn stored_answers_read_back_the_same() {
    for answers in sample() {
        let stored = serde_json::to_string(&answers).unwrap();
        assert_eq!(serde_json::from_str::<Answers>(&stored).unwrap(), answers);
    }
}
