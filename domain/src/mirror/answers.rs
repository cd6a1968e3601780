//! One friend's answers, checked against the questions that were asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::questions::{Question, QuestionKind, QuestionSet};
use super::words::is_control;

/// The most bytes a whole answers object may have, written as compact JSON.
pub const ANSWERS_BYTES_MAX: usize = 8 * 1024;

/// The most problems one refusal lists.
pub const FIELD_ERRORS_MAX: usize = 64;

/// One valid answer, stored exactly as it was sent, texts trimmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer to a scale.
    Number(u8),
    /// The chosen option, or the words of a text.
    Words(String),
}

/// One friend's valid answers by question id; serialises to the flat object the API takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<String, Answer>);

impl Answers {
    /// Reads a scale; `None` when it was left out.
    pub fn number(&self, id: &str) -> Option<u8> {
        match self.0.get(id) {
            Some(Answer::Number(number)) => Some(*number),
            Some(Answer::Words(_)) | None => None,
        }
    }

    /// Reads a choice or a text; `None` when it was left out.
    pub fn words(&self, id: &str) -> Option<&str> {
        match self.0.get(id) {
            Some(Answer::Words(words)) => Some(words),
            Some(Answer::Number(_)) | None => None,
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// A scale outside its bounds.
    OutOfRange,
    /// A key that is no question of this survey.
    UnknownQuestion,
    /// A value of another JSON type than the question takes.
    WrongType,
    /// A required question without an answer.
    MissingRequired,
    /// A text over its length, or the whole object over [`ANSWERS_BYTES_MAX`].
    TooLong,
    /// A choice that is none of the options.
    UnknownOption,
    /// A text with a control character other than a newline.
    ControlCharacter,
}

/// One problem, in the shape of an entry of `errors[]` in a problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it is, as a JSON pointer into the request body.
    pub pointer: String,
    /// What a program switches on.
    pub code: FieldCode,
    /// What a person reads, with the way to mend it.
    pub detail: String,
}

/// Checks a JSON object of answers against `set` and reports every problem at once.
/// An empty text and a `null` count as left out.
pub fn validate(set: &QuestionSet, given: &Value) -> Result<Answers, Vec<FieldError>> {
    let object = whole(given).map_err(|error| vec![error])?;
    let mut answers = BTreeMap::new();
    let mut errors = Vec::new();
    for question in &set.questions {
        match answer(question, object.get(&question.id)) {
            Ok(Some(answer)) => drop(answers.insert(question.id.clone(), answer)),
            Ok(None) => {}
            Err((code, detail)) => errors.push(at(&question.id, code, detail)),
        }
    }
    errors.extend(unknown(set, object));
    errors.truncate(FIELD_ERRORS_MAX);
    if errors.is_empty() {
        Ok(Answers(answers))
    } else {
        Err(errors)
    }
}

type Refusal = (FieldCode, String);

fn whole(given: &Value) -> Result<&Map<String, Value>, FieldError> {
    let refuse = |code, detail: String| FieldError {
        pointer: "/answers".to_owned(),
        code,
        detail,
    };
    let object = given.as_object().ok_or_else(|| {
        let detail = "Send an object with one answer per question id, such as {\"c1\": 4}.";
        refuse(FieldCode::WrongType, detail.to_owned())
    })?;
    let size = given.to_string().len();
    if size > ANSWERS_BYTES_MAX {
        let detail = format!(
            "The answers are {size} bytes; shorten the texts to at most {ANSWERS_BYTES_MAX} bytes together."
        );
        return Err(refuse(FieldCode::TooLong, detail));
    }
    Ok(object)
}

fn unknown(set: &QuestionSet, object: &Map<String, Value>) -> Vec<FieldError> {
    let known: Vec<&str> = set.questions.iter().map(|q| q.id.as_str()).collect();
    object
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| {
            let detail = format!(
                "This survey has no such question; leave it out. Its questions are {}.",
                known.join(", ")
            );
            at(key, FieldCode::UnknownQuestion, detail)
        })
        .collect()
}

fn answer(question: &Question, given: Option<&Value>) -> Result<Option<Answer>, Refusal> {
    let found = match given {
        None | Some(Value::Null) => None,
        Some(value) => match question.kind {
            QuestionKind::Scale => Some(number(question, value)?),
            QuestionKind::Choice => Some(option(question, value)?),
            QuestionKind::Text => text(question, value)?,
        },
    };
    if found.is_none() && question.required {
        let detail = format!("\"{}\" needs an answer. {}", question.text, hint(question));
        return Err((FieldCode::MissingRequired, detail));
    }
    Ok(found)
}

fn number(question: &Question, value: &Value) -> Result<Answer, Refusal> {
    if value.as_i64().is_none() && value.as_u64().is_none() {
        return Err((FieldCode::WrongType, hint(question)));
    }
    let range = question.min.unwrap_or(u8::MIN)..=question.max.unwrap_or(u8::MAX);
    value
        .as_u64()
        .and_then(|number| u8::try_from(number).ok())
        .filter(|number| range.contains(number))
        .map(Answer::Number)
        .ok_or_else(|| {
            let detail = format!("{value} is outside the scale. {}", hint(question));
            (FieldCode::OutOfRange, detail)
        })
}

fn option(question: &Question, value: &Value) -> Result<Answer, Refusal> {
    let words = value
        .as_str()
        .ok_or_else(|| (FieldCode::WrongType, hint(question)))?
        .trim();
    if question.options.iter().any(|option| option == words) {
        Ok(Answer::Words(words.to_owned()))
    } else {
        Err((FieldCode::UnknownOption, hint(question)))
    }
}

fn text(question: &Question, value: &Value) -> Result<Option<Answer>, Refusal> {
    let words = value
        .as_str()
        .ok_or_else(|| (FieldCode::WrongType, hint(question)))?
        .replace("\r\n", "\n");
    let words = words.trim();
    if words.chars().any(|c| is_control(c) && c != '\n') {
        let detail = "The text has a control character; send plain text and newlines only.";
        return Err((FieldCode::ControlCharacter, detail.to_owned()));
    }
    let length = words.chars().count();
    if question.length_max.is_some_and(|most| length > most) {
        let detail = format!("The text has {length} characters. {}", hint(question));
        return Err((FieldCode::TooLong, detail));
    }
    Ok((length > 0).then(|| Answer::Words(words.to_owned())))
}

fn hint(question: &Question) -> String {
    match question.kind {
        QuestionKind::Scale => format!(
            "Send a whole number from {} to {}.",
            question.min.unwrap_or(u8::MIN),
            question.max.unwrap_or(u8::MAX)
        ),
        QuestionKind::Choice => format!("Send one of {}.", question.options.join(", ")),
        QuestionKind::Text => match question.length_max {
            Some(most) => format!("Send a text of at most {most} characters."),
            None => "Send a text.".to_owned(),
        },
    }
}

fn at(key: &str, code: FieldCode, detail: String) -> FieldError {
    let token = key.replace('~', "~0").replace('/', "~1");
    FieldError {
        pointer: format!("/answers/{token}"),
        code,
        detail,
    }
}
