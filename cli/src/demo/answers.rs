//! Friends' answers from a file: checked whole, and the first fault named by its field.

use crate::exit::Trouble;
use domain::mirror::answers::{FieldCode, FieldError, validate};
use domain::mirror::questions::{Question, QuestionKind, QuestionSet};
use domain::mirror::store::surveys::{MIN_RESPONSES_MAX, MIN_RESPONSES_MIN};
use serde_json::{Map, Value};
use std::path::Path;

const SAMPLE: &str = include_str!("../../samples/friends.json");
const TITLE_CHARS_MAX: usize = 120;

/// What a few friends say about one person.
#[derive(Debug)]
pub(super) struct Circle {
    /// The survey's title.
    pub(super) title: String,
    /// Each friend's answers.
    pub(super) friends: Vec<Value>,
}

impl Circle {
    /// Reads a file, or the sample that comes along.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, Trouble> {
        let Some(path) = file else {
            return Self::parse(SAMPLE).map_err(|what| trouble(Path::new("friends.json"), &what));
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| trouble(path, &format!("cannot be read: {error}")))?;
        Self::parse(&text).map_err(|what| trouble(path, &what))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let whole: Value =
            serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let whole = object(&whole, "the file", "friends")?;
        known(whole, "", &["title", "friends"])?;
        let title = match whole.get("title") {
            None | Some(Value::Null) => "Who is it?".to_owned(),
            Some(Value::String(title))
                if (1..=TITLE_CHARS_MAX).contains(&title.trim().chars().count()) =>
            {
                title.trim().to_owned()
            }
            Some(_) => {
                return Err(format!(
                    "title: must be a text of 1 to {TITLE_CHARS_MAX} characters"
                ));
            }
        };
        let friends = whole
            .get("friends")
            .ok_or("friends: is missing; a list of {\"answers\": {…}}")?;
        let friends = friends
            .as_array()
            .ok_or("friends: must be a list of {\"answers\": {…}}")?;
        let count = i64::try_from(friends.len()).unwrap_or(i64::MAX);
        if !(MIN_RESPONSES_MIN..=MIN_RESPONSES_MAX).contains(&count) {
            return Err(format!(
                "friends: must be {MIN_RESPONSES_MIN} to {MIN_RESPONSES_MAX}, and there are {count}"
            ));
        }
        let set = QuestionSet::friends();
        let friends = friends
            .iter()
            .enumerate()
            .map(|(at, friend)| answers(&set, at, friend))
            .collect::<Result<_, _>>()?;
        Ok(Self { title, friends })
    }
}

fn trouble(file: &Path, what: &str) -> Trouble {
    let (file, what) = (file.display(), what.trim_end_matches('.'));
    Trouble::usage(
        format!("{file}: {what}"),
        "chorus demo --help, which shows what such a file looks like",
    )
}

fn answers(set: &QuestionSet, at: usize, friend: &Value) -> Result<Value, String> {
    let place = format!("friends[{at}]");
    let friend = object(friend, &place, "answers")?;
    known(friend, &format!("{place}."), &["answers"])?;
    let answers = friend
        .get("answers")
        .ok_or_else(|| format!("{place}.answers: is missing"))?;
    match validate(set, answers) {
        Ok(_) => Ok(answers.clone()),
        Err(errors) => Err(errors.first().map_or_else(String::new, |error| {
            fault(set, &place, error, errors.len() - 1)
        })),
    }
}

/// One fault in words, with the path that an editor's search finds.
fn fault(set: &QuestionSet, place: &str, error: &FieldError, more: usize) -> String {
    let path = error
        .pointer
        .trim_start_matches('/')
        .replace('/', ".")
        .replace("~1", "/")
        .replace("~0", "~");
    let question = path
        .strip_prefix("answers.")
        .and_then(|id| set.question(id));
    let what = match (question, error.code) {
        (
            Some(question),
            FieldCode::OutOfRange | FieldCode::WrongType | FieldCode::UnknownOption,
        ) => wanted(question),
        (Some(question), FieldCode::MissingRequired) => {
            format!("is missing; it {}", wanted(question))
        }
        (Some(_) | None, _) => error.detail.clone(),
    };
    let more = if more == 0 {
        String::new()
    } else {
        format!(" (and {more} more)")
    };
    format!("{place}.{path}: {}{more}", what.trim_end_matches('.'))
}

fn wanted(question: &Question) -> String {
    match question.kind {
        QuestionKind::Scale => {
            format!(
                "must be a whole number from {} to {}",
                question.min.unwrap_or(u8::MIN),
                question.max.unwrap_or(u8::MAX)
            )
        }
        QuestionKind::Choice => format!("must be one of: {}", question.options.join(", ")),
        QuestionKind::Text => "must be a text".to_owned(),
    }
}

fn object<'a>(
    value: &'a Value,
    place: &str,
    field: &str,
) -> Result<&'a Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{place}: must be an object with the field {field}"))
}

/// A field with a slip of the pen must not pass as one that was left out.
fn known(object: &Map<String, Value>, place: &str, names: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(strange) => Err(format!(
            "{place}{strange}: is no field here; there is: {}",
            names.join(", ")
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(change: impl FnOnce(&mut Value)) -> String {
        let mut whole: Value = serde_json::from_str(SAMPLE).unwrap();
        change(&mut whole);
        Circle::parse(&whole.to_string()).expect_err("it was made wrong")
    }

    #[test]
    fn the_sample_is_as_it_should_be() {
        assert!(Circle::parse(SAMPLE).unwrap().friends.len() >= 3);
    }

    #[test]
    fn a_fault_is_named_by_its_field() {
        let scale = "friends[1].answers.c1: must be a whole number from 1 to 5";
        assert_eq!(
            changed(|whole| whole["friends"][1]["answers"]["c1"] = 9.into()),
            scale
        );
        assert_eq!(
            changed(|whole| whole["friends"][1]["answers"]["c1"] = "four".into()),
            scale
        );
        assert_eq!(
            changed(|whole| whole["friends"][2]["answers"]["p1"] = "sleepier".into()),
            "friends[2].answers.p1: must be one of: calmer, faster, louder, quieter"
        );
        assert_eq!(
            changed(|whole| drop(
                whole["friends"][0]["answers"]
                    .as_object_mut()
                    .unwrap()
                    .remove("k2")
            )),
            "friends[0].answers.k2: is missing; it must be a whole number from 1 to 5"
        );
        assert_eq!(
            changed(|whole| whole["friends"][0]["answer"] = Value::Null),
            "friends[0].answer: is no field here; there is: answers"
        );
        assert!(
            changed(|whole| whole["friends"][0]["answers"]["zz"] = 1.into())
                .starts_with("friends[0].answers.zz: ")
        );
        assert!(
            changed(|whole| whole["friends"] = 3.into()).starts_with("friends: must be a list")
        );
        assert_eq!(
            changed(|whole| whole["friends"] = Value::Array(vec![])),
            "friends: must be 3 to 50, and there are 0"
        );
        assert!(
            Circle::parse("{\n  \"friends\": [,]\n}")
                .unwrap_err()
                .starts_with("is not JSON: expected value at line 2")
        );
    }
}
