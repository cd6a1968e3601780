//! A suite counts only if it fails every bad design: each is caught, for its own reason, by faults that the protocol
//! survives.

use model::{Defect, FREE, Fault, Faults, Graph, Promise, Protocol};

/// The design, the faults that give it away, and the promise it breaks.
type Case = (Defect, &'static [(Fault, u8)], Promise);

const CASES: &[Case] = &[
    (
        Defect::UndoForgetsSkipped,
        &[(Fault::Skip, 1), (Fault::Cancel, 1)],
        Promise::UndoExactlyInReverse,
    ),
    (
        Defect::UnleasedUnfenced,
        &[(Fault::Copy, 1)],
        Promise::EffectAtMostOnce,
    ),
    (
        Defect::UnleasedByEpoch,
        &[(Fault::Copy, 1)],
        Promise::OnlyTheOwnerSettles,
    ),
    (
        Defect::SettleUnfenced,
        &[(Fault::Overrun, 1)],
        Promise::EffectAtMostOnce,
    ),
    (
        Defect::SettleByStateAlone,
        &[(Fault::Overrun, 1), (Fault::Fail, 1)],
        Promise::NoUndoBesideWork,
    ),
    (
        Defect::OneNumber,
        &[(Fault::Overrun, 1), (Fault::Fail, 1)],
        Promise::NoUndoBesideWork,
    ),
    (
        Defect::RetryKeepsTurn,
        &[(Fault::Retry, 1)],
        Promise::CanStillEnd,
    ),
    (
        Defect::SweeperTrustsTheMark,
        &[(Fault::Loss, 1)],
        Promise::CanStillEnd,
    ),
    (Defect::NoSweeper, &[(Fault::Loss, 1)], Promise::CanStillEnd),
    (
        Defect::NoSweeper,
        &[(Fault::Unpublished, 1)],
        Promise::CanStillEnd,
    ),
    (
        Defect::NoSweeper,
        &[(Fault::Crash, 1)],
        Promise::CanStillEnd,
    ),
    (Defect::PublishBeforeCommit, &[], Promise::CanStillEnd),
    (
        Defect::AckBeforeSettle,
        &[(Fault::CrashBeforeClaim, 1)],
        Promise::CanStillEnd,
    ),
    (
        Defect::NoStartUpScan,
        &[(Fault::ProcessDeath, 1)],
        Promise::CanStillEnd,
    ),
    (
        Defect::ReplayWithoutCompareAndSet,
        &[(Fault::Fail, 1), (Fault::Replay, 2)],
        Promise::EndedStaysEnded,
    ),
    (
        Defect::DiscardWithoutLock,
        &[(Fault::Fail, 1), (Fault::Replay, 1)],
        Promise::NoUndoBesideWork,
    ),
    (
        Defect::CancelLeavesLetterOpen,
        &[(Fault::Fail, 1), (Fault::Cancel, 1), (Fault::Replay, 1)],
        Promise::UndoIsNotRevoked,
    ),
    (
        Defect::UndoFannedOut,
        &[(Fault::Cancel, 1)],
        Promise::UndoExactlyInReverse,
    ),
    (
        Defect::UndoBesideWork,
        &[(Fault::Cancel, 1)],
        Promise::NoUndoBesideWork,
    ),
    (
        Defect::PivotDisarmsNothing,
        &[(Fault::Fail, 1)],
        Promise::UndoExactlyInReverse,
    ),
    (
        Defect::UndoOnlyWhatSucceeded,
        &[(Fault::Cancel, 1), (Fault::Crash, 1)],
        Promise::UndoExactlyInReverse,
    ),
    (
        Defect::RunOnIgnoresTheFence,
        &[(Fault::Overrun, 2)],
        Promise::EffectAtMostOnce,
    ),
    (
        Defect::UndoSkipsByAttempts,
        &[(Fault::Fail, 1), (Fault::Replay, 1), (Fault::Cancel, 1)],
        Promise::UndoExactlyInReverse,
    ),
    (
        Defect::ReplayResetsEpoch,
        &[(Fault::Overrun, 1), (Fault::Fail, 1), (Fault::Replay, 1)],
        Promise::OnlyTheOwnerSettles,
    ),
    (
        Defect::PayWithoutLease,
        &[(Fault::Overrun, 1), (Fault::Cancel, 1)],
        Promise::NoCallAfterUndo,
    ),
    (
        Defect::PayAgain,
        &[(Fault::Crash, 1)],
        Promise::StoredAnswerNotPaidAgain,
    ),
    (
        Defect::ExpiryForgetsUndo,
        &[(Fault::Cancel, 1), (Fault::Crash, 1)],
        Promise::NoUndoBesideWork,
    ),
    (
        Defect::ExpiryForgetsToPark,
        &[(Fault::Crash, 2)],
        Promise::NeverAdrift,
    ),
    (
        Defect::SettleForgetsUndo,
        &[(Fault::Cancel, 1)],
        Promise::UndoIsNotRevoked,
    ),
    (Defect::SettleWithoutLock, &[], Promise::NeverAdrift),
];

fn faults(limits: &[(Fault, u8)]) -> Faults {
    let sum = limits.iter().map(|(_, limit)| limit).sum();
    let none = Faults::at_most(sum);
    let add = |faults: Faults, (fault, limit): &(Fault, u8)| faults.with(*fault, *limit);
    limits.iter().fold(none, add)
}

#[test]
fn every_bad_design_is_caught() {
    for (defect, limits, promise) in CASES {
        let protocol = Protocol::new(faults(limits)).workers(3).unleased();
        let sound = Graph::search(&protocol);
        assert!(
            sound.violation().is_none(),
            "the protocol itself fails under {limits:?}"
        );
        let graph = Graph::hunt(&protocol.with(*defect), &[*promise]);
        let caught = graph.violation();
        let caught = caught.unwrap_or_else(|| panic!("{defect:?} passes under {limits:?}"));
        println!("{defect:?} under {limits:?}: {caught}\n");
    }
}

#[test]
fn a_design_without_a_sweeper_holds_only_when_nothing_fails() {
    let unswept = Protocol::new(Faults::at_most(0)).with(Defect::NoSweeper);
    assert!(Graph::search(&unswept).violation().is_none());
}

#[test]
fn what_may_be_left_out_is_known() {
    let wild = Faults::at_most(3)
        .with(Fault::Crash, 2)
        .with(Fault::CrashBeforeClaim, 2)
        .with(Fault::Overrun, 2)
        .with(Fault::Retry, 1)
        .with(Fault::Fail, 1)
        .with(Fault::Copy, 2)
        .with(Fault::Cancel, 1)
        .with(Fault::Replay, 1)
        .with(Fault::Loss, FREE);
    let deaths = Faults::at_most(2).with(Fault::ProcessDeath, 2);
    for (design, faults) in [
        (Defect::ClaimByStateAlone, wild),
        (Defect::AckOnReceive, wild),
        (Defect::TurnIsTheFence, wild),
        (Defect::ScanInsteadOfSweeper, deaths),
    ] {
        let graph = Graph::search(&Protocol::new(faults).with(design));
        println!("{design:?}: {} worlds", graph.worlds().len());
        if let Some(violation) = graph.violation() {
            panic!("{design:?}: {violation}");
        }
    }
}
