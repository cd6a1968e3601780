//! The HTTP API of Chorus: commits commands and answers 202; tells how jobs are; never calls a model.

mod asked;
mod auth;
mod body;
mod client;
mod code;
mod context;
mod cors;
mod etag;
mod forget;
mod front;
mod idempotency;
mod jobs;
mod meter;
mod operations;
mod page;
mod params;
mod prefer;
mod problem;
mod rate;
mod reference;
mod router;
mod routes;
mod run;
mod server;
mod settings;
mod state;
pub mod token;

pub use auth::passwords::hash_password;
pub use auth::table;
pub use rate::SharedRates;
pub use reference::openapi;
pub use router::router;
pub use run::run;
pub use server::{Patience, serve};
pub use settings::{ApiSettings, Origins};
pub use state::{State, StateError};
