//! What must hold in every reachable world.

use crate::step::Step;
use crate::world::{RowState, SagaState, Work, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Promise {
    EffectAtMostOnce,
    NoEffectAfterUndo,
    /// Newest first, one at a time, exactly those deeds that happened or may have, and none past a pivot.
    UndoExactlyInReverse,
    /// In the store's eyes, and also in those of a worker whose lease has not ended.
    NoUndoBesideWork,
    EndedStaysEnded,
    /// Once undo was promised, it is undone or stuck.
    UndoIsNotRevoked,
    /// Nobody can replay what is over.
    EndedHasNoLetter,
    /// A saga that succeeded has all its effects.
    SuccessIsComplete,
    OneReplayPerLetter,
    PaidAtMostOncePerClaim,
    StoredAnswerNotPaidAgain,
    NoCallAfterUndo,
    /// Whoever is not, or no longer, the owner settles nothing.
    OnlyTheOwnerSettles,
    /// A live saga has a step in flight or an open letter (DESIGN.md, invariant 7).
    NeverAdrift,
    /// Once faults stop, the saga can end, or is parked in plain sight. Checked by [`crate::search`].
    CanStillEnd,
}

impl Promise {
    pub const ALL: [Self; 15] = [
        Self::EffectAtMostOnce,
        Self::NoEffectAfterUndo,
        Self::UndoExactlyInReverse,
        Self::NoUndoBesideWork,
        Self::EndedStaysEnded,
        Self::UndoIsNotRevoked,
        Self::EndedHasNoLetter,
        Self::SuccessIsComplete,
        Self::OneReplayPerLetter,
        Self::PaidAtMostOncePerClaim,
        Self::StoredAnswerNotPaidAgain,
        Self::NoCallAfterUndo,
        Self::OnlyTheOwnerSettles,
        Self::NeverAdrift,
        Self::CanStillEnd,
    ];
}

/// The promises this world has broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Broken(u16);

impl Broken {
    pub fn insert(&mut self, promise: Promise) {
        self.0 |= 1 << promise as u8;
    }

    pub fn contains(self, promise: Promise) -> bool {
        self.0 & (1 << promise as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Promise> {
        Promise::ALL
            .into_iter()
            .filter(move |promise| self.contains(*promise))
    }
}

impl World {
    /// Whether a worker is at this step under a lease that has not ended.
    pub fn has_live_lease(&self, step: Step) -> bool {
        let mut works = self.workers.iter().flatten();
        works.any(|work| work.step == step && !work.is_late && !work.is_unleased)
    }

    /// The settlement of `work` is about to be taken.
    pub(crate) fn judge_settlement(&mut self, work: Work) {
        let row = self.row(work.step);
        if work.is_late || row.epoch != work.epoch || row.state != RowState::Leased {
            self.break_promise(Promise::OnlyTheOwnerSettles);
        }
    }

    /// The effect of `step` is committed. This is where doubles, ghosts and wrong orders show.
    pub(crate) fn record_effect(&mut self, step: Step) {
        if self.effects.contains(step) || self.skipped.contains(step) {
            self.break_promise(Promise::EffectAtMostOnce);
        }
        self.effects.insert(step);
        if step.undo().is_some_and(|undo| self.row(undo).epoch > 0) {
            self.break_promise(Promise::NoEffectAfterUndo);
        }
        if let Some(deed) = step.deed() {
            let newer = Step::UNDO.into_iter().take_while(|undo| *undo != step);
            let is_in_order = newer.into_iter().all(|undo| self.is_taken_back(undo));
            if !is_in_order || self.is_untouched(deed) || self.pivoted {
                self.break_promise(Promise::UndoExactlyInReverse);
            }
        }
    }

    /// The deed of `undo` cannot have happened, or its undo did.
    fn is_taken_back(&self, undo: Step) -> bool {
        let is_untouched = undo.deed().is_some_and(|deed| self.is_untouched(deed));
        is_untouched || self.effects.contains(undo)
    }

    /// No worker ever had it, and nobody answered for it.
    fn is_untouched(&self, deed: Step) -> bool {
        self.row(deed).epoch == 0 && !self.skipped.contains(deed)
    }

    /// Judges the world as it is now, and how it came from `before`.
    pub(crate) fn judge_change(&mut self, before: &Self) {
        if before.is_over() && self.saga != before.saga {
            self.break_promise(Promise::EndedStaysEnded);
        }
        if !before.is_over() {
            self.judge_end();
        }
        let is_undoing = |world: &Self| {
            use SagaState::{Stuck, Undoing, Undone};
            matches!(world.saga, Undoing | Undone | Stuck)
        };
        if is_undoing(before) && !is_undoing(self) {
            self.break_promise(Promise::UndoIsNotRevoked);
        }
        if self.is_over() && !self.letters.is_empty() {
            self.break_promise(Promise::EndedHasNoLetter);
        }
        if self.is_adrift() {
            self.break_promise(Promise::NeverAdrift);
        }
        let undos = Step::UNDO.iter();
        let active = undos.filter(|undo| self.row(**undo).is_in_flight());
        match active.count() {
            1 if self.is_deed_at_work() => self.break_promise(Promise::NoUndoBesideWork),
            0 | 1 => {}
            _ => self.break_promise(Promise::UndoExactlyInReverse),
        }
    }

    fn judge_end(&mut self) {
        let is_there = |step: &Step| self.effects.contains(*step) || self.skipped.contains(*step);
        let has_every_effect = Step::WORK.iter().all(is_there);
        if self.saga == SagaState::Succeeded && !has_every_effect {
            self.break_promise(Promise::SuccessIsComplete);
        }
        let is_taken_back = Step::UNDO.into_iter().all(|undo| self.is_taken_back(undo));
        if self.saga == SagaState::Undone && !self.pivoted && !is_taken_back {
            self.break_promise(Promise::UndoExactlyInReverse);
        }
    }

    fn is_deed_at_work(&self) -> bool {
        let is_live = |step: &Step| self.is(*step, RowState::Leased) || self.has_live_lease(*step);
        Step::WORK.iter().any(is_live)
    }

    /// Alive, and nothing in the store would ever move it.
    fn is_adrift(&self) -> bool {
        let is_live = match self.saga {
            SagaState::Running | SagaState::Parked | SagaState::Undoing | SagaState::Stuck => true,
            SagaState::Absent | SagaState::Paused | SagaState::Succeeded | SagaState::Undone => {
                false
            }
        };
        let is_moving = Step::ALL.iter().any(|step| self.row(*step).is_in_flight());
        is_live && !is_moving && self.letters.is_empty()
    }
}
