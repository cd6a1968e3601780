//! Taking back: newest first, one at a time, never beside a deed at work, never past a pivot.

use crate::defect::Defect;
use crate::protocol::Protocol;
use crate::step::{Step, Steps};
use crate::world::{RowState, SagaState, World};

impl Protocol {
    /// A cancel or a discard: no deed starts any more, every letter is closed, and undo begins when the last lease
    /// of a deed has ended.
    pub(crate) fn begin_undo(&self, world: &mut World) {
        world.saga = SagaState::Undoing;
        for step in Step::WORK {
            let is_open = matches!(
                world.row(step).state,
                RowState::Ready | RowState::Retrying | RowState::Waiting
            );
            if is_open {
                world.row_mut(step).state = RowState::Cancelled;
            }
        }
        let fresh = self.advance_undo(world);
        self.announce(world, fresh);
    }

    /// Makes the next undo ready. One whose deed was never claimed, nor answered for, is skipped: nothing can have
    /// happened.
    pub(crate) fn advance_undo(&self, world: &mut World) -> Steps {
        let careless = self.has(Defect::UndoBesideWork) || self.has(Defect::DiscardWithoutLock);
        if world.is_any_deed_leased() && !careless {
            return Steps::NONE;
        }
        let mut fresh = Steps::NONE;
        for undo in Step::UNDO {
            match world.row(undo).state {
                RowState::Ready | RowState::Leased | RowState::Retrying | RowState::Failed => {
                    return fresh;
                }
                RowState::Waiting if self.may_have_happened(world, undo) => {
                    world.row_mut(undo).state = RowState::Ready;
                    fresh.insert(undo);
                    if !self.has(Defect::UndoFannedOut) {
                        return fresh;
                    }
                }
                RowState::Waiting => world.row_mut(undo).state = RowState::Cancelled,
                RowState::Absent | RowState::Done | RowState::Cancelled => {}
            }
        }
        if fresh.is_empty() {
            world.saga = SagaState::Undone;
        }
        fresh
    }

    fn may_have_happened(&self, world: &World, undo: Step) -> bool {
        let deed = undo.deed().map(|deed| world.row(deed));
        if self.has(Defect::UndoOnlyWhatSucceeded) {
            deed.is_some_and(|row| row.state == RowState::Done)
        } else if self.has(Defect::UndoSkipsByAttempts) {
            deed.is_some_and(|row| row.attempts > 0)
        } else if self.has(Defect::UndoForgetsSkipped) {
            deed.is_some_and(|row| row.epoch > 0)
        } else {
            deed.is_some_and(|row| row.epoch > 0 || row.state == RowState::Done)
        }
    }
}
