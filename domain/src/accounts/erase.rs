//! The saga `account.erase`: an account goes, with everything that it owns.

use crate::queues::{IMAGE, SYNTHESIS};
use saga_core::{Flow, Halt, Queue, Saga, Step};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// How often what is still under way is looked for, and how long there is between two looks: an hour.
const LOOKS_MAX: usize = 60;
const PAUSE: Duration = Duration::from_mins(1);
/// The first looks come sooner: most of what is cancelled is undone within a second.
const SOON_MAX: usize = 5;
const SOON: Duration = Duration::from_secs(1);

/// What an erasure is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// Who goes.
    pub account: Uuid,
}

/// `account.erase`.
pub struct EraseAccount;

impl Saga for EraseAccount {
    const KIND: &'static str = "account.erase";
    const LOCKED: &'static [&'static str] = &["account"];
    type Input = Erase;
    type Output = ();

    fn run(flow: &mut Flow, erase: Erase) -> Result<(), Halt> {
        let Erase { account } = erase;
        flow.phase("close");
        flow.undo_with(ReopenAccount { account });
        let mut look = 1;
        while flow.step(CloseAccount { account, look })?.open > 0 {
            if look == LOOKS_MAX {
                return flow.fail("jobs of the account do not end; see to them, and ask again");
            }
            flow.sleep(if look <= SOON_MAX { SOON } else { PAUSE })?;
            look += 1;
        }

        flow.phase("erase");
        flow.pivot();
        flow.step(EraseFiles { account })?;
        flow.step(EraseRows { account })?;
        Ok(())
    }
}

/// Has nothing new begin for an account, and what is under way end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CloseAccount {
    /// Who goes.
    pub account: Uuid,
    /// For which time it is looked whether everything has ended, from 1.
    pub look: usize,
}

/// An account for which nothing new begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closed {
    /// Who goes.
    pub account: Uuid,
    /// Jobs that have not ended yet.
    pub open: usize,
}

impl Step for CloseAccount {
    const NAME: &'static str = "account.close";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_mins(1);
    type Output = Closed;
}

/// Takes that back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReopenAccount {
    /// Who stays.
    pub account: Uuid,
}

impl Step for ReopenAccount {
    const NAME: &'static str = "account.reopen";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}

/// Removes the files of an account's pictures; on the workers that have them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EraseFiles {
    /// Who goes.
    pub account: Uuid,
}

impl Step for EraseFiles {
    const NAME: &'static str = "account.erase_files";
    const QUEUE: Queue = IMAGE;
    const TIMEOUT: Duration = Duration::from_mins(5);
    type Output = Self;
}

/// Removes an account's rows, and the histories of its jobs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EraseRows {
    /// Who goes.
    pub account: Uuid,
}

impl Step for EraseRows {
    const NAME: &'static str = "account.erase_rows";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_mins(5);
    type Output = Self;
}
