//! A model of Chorus' protocol, small enough to be searched completely. Read it as the protocol itself.
//!
//! One saga: deed A, then B beside C, a join, the pivot, then D. A, B and C have an undo armed before them.
//! ```text
//!            ┌─ B ─┐
//!   A ───────┤     ├──── pivot ──── D          queues: A, B and D synthesis, C image
//!            └─ C ─┘
//! ```
//! Where to find what:
//!
//! | module | the protocol's |
//! | --- | --- |
//! | [`step`], [`world`] | rows, tickets, workers: everything that is remembered anywhere |
//! | [`action`] | the list of all that can happen, and when |
//! | [`start`] | accepting a command, publishing its tickets |
//! | [`claim`] | what a ticket turns into |
//! | [`paid`] | the journal of calls that cost money |
//! | [`settle`] | answers, joins, parking: the transaction everything hangs on |
//! | [`undo`] | taking back, newest first |
//! | [`sweep`] | dead leases and due timers |
//! | [`letters`] | cancel, pause, skip, replay and discard |
//! | [`defect`] | the designs that must not pass |
//! | [`promise`] | what must hold in every reachable state |
//! | [`search`] | the search: shortest traces, and "from everywhere it can still end" |
//!
//! Every function that changes a [`World`] is one transaction of the store, or one thing a broker, a worker or a
//! person does. The search runs them in every order, so what is atomic here must be atomic there.
//!
//! Left out, because it adds schedules but no new kind of step: batches, timers and signals, children, `attempt`
//! (a failure that is a value), giving an attempt back at shutdown. A parked saga whose window ends is a discard.

pub mod action;
pub mod claim;
pub mod defect;
pub mod faults;
pub mod letters;
pub mod paid;
pub mod promise;
pub mod protocol;
pub mod search;
pub mod settle;
pub mod start;
pub mod step;
pub mod sweep;
pub mod undo;
pub mod world;

pub use action::Action;
pub use defect::Defect;
pub use faults::{FREE, Fault, Faults};
pub use promise::Promise;
pub use protocol::Protocol;
pub use search::{Graph, Violation};
pub use world::World;
