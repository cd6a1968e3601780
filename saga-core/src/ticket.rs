//! The broker message that says "this step is ready": ids only, never user data.

use crate::journal::Key;
use crate::run::{SagaRow, StepRow};
use crate::trace::Trace;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Largest ticket, in bytes.
pub const TICKET_BYTES_MAX: usize = 1024;
const VERSION: u8 = 1;

/// Says that a step is ready. Losing, doubling or reordering tickets costs time, never work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// Format version.
    v: u8,
    /// The saga.
    pub saga: Uuid,
    /// The step's key within the saga.
    pub step: Key,
    /// The turn in which it is ready; a ticket of an older turn is void.
    pub turn: i64,
    /// Whose workers it is for.
    pub queue: String,
    /// The request that started the saga, for logs.
    pub request: String,
    /// The trace that the saga belongs to.
    #[serde(
        default,
        deserialize_with = "readable",
        skip_serializing_if = "Option::is_none"
    )]
    pub trace: Option<Trace>,
    /// Tickets confirmed for this turn before this one; stays in memory.
    #[serde(skip)]
    pub(crate) confirmed: i64,
}

/// A trace that cannot be read, of a newer program perhaps, is none: the ticket is good all the same.
fn readable<'de, D: Deserializer<'de>>(trace: D) -> Result<Option<Trace>, D::Error> {
    let written = Option::<serde_json::Value>::deserialize(trace)?;
    Ok(written.and_then(|written| Trace::parse(written.as_str()?).ok()))
}

/// Why a message is not a ticket.
#[derive(Debug, thiserror::Error)]
pub enum NotATicket {
    /// It is longer than a ticket can be.
    #[error("{0} bytes are more than a ticket has")]
    TooLong(usize),
    /// It is not a ticket's JSON.
    #[error("it is not a ticket's JSON")]
    Malformed(#[source] serde_json::Error),
    /// It was made by another version of this program.
    #[error("it has format version {0}, this program reads {VERSION}")]
    Version(u8),
}

impl Ticket {
    /// The ticket of a step; timers and waits have none.
    pub fn of(saga: &SagaRow, step: &StepRow) -> Option<Self> {
        let queue = step.queue.clone()?;
        Some(Self {
            v: VERSION,
            saga: saga.id,
            step: step.key.clone(),
            turn: step.turn,
            queue,
            request: saga.request_id.clone(),
            trace: saga.trace.clone(),
            confirmed: step.tickets,
        })
    }

    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a ticket is made of plain data")
    }

    /// Reads a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotATicket> {
        if bytes.len() > TICKET_BYTES_MAX {
            return Err(NotATicket::TooLong(bytes.len()));
        }
        let ticket: Self = serde_json::from_slice(bytes).map_err(NotATicket::Malformed)?;
        if ticket.v == VERSION {
            Ok(ticket)
        } else {
            Err(NotATicket::Version(ticket.v))
        }
    }
}
