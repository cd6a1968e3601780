//! The two tables of transitions, written out once more: what is not here is illegal.

use saga_core::state::{
    Illegal, SagaEvent as G, SagaState as S, StepEvent as E, StepState as T, next_saga, next_step,
};
use std::collections::BTreeSet;
use std::fmt::Debug;

const STEP_EVENTS: [E; 9] = [
    E::Claim,
    E::Answer,
    E::Retry,
    E::GiveUp,
    E::MakeReady,
    E::Cancel,
    E::Hold,
    E::Skip,
    E::Forgo,
];
const SAGA_EVENTS: [G; 10] = [
    G::Work,
    G::Wait,
    G::Park,
    G::Resume,
    G::Pause,
    G::Enqueue,
    G::Unwind,
    G::Stick,
    G::Succeed,
    G::Finish,
];

const STEPS: [(T, E, T); 22] = [
    (T::Ready, E::Claim, T::Leased),
    (T::Ready, E::Cancel, T::Cancelled),
    (T::Leased, E::Answer, T::Done),
    (T::Leased, E::Retry, T::Retrying),
    (T::Leased, E::GiveUp, T::Failed),
    (T::Leased, E::MakeReady, T::Ready),
    (T::Retrying, E::MakeReady, T::Ready),
    (T::Retrying, E::Cancel, T::Cancelled),
    (T::Waiting, E::Answer, T::Done),
    (T::Waiting, E::GiveUp, T::Failed),
    (T::Waiting, E::MakeReady, T::Ready),
    (T::Waiting, E::Cancel, T::Cancelled),
    (T::Failed, E::MakeReady, T::Ready),
    (T::Ready, E::Hold, T::Waiting),
    (T::Ready, E::Skip, T::Done),
    (T::Retrying, E::Skip, T::Done),
    (T::Waiting, E::Skip, T::Done),
    (T::Failed, E::Skip, T::Done),
    (T::Ready, E::Forgo, T::Failed),
    (T::Retrying, E::Forgo, T::Failed),
    (T::Waiting, E::Forgo, T::Failed),
    (T::Failed, E::Forgo, T::Failed),
];
const SAGAS: [(S, G, S); 27] = [
    (S::Queued, G::Work, S::Running),
    (S::Queued, G::Wait, S::Waiting),
    (S::Queued, G::Park, S::Parked),
    (S::Queued, G::Unwind, S::Undoing),
    (S::Queued, G::Succeed, S::Succeeded),
    (S::Running, G::Work, S::Running),
    (S::Running, G::Wait, S::Waiting),
    (S::Running, G::Park, S::Parked),
    (S::Running, G::Unwind, S::Undoing),
    (S::Running, G::Succeed, S::Succeeded),
    (S::Waiting, G::Work, S::Running),
    (S::Waiting, G::Wait, S::Waiting),
    (S::Waiting, G::Park, S::Parked),
    (S::Waiting, G::Unwind, S::Undoing),
    (S::Waiting, G::Succeed, S::Succeeded),
    (S::Queued, G::Pause, S::Paused),
    (S::Running, G::Pause, S::Paused),
    (S::Waiting, G::Pause, S::Paused),
    (S::Paused, G::Enqueue, S::Queued),
    (S::Paused, G::Resume, S::Running),
    (S::Paused, G::Unwind, S::Undoing),
    (S::Parked, G::Park, S::Parked),
    (S::Parked, G::Resume, S::Running),
    (S::Parked, G::Unwind, S::Undoing),
    (S::Undoing, G::Stick, S::Stuck),
    (S::Undoing, G::Finish, S::Undone),
    (S::Stuck, G::Resume, S::Undoing),
];

/// Tries every event in every state: the legal moves, in the order of the states and events.
fn moves<A: Copy + Debug + PartialEq, B: Copy + Debug + PartialEq>(
    states: &[A],
    events: &[B],
    next: fn(A, B) -> Result<A, Illegal<A, B>>,
) -> Vec<(A, B, A)> {
    let mut legal = vec![];
    for &state in states {
        for &event in events {
            match next(state, event) {
                Ok(to) => legal.push((state, event, to)),
                Err(illegal) => assert_eq!(illegal, Illegal { state, event }),
            }
        }
    }
    legal
}

fn reached<A: Copy + Ord, B>(first: &[A], moves: &[(A, B, A)]) -> BTreeSet<A> {
    let mut reached: BTreeSet<A> = first.iter().copied().collect();
    for _ in moves {
        let on = moves.iter().filter(|(from, _, _)| reached.contains(from));
        let more: Vec<A> = on.map(|(_, _, to)| *to).collect();
        reached.extend(more);
    }
    reached
}

fn same<M: Debug + PartialEq>(found: &[M], written: &[M]) {
    for one in found {
        assert!(written.contains(one), "legal, but not written: {one:?}");
    }
    for one in written {
        assert!(found.contains(one), "written, but not legal: {one:?}");
    }
}

#[test]
fn a_step_moves_as_the_table_says_and_in_no_other_way() {
    same(&moves(&T::ALL, &STEP_EVENTS, next_step), &STEPS);
}

#[test]
fn a_saga_moves_as_the_table_says_and_in_no_other_way() {
    same(&moves(&S::ALL, &SAGA_EVENTS, next_saga), &SAGAS);
}

#[test]
fn every_state_is_reached_from_the_first() {
    // A deed begins ready; a timer, a wait and an undo begin waiting.
    let first = [T::Ready, T::Waiting];
    assert_eq!(reached(&first, &STEPS), T::ALL.into());
    assert_eq!(reached(&[S::Queued], &SAGAS), S::ALL.into());
}

#[test]
fn nothing_leads_out_of_an_end() {
    for state in S::ALL {
        let leads_out = SAGAS.iter().any(|(from, _, _)| *from == state);
        assert_eq!(state.is_final(), !leads_out, "{state:?}");
    }
    let ends = STEPS
        .iter()
        .filter(|(from, _, _)| matches!(from, T::Done | T::Cancelled));
    assert_eq!(ends.count(), 0);
}
