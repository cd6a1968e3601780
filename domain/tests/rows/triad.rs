//! Every kind that is registered, broken at every step and with every step and every undo done twice.

use crate::stories::forge;
use crate::topic_stories::{draft, round};
use domain::accounts::erase::{
    CloseAccount, Closed, Erase, EraseAccount, EraseFiles, EraseRows, ReopenAccount,
};
use domain::demo::{Demo, DemoFail, DemoPair, DemoRelay, Stumble, Touch, TouchImage};
use domain::mirror::forge::ForgePersona;
use saga_core::Saga;
use saga_core::rehearsal::Rehearsal;
use saga_core::state::SagaState;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How a saga ends when one of its deeds fails for good, and what it takes back.
type Broken<'t> = (SagaState, &'t [&'t str]);

/// Plays a kind in every way of the triad; `broken` tells the end for each of its deeds in turn.
fn triad<S: Saga>(play: impl Fn() -> Rehearsal<S>, broken: &[Broken]) -> &'static str {
    let well = play().play();
    assert_eq!(well.state, SagaState::Succeeded, "{:#?}", well.lines);
    assert_eq!(well.deeds, broken.len(), "an end is told for every deed");
    let twice = play().twice().play();
    assert_eq!(
        (twice.state, twice.did(), twice.undid()),
        (well.state, well.did(), well.undid())
    );
    for (nth, (state, undone)) in broken.iter().enumerate() {
        for story in [
            play().breaking_at(nth).play(),
            play().breaking_at(nth).twice().play(),
        ] {
            let what = format!("{} without its deed {nth}: {:#?}", S::KIND, story.lines);
            assert_eq!(story.state, *state, "{what}");
            assert_eq!(story.undid(), *undone, "{what}");
        }
    }
    S::KIND
}

const NOTHING: Broken = (SagaState::Undone, &[]);
const DRAFT: Broken = (SagaState::Undone, &["persona.discard_draft#1"]);
const DEGRADED: Broken = (SagaState::Succeeded, &[]);
const REOPENED: Broken = (SagaState::Undone, &["account.reopen#1"]);
const GIVEN_BACK: Broken = (SagaState::Undone, &["topic.give_back#1"]);
const FORGOTTEN: Broken = (
    SagaState::Undone,
    &["topic.forget_clusters#1", "topic.give_back#1"],
);
const PAST_THE_PIVOT: Broken = (SagaState::Parked, &[]);

/// An account with one job that takes a moment to end.
fn erase() -> Rehearsal<EraseAccount> {
    Rehearsal::of(Erase {
        account: Uuid::from_u128(7),
    })
    .answer(|CloseAccount { account, look }| {
        let open = usize::from(look == 1);
        Ok(Closed { account, open })
    })
    .answer(|step: ReopenAccount| Ok(step))
    .answer(|step: EraseFiles| Ok(step))
    .answer(|step: EraseRows| Ok(step))
}

#[test]
fn every_kind_unwinds_exactly_and_minds_no_repetition() {
    let demo = || Demo {};
    let told = BTreeSet::from([
        triad(forge, &[DRAFT, DRAFT, DEGRADED, DEGRADED, PAST_THE_PIVOT]),
        triad(
            || Rehearsal::<DemoPair>::of(demo()).answer(|_: Touch| Ok(())),
            &[NOTHING, NOTHING],
        ),
        triad(
            || {
                Rehearsal::<DemoRelay>::of(demo())
                    .answer(|_: Touch| Ok(()))
                    .answer(|_: TouchImage| Ok(()))
            },
            &[NOTHING, NOTHING],
        ),
        triad(
            || Rehearsal::<DemoFail>::of(demo()).answer(|_: Stumble| Ok(())),
            &[NOTHING],
        ),
        triad(
            round,
            &[
                GIVEN_BACK,
                GIVEN_BACK,
                FORGOTTEN,
                FORGOTTEN,
                DEGRADED,
                DEGRADED,
                PAST_THE_PIVOT,
            ],
        ),
        triad(draft, &[NOTHING, DEGRADED, PAST_THE_PIVOT]),
        triad(erase, &[REOPENED, REOPENED, PAST_THE_PIVOT, PAST_THE_PIVOT]),
        #[cfg(feature = "faults")]
        triad(drill::trip, &drill::BROKEN),
    ]);
    let registered: BTreeSet<&str> = domain::catalog::kinds()
        .iter()
        .map(|kind| kind.name)
        .collect();
    assert_eq!(told, registered, "a kind without a triad");
    assert!(told.contains(ForgePersona::KIND));
}

#[cfg(feature = "faults")]
mod drill {
    use super::{Broken, PAST_THE_PIVOT, Rehearsal, SagaState};
    use domain::drill::{Deed, Did, DrillTrip, Paint, Pay, Trip, Undo, Unpaint};

    /// c and d are side by side, so d is done, too, when c fails.
    pub(super) const BROKEN: [Broken; 6] = [
        (SagaState::Undone, &["drill.undo#1"]),
        (SagaState::Undone, &["drill.undo#2", "drill.undo#1"]),
        (SagaState::Undone, &C_AND_D),
        (SagaState::Undone, &C_AND_D),
        (
            SagaState::Undone,
            &[
                "drill.unpaint#2",
                "drill.undo#3",
                "drill.unpaint#1",
                "drill.undo#2",
                "drill.undo#1",
            ],
        ),
        PAST_THE_PIVOT,
    ];
    const C_AND_D: [&str; 4] = [
        "drill.undo#3",
        "drill.unpaint#1",
        "drill.undo#2",
        "drill.undo#1",
    ];

    fn did(task: domain::drill::Task) -> Did {
        Did { name: task.name }
    }

    pub(super) fn trip() -> Rehearsal<DrillTrip> {
        Rehearsal::of(Trip {
            pivot: true,
            ..Trip::default()
        })
        .answer(|Deed(task)| Ok(did(task)))
        .answer(|Pay(task)| Ok(did(task)))
        .answer(|Paint(task)| Ok(did(task)))
        .answer(|Undo(task)| Ok(did(task)))
        .answer(|Unpaint(task)| Ok(did(task)))
    }
}
