//! How much may go wrong in one run of the model.

/// Anything that is not the protocol going its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// A worker dies with a step in its hands.
    Crash,
    /// A worker dies with a delivery that it has not claimed yet.
    CrashBeforeClaim,
    /// A lease ends although its worker lives and goes on.
    Overrun,
    /// A handler asks to be tried again.
    Retry,
    /// A handler gives up for good.
    Fail,
    /// The broker forgets a ticket, or all of them.
    Loss,
    /// The broker delivers a ticket and keeps a copy for later.
    Copy,
    /// The process dies with all its workers, and takes the in-process transport with it.
    ProcessDeath,
    /// A process dies between its commit and its tickets.
    Unpublished,
    /// Somebody cancels the saga.
    Cancel,
    /// An admin replays a letter.
    Replay,
    /// An operator pauses the saga.
    Pause,
    /// An operator answers in a step's place.
    Skip,
}

impl Fault {
    const COUNT: usize = Self::Skip as usize + 1;
}

/// No limit, and nothing is counted: the search ends because the states do.
pub const FREE: u8 = u8::MAX;

/// What is left of each fault, and of the sum of those that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Faults {
    left: [u8; Fault::COUNT],
    sum: u8,
}

impl Faults {
    /// At most `sum` counted faults in all; none of any kind until [`Faults::with`] allows it.
    pub fn at_most(sum: u8) -> Self {
        Self {
            left: [0; Fault::COUNT],
            sum,
        }
    }

    #[must_use]
    pub fn with(mut self, fault: Fault, limit: u8) -> Self {
        self.left[fault as usize] = limit;
        self
    }

    pub fn allow(&self, fault: Fault) -> bool {
        match self.left[fault as usize] {
            FREE => true,
            left => left > 0 && self.sum > 0,
        }
    }

    pub fn spend(&mut self, fault: Fault) {
        let left = &mut self.left[fault as usize];
        if *left != FREE {
            *left -= 1;
            self.sum -= 1;
        }
    }
}
