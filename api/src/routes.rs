//! What each address does, one file for each noun.

pub(crate) mod ai_requests;
pub(crate) mod audit;
pub(crate) mod banner;
pub(crate) mod costs;
pub(crate) mod dead_letter_groups;
pub(crate) mod dead_letters;
pub(crate) mod erase;
pub(crate) mod events;
pub(crate) mod jobs;
pub(crate) mod letter_verbs;
pub(crate) mod limits;
pub(crate) mod media;
pub(crate) mod personas;
pub(crate) mod queues;
pub(crate) mod replay_verbs;
pub(crate) mod replays;
pub(crate) mod responses;
pub(crate) mod saga;
pub(crate) mod saga_verbs;
pub(crate) mod sagas;
pub(crate) mod share;
pub(crate) mod surveys;
pub(crate) mod workers;
