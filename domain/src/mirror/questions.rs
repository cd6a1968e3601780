//! The questions a survey asks.

use serde::{Deserialize, Serialize};

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum QuestionKind {
    /// Free words, up to `max_length` characters.
    Text,
    /// Exactly one of `options`.
    Choice,
    /// A whole number from `min` to `max`.
    Scale,
}

/// One question, in the shape the public survey page reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Question {
    /// The key of its answer, such as `c1`.
    pub id: String,
    /// How it is answered; `type` on the wire.
    #[serde(rename = "type")]
    pub kind: QuestionKind,
    /// What the friend reads.
    pub text: String,
    /// The allowed answers of a choice; empty for the other kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The smallest answer of a scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min: Option<u8>,
    /// The largest answer of a scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max: Option<u8>,
    /// The most characters a text may have; `max_length` on the wire.
    #[serde(
        default,
        rename = "max_length",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    pub length_max: Option<usize>,
    /// Whether a response without it is refused.
    pub required: bool,
}

/// A named list of questions; a survey keeps the id of the one it was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionSet {
    /// Name and version, such as `friends/1`.
    pub id: String,
    /// In the order they are asked.
    pub questions: Vec<Question>,
}

/// The id of the set a survey gets when its owner names none.
pub const DEFAULT_SET: &str = "friends/1";

impl QuestionSet {
    /// Builds the default set: eight scales, two choices, three texts.
    /// Only the scales are required, because the statistics stand on them alone.
    pub fn friends() -> Self {
        let questions = vec![
            scale("c1", "When they enter a room, do people notice?"),
            scale("c2", "If a plan is needed, do others follow theirs?"),
            scale("i1", "Would you bring them a problem nobody can solve?"),
            scale(
                "i2",
                "How much do they enjoy getting to the bottom of things?",
            ),
            scale("k1", "How often do they help before being asked?"),
            scale("k2", "How safe is it to tell them bad news?"),
            scale("e1", "How lively is a day with them in it?"),
            scale("e2", "How often do they start things instead of waiting?"),
            choice(
                "p1",
                "Under pressure they usually get…",
                &["calmer", "faster", "louder", "quieter"],
            ),
            choice(
                "g1",
                "In a group they end up as the…",
                &["planner", "joker", "listener", "spark", "critic"],
            ),
            text("w1", "Three words for them", 60),
            text(
                "h1",
                "What makes them laugh, and how do they make others laugh?",
                300,
            ),
            text("m1", "What would you miss first?", 500),
        ];
        Self {
            id: DEFAULT_SET.to_owned(),
            questions,
        }
    }

    /// Finds a question by its id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }
}

fn scale(id: &str, text: &str) -> Question {
    Question {
        min: Some(1),
        max: Some(5),
        required: true,
        ..blank(id, QuestionKind::Scale, text)
    }
}

fn choice(id: &str, text: &str, options: &[&str]) -> Question {
    Question {
        options: options.iter().map(ToString::to_string).collect(),
        ..blank(id, QuestionKind::Choice, text)
    }
}

fn text(id: &str, text: &str, length_max: usize) -> Question {
    Question {
        length_max: Some(length_max),
        ..blank(id, QuestionKind::Text, text)
    }
}

fn blank(id: &str, kind: QuestionKind, text: &str) -> Question {
    Question {
        id: id.to_owned(),
        kind,
        text: text.to_owned(),
        options: Vec::new(),
        min: None,
        max: None,
        length_max: None,
        required: false,
    }
}
