//! Every operation of the API: its route, and what the document says of it. One file for each heading.

mod accounts;
mod fleet;
mod jobs;
mod letters;
mod me;
mod money;
mod personas;
mod replays;
mod reviews;
mod sagas;
mod service;
mod sign_in;
mod surveys;
mod topic_rounds;
mod topics;

use crate::reference::Api;

/// All of them.
pub(crate) fn all() -> Api {
    jobs::operations()
        .and(surveys::operations())
        .and(personas::operations())
        .and(topics::operations())
        .and(topic_rounds::operations())
        .and(me::operations())
        .and(reviews::operations())
        .and(letters::operations())
        .and(replays::operations())
        .and(sagas::operations())
        .and(fleet::operations())
        .and(money::operations())
        .and(sign_in::operations())
        .and(accounts::operations())
        .and(service::operations())
}
