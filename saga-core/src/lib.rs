//! The engine of Chorus: durable sagas over a store that is the only truth and a broker that may
//! lose, double and reorder what it likes. It knows no persona.
#![warn(missing_docs)]

pub mod advance;
pub mod caps;
pub mod client;
mod clock;
pub mod db;
pub mod fault;
pub mod flow;
pub mod group;
pub mod handler;
pub mod journal;
pub mod kinds;
mod merge;
pub mod prices;
pub mod record;
pub mod rehearsal;
pub mod relay;
pub mod replayer;
pub mod retirement;
pub mod retry;
pub mod review;
pub mod rules;
pub mod run;
pub mod saga;
pub mod scale;
pub mod schedule;
pub mod state;
pub mod store;
pub mod sweeper;
pub mod tally;
pub mod ticket;
pub mod trace;
pub mod transport;
pub mod usage;
pub mod worker;

pub use caps::Caps;
pub use client::Client;
pub use flow::{Child, Children, Flow, Halt, Started};
pub use handler::{Handler, Handlers, Provider, Reach, RecordOf, Reply, StepContext, StepError};
pub use journal::{Class, Failure, Key};
pub use kinds::Kinds;
pub use prices::{Price, Prices};
pub use review::Review;
pub use saga::{Queue, Retry, Saga, Signal, SingletonKey, Step};
pub use store::Store;
pub use ticket::Ticket;
pub use usage::Usage;
