//! Begins a saga again from an older one's input, changed or not.

use super::{Judged, Who, close, write_down};
use crate::db::Tx;
use crate::merge;
use crate::run::{Hindered, Refused, Run};
use crate::state::SagaState;
use crate::store::verbs::{Calls, VerbError, count_calls};
use crate::store::{Letter, NewSaga, Store, letters, links};
use crate::trace;
use serde_json::{Value, json};
use uuid::Uuid;

/// The id of the saga that begins again what a letter is about.
pub(in crate::store) fn again(letter: Uuid) -> Uuid {
    Uuid::new_v5(&letter, b"replay")
}

/// Refuses what was begun again already, and what another saga waits for.
async fn may_begin_again(tx: &mut Tx, run: &Run, letter: &Letter) -> Result<(), VerbError> {
    if let Some(begun) = links::begun_again(tx, run.saga.id).await? {
        if begun == again(letter.id) {
            return Err(Refused::NotOpen.into()); // by this letter, a moment ago
        }
        let how = "By another of its letters it was begun again: its job names the new one.";
        let state = run.saga.state;
        return Err(Hindered::State { state, how }.into());
    }
    if run.saga.parent.is_some() {
        let how = "Another saga began it and waits for it, and would not know of a new one: replay this letter in place, or begin that saga again.";
        let state = run.saga.state;
        return Err(Hindered::State { state, how }.into());
    }
    Ok(())
}

impl Store {
    /// As [`Store::begin_again`], from the input as it was.
    pub(super) async fn replay_from_start(
        &self,
        tx: &mut Tx,
        run: Run,
        letter: &Letter,
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        if run.saga.pivoted && !run.saga.state.is_final() {
            return Err(Refused::Pivoted.into());
        }
        let input = (run.saga.input.clone(), vec![]);
        let begun = self.begin_again(tx, run, letter, ("letter.replay", input), who);
        begun.await
    }

    /// A new saga from an older one's input; its id follows from the letter, so it starts once. Either
    /// one's row or history names the other. An older one that still stands is undone.
    pub(super) async fn begin_again(
        &self,
        tx: &mut Tx,
        mut run: Run,
        letter: &Letter,
        (verb, (input, fields)): (&'static str, (Value, Vec<String>)),
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        may_begin_again(tx, &run, letter).await?;
        let (now, before) = (tx.now().await?, run.clone());
        let new = NewSaga {
            id: again(letter.id),
            kind: run.saga.kind.clone(),
            input,
            owner_id: run.saga.owner_id,
            request_id: run.saga.request_id.clone(),
            trace: trace::current(),
            singleton: run.saga.singleton.clone(),
            replay_of: Some(run.saga.id),
        };
        self.check(&new)?;
        let id = new.id;
        if run.saga.state.is_final() {
            if !letters::take_up(tx, letter.id, who).await? {
                return Err(Refused::NotOpen.into());
            }
            let by = json!({"letter": letter.id, "by": who.0, "reason": who.1, "saga": id});
            run.event("saga.replayed", None, Some(by));
        } else {
            run.give_way(letter.id, who.0, id, &self.kinds, now)?;
            if run.saga.singleton.is_some() && !run.saga.state.is_final() {
                return Err(one_at_a_time(run.saga.state)); // before anything is written
            }
            if run.has_child_at_work() {
                let how = "It has begun other sagas that are still at work: discard this letter, and replay it so once the saga has ended.";
                let state = run.saga.state;
                return Err(Hindered::State { state, how }.into());
            }
            close(tx, letter, "replayed", who).await?;
        }
        let edited = !fields.is_empty();
        let mode = if edited { "edited_copy" } else { "new_job" };
        let detail = json!({"mode": mode, "started": id, "edited": fields});
        write_down(tx, verb, letter, who, detail).await?;
        let mut consequence = run.consequence(&before);
        count_calls(tx, &run, &mut consequence, Calls::All).await?;
        let saga = run.saga.clone();
        let mut tickets = self.decided(tx, run, now).await?;
        let (started, first) = self.start_in(tx, &[new]).await?;
        if !started[0].new {
            return Err(if started[0].id == id {
                Refused::NotOpen.into()
            } else {
                one_at_a_time(saga.state) // another of the same key
            });
        }
        let steps = first.iter().map(|ticket| ticket.step.clone());
        consequence.runs = steps.chain(consequence.runs).collect();
        consequence.kept = 0;
        consequence.starts = Some(id);
        tickets.extend(first);
        Ok(Judged {
            letter: letter.clone(),
            saga: Some(id),
            mode,
            consequence: Some(consequence),
            tickets,
        })
    }

    /// A saga's input, changed as wished and of its own type, and the names of what changed.
    pub(super) fn edited(
        &self,
        run: &Run,
        patch: &Value,
    ) -> Result<(Value, Vec<String>), VerbError> {
        let wrong = |field: &str, why: String| VerbError::Edit {
            pointer: format!("/edit/input{field}"),
            why,
        };
        if run.saga.pivoted && !run.saga.state.is_final() {
            return Err(Refused::Pivoted.into());
        }
        let before = &run.saga.input;
        let mut input = before.clone();
        merge::patch(&mut input, patch);
        let kind = self.kinds.get(&run.saga.kind);
        for field in kind.map_or(&[][..], |kind| kind.locked) {
            if input.get(field) != before.get(field) {
                let why = format!("{field} says whose saga this is and about what; it stays");
                return Err(wrong(&format!("/{field}"), why));
            }
        }
        let fields = merge::changed(before, &input);
        if fields.is_empty() {
            let why = "it changes nothing; to try again as it was, replay without an edit";
            return Err(wrong("", why.to_owned()));
        }
        match kind.map(|kind| kind.check(&input)) {
            Some(Err(why)) => Err(wrong("", format!("the input would not fit: {why}"))),
            Some(Ok(())) | None => Ok((input, fields)),
        }
    }
}

fn one_at_a_time(state: SagaState) -> VerbError {
    let how = "At most one of its kind and key is open: discard this letter, and replay it so once the saga has ended.";
    Hindered::State { state, how }.into()
}
