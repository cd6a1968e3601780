//! What a saga asks people to decide, and what they may say.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// How often one thing is sent back to be made again; after that it is approved or rejected.
pub const REVISIONS_MAX: u32 = 3;

/// A question to people: may this go on?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What it is about, a noun: `topic_round`.
    pub subject_kind: String,
    /// Which of them.
    pub subject_id: String,
    /// For people, in a line.
    pub title: String,
    /// The account that decides. Without it everybody with the permission does.
    pub decider: Option<Uuid>,
    /// Who holds this permission may decide, too: `rounds.review`.
    pub permission: String,
    /// Whether whoever asked for it must leave it to somebody else.
    pub four_eyes: bool,
    /// How long it waits, in milliseconds.
    pub within_ms: u64,
    /// What it comes to if nobody decides by then.
    pub on_expiry: OnExpiry,
}

/// What a review comes to that nobody decided in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// Nobody minds: it goes on.
    Approve,
    /// It does not go on.
    Reject,
    /// Its saga fails.
    Fail,
}

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may go on.
    Approved,
    /// It is to be made again, by these notes.
    ChangesRequested,
    /// It may not.
    Rejected,
    /// Nobody said anything in time.
    Expired,
}

/// What was said about a review. By whom is no business of the saga that asks, and not kept with its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// What.
    pub decision: Decision,
    /// Why, or what is to be changed.
    pub notes: Option<String>,
}

/// A review as a saga asked for it, on its way to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// How often it was made again already.
    pub(crate) revision: u32,
    /// How often it may be made again still.
    pub(crate) rounds_left: u32,
    /// The question.
    #[serde(flatten)]
    pub(crate) review: Review,
}

impl Review {
    /// A question to whoever holds `permission`, about one `subject_kind`. It is rejected if nobody decides
    /// within a day.
    pub fn of(subject_kind: &str, subject_id: impl ToString, permission: &str) -> Self {
        Self {
            subject_kind: subject_kind.to_owned(),
            subject_id: subject_id.to_string(),
            title: subject_kind.replace('_', " "),
            decider: None,
            permission: permission.to_owned(),
            four_eyes: false,
            within_ms: 0,
            on_expiry: OnExpiry::Reject,
        }
        .within(Duration::from_hours(24))
    }

    /// The same, with a line for people.
    #[must_use]
    pub fn titled(self, title: impl Into<String>) -> Self {
        let title = title.into();
        Self { title, ..self }
    }

    /// The same; this account may decide, too.
    #[must_use]
    pub fn decided_by(self, account: Uuid) -> Self {
        let decider = Some(account);
        Self { decider, ..self }
    }

    /// The same; whoever asked for it must leave it to somebody else.
    #[must_use]
    pub fn with_four_eyes(self) -> Self {
        let four_eyes = true;
        Self { four_eyes, ..self }
    }

    /// The same, waiting so long.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        let within_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Self { within_ms, ..self }
    }

    /// The same, coming to this if nobody decides in time.
    #[must_use]
    pub fn on_expiry(self, on_expiry: OnExpiry) -> Self {
        Self { on_expiry, ..self }
    }
}

impl OnExpiry {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Reject, Self::Fail];
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Fail => "fail",
        }
    }
}

impl Decision {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ChangesRequested => "changes_requested",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}
