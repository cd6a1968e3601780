//! The designs that must not pass: each leaves out, or gets wrong, one thing.

/// One thing wrong. The names in brackets are those of RELIABILITY.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A settlement asks for nothing (N4).
    SettleUnfenced,
    /// A settlement asks for `state = leased` alone (M1).
    SettleByStateAlone,
    /// One number is both turn and epoch: a dead lease makes the step ready under the number it had, because the
    /// ticket carries it, and a settlement asks for that number.
    OneNumber,
    /// A retry keeps its turn, and a ticket that was once published is not published again (N4e).
    RetryKeepsTurn,
    /// A row marked as ticketed is never given another ticket (N12).
    SweeperTrustsTheMark,
    /// Nobody looks for lost tickets, due timers and dead leases (N1).
    NoSweeper,
    /// Tickets are published before the commit that makes them true, and nobody sweeps (N2).
    PublishBeforeCommit,
    /// Tickets are acked when received, and nobody sweeps (N3).
    AckBeforeSettle,
    /// In-process tickets, nobody sweeps, and a new process does not look what the dead one left (N16).
    NoStartUpScan,
    /// An admin replays the letter he saw a moment ago, whatever became of it (N5).
    ReplayWithoutCompareAndSet,
    /// An admin discards the letter he saw a moment ago, and the undo it then planned (N5).
    DiscardWithoutLock,
    /// A cancel leaves the parked saga's letter open.
    CancelLeavesLetterOpen,
    /// All undos at once (N6).
    UndoFannedOut,
    /// Undo does not wait for siblings at work.
    UndoBesideWork,
    /// The pivot leaves the undos before it armed.
    PivotDisarmsNothing,
    /// Undo for what surely succeeded only.
    UndoOnlyWhatSucceeded,
    /// Undo skips a deed that has no attempts on its row; but a replay begins to count anew.
    UndoSkipsByAttempts,
    /// Undo skips a deed that a person answered for, as no worker ever had it.
    UndoForgetsSkipped,
    /// A replay gives the step a fresh row, epoch and all.
    ReplayResetsEpoch,
    /// A worker whose settlement was refused runs on all the same.
    RunOnIgnoresTheFence,
    /// A worker does not ask whether it still holds the lease before it pays.
    PayWithoutLease,
    /// A worker pays although an answer is stored.
    PayAgain,
    /// A dead lease in a saga that is being undone makes its step ready again.
    ExpiryForgetsUndo,
    /// A dead lease that was the step's last fails the step and does not look whether the saga must park.
    ExpiryForgetsToPark,
    /// A settlement takes a saga that is being undone for a running one.
    SettleForgetsUndo,
    /// Two siblings settle at once, neither holds the saga, and neither sees the other's answer.
    SettleWithoutLock,
    /// An answer without a lease is written over whatever has become of the saga.
    UnleasedUnfenced,
    /// An answer without a lease, whose saga has changed, is settled as if it had one: by the epoch it would have got.
    UnleasedByEpoch,

    // Not wrong, only less: the suite shows that they hold, and how far.
    /// Nobody sweeps, but a new process looks once. Holds as long as nothing but the whole process dies.
    ScanInsteadOfSweeper,
    /// A claim asks for `state = ready` alone (M3).
    ClaimByStateAlone,
    /// Tickets are acked when received; the sweeper makes up for it (M7).
    AckOnReceive,
    /// A settlement asks for `state = leased and turn = ?`. As every step that is ready anew has a new turn, no turn
    /// is claimed twice.
    TurnIsTheFence,
}

impl Defect {
    /// Whether this design goes without a sweeper.
    pub(crate) fn is_unswept(self) -> bool {
        matches!(
            self,
            Self::NoSweeper
                | Self::PublishBeforeCommit
                | Self::AckBeforeSettle
                | Self::NoStartUpScan
                | Self::ScanInsteadOfSweeper
        )
    }

    /// Whether this design publishes a ticket once and then relies on it.
    pub(crate) fn trusts_mark(self) -> bool {
        matches!(self, Self::RetryKeepsTurn | Self::SweeperTrustsTheMark)
    }
}
