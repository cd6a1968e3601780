//! What a person decides about a letter, in the caller's transaction: to look what would come of it,
//! the caller does it and does not commit.

mod again;

pub(super) use again::again;

use super::audit::{self, Entry};
use super::control::{ControlError, one};
use super::verbs::{Calls, VerbError, count_calls};
use super::{Letter, Started, Store, letters};
use crate::db::{Durability, Tx};
use crate::run::{Consequence, Hindered, Refused, Run, Skip, StepRow};
use crate::state::SagaState;
use crate::ticket::Ticket;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// How long a discarded letter can be restored.
const RESTORED_WITHIN: TimeDelta = TimeDelta::days(30);

/// What a person may decide about a letter.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// Try its step again; of a saga that has ended, begin a new one from its input.
    Replay,
    /// Begin a new saga from its saga's input, as it was; the old one is undone.
    ReplayFromStart,
    /// Begin a new saga from its saga's input, changed by this JSON Merge Patch; the old one is undone.
    ReplayEdited(Value),
    /// Put this answer in its step's place.
    Skip(Value),
    /// Give it up: what its saga did is undone.
    Discard,
    /// Take a discarded one up again: what was undone cannot come back, so a new saga begins.
    Restore,
}

/// What came of a judgement.
#[derive(Debug)]
pub struct Judged {
    /// The letter, as it is by that.
    pub letter: Letter,
    /// The saga that goes on by it, or begins; none for a message that nobody could read.
    pub saga: Option<Uuid>,
    /// `in_place`, `new_job`, `edited_copy`, or `reopened` for a message that nobody could read.
    pub mode: &'static str,
    /// What came of it, where there is a saga.
    pub consequence: Option<Consequence>,
    /// To be published once it is committed.
    pub tickets: Vec<Ticket>,
}

/// Who decides, and why.
type Who<'a> = (&'a str, &'a str);

impl Store {
    /// Does with a letter what a person decided, once: of two who decide, the second is told that it
    /// is not open any more.
    pub async fn judge(
        &self,
        tx: &mut Tx,
        letter: Uuid,
        judgement: &Judgement,
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        let found = letters::find(tx, letter).await?;
        let found = found.ok_or(VerbError::NotFound)?;
        let done = match found.saga_id {
            Some(saga) => {
                let run = one(tx, saga).await?.ok_or(VerbError::NotFound)?;
                self.judge_run(tx, run, (&found, judgement), who).await?
            }
            None => unreadable(tx, &found, judgement, who).await?,
        };
        let letter = letters::find(tx, letter).await?;
        Ok(Judged {
            letter: letter.ok_or(VerbError::NotFound)?,
            ..done
        })
    }

    async fn judge_run(
        &self,
        tx: &mut Tx,
        run: Run,
        (found, judgement): (&Letter, &Judgement),
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        let ended = matches!(found.state.as_str(), "expired" | "discarded");
        match judgement {
            Judgement::Replay if ended && run.saga.state.is_final() => {
                let input = (run.saga.input.clone(), vec![]);
                self.begin_again(tx, run, found, ("letter.replay", input), who)
                    .await
            }
            Judgement::Replay => self.replay_run(tx, run, found, who).await,
            Judgement::ReplayFromStart => self.replay_from_start(tx, run, found, who).await,
            Judgement::ReplayEdited(patch) => {
                let input = self.edited(&run, patch)?;
                self.begin_again(tx, run, found, ("letter.replay", input), who)
                    .await
            }
            Judgement::Skip(output) => self.skip_letter(tx, run, found, output, who).await,
            Judgement::Discard => self.discard_run(tx, run, found, who).await,
            Judgement::Restore => {
                let now = tx.now().await?;
                restorable(found, now)?;
                if !run.saga.state.is_final() {
                    return Err(wait(
                        &run,
                        "What it did is being taken back; restore it when that is over.",
                    ));
                }
                let input = (run.saga.input.clone(), vec![]);
                self.begin_again(tx, run, found, ("letter.restore", input), who)
                    .await
            }
        }
    }

    /// Tries again what a letter is about, in a transaction of its own.
    pub async fn replay(
        &self,
        letter: Uuid,
        by: &str,
        reason: &str,
    ) -> Result<(Started, Vec<Ticket>), ControlError> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let who = (by, reason);
        let judged = self.judge(&mut tx, letter, &Judgement::Replay, who).await?;
        let started = Started {
            id: judged.saga.ok_or(Refused::NotOpen)?,
            new: judged.mode == "new_job",
            at: tx.now().await?,
        };
        tx.commit().await?;
        Ok((started, judged.tickets))
    }

    /// Gives up what a letter is about, in a transaction of its own: undo begins.
    pub async fn discard(
        &self,
        letter: Uuid,
        by: &str,
        reason: &str,
    ) -> Result<Vec<Ticket>, ControlError> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let who = (by, reason);
        let judged = self
            .judge(&mut tx, letter, &Judgement::Discard, who)
            .await?;
        tx.commit().await?;
        Ok(judged.tickets)
    }

    /// Tries again what an open letter is about, in the caller's transaction: its step, or from the start
    /// as another saga. Says which saga goes on. If it is refused nothing is written.
    pub(super) async fn replay_open(
        &self,
        tx: &mut Tx,
        (letter, from_start): (Uuid, bool),
        who: Who<'_>,
    ) -> Result<(Uuid, Vec<Ticket>), ControlError> {
        let found = letters::find(tx, letter).await?;
        let found = found.ok_or(ControlError::NotFound)?;
        let saga = found.saga_id.ok_or(Refused::NotOpen)?;
        let run = one(tx, saga).await?.ok_or(ControlError::NotFound)?;
        let judged = if from_start && found.state == "open" {
            self.replay_from_start(tx, run, &found, who).await?
        } else {
            self.replay_run(tx, run, &found, who).await?
        };
        Ok((judged.saga.unwrap_or(saga), judged.tickets))
    }

    /// Nothing is written if it is refused.
    async fn replay_run(
        &self,
        tx: &mut Tx,
        mut run: Run,
        letter: &Letter,
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        let (now, before) = (tx.now().await?, run.clone());
        run.replay(letter.id, who.0, &self.kinds, now)?;
        close(tx, letter, "replayed", who).await?;
        let mode = json!({"mode": "in_place"});
        write_down(tx, "letter.replay", letter, who, mode).await?;
        self.judged(tx, letter, &before, run).await
    }

    async fn skip_letter(
        &self,
        tx: &mut Tx,
        mut run: Run,
        letter: &Letter,
        output: &Value,
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        let (now, before) = (tx.now().await?, run.clone());
        let about = |step: &&StepRow| step.letter_id == Some(letter.id);
        let step = run.steps.iter().find(about).map(|step| step.key.clone());
        let skip = Skip {
            step: Some(step.ok_or(Refused::NotOpen)?),
            output: Some(output.clone()),
            force: true,
        };
        run.skip_step(&skip, who.0, &self.kinds, now)?;
        close(tx, letter, "skipped", who).await?;
        write_down(tx, "letter.skip", letter, who, json!({})).await?;
        self.judged(tx, letter, &before, run).await
    }

    async fn discard_run(
        &self,
        tx: &mut Tx,
        mut run: Run,
        letter: &Letter,
        who: Who<'_>,
    ) -> Result<Judged, VerbError> {
        let (now, before) = (tx.now().await?, run.clone());
        close(tx, letter, "discarded", who).await?;
        write_down(tx, "letter.discard", letter, who, json!({})).await?;
        run.discard(letter.id, who.0, &self.kinds, now)?;
        self.judged(tx, letter, &before, run).await
    }

    async fn judged(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        before: &Run,
        run: Run,
    ) -> Result<Judged, VerbError> {
        let (now, saga) = (tx.now().await?, run.saga.id);
        let mut consequence = run.consequence(before);
        count_calls(tx, &run, &mut consequence, Calls::OfThese).await?;
        Ok(Judged {
            letter: letter.clone(),
            saga: Some(saga),
            mode: "in_place",
            consequence: Some(consequence),
            tickets: self.decided(tx, run, now).await?,
        })
    }
}

/// A message that nobody could read has no saga: it can be discarded, and taken up again.
async fn unreadable(
    tx: &mut Tx,
    letter: &Letter,
    judgement: &Judgement,
    who: Who<'_>,
) -> Result<Judged, VerbError> {
    let verb = match judgement {
        Judgement::Discard => {
            close(tx, letter, "discarded", who).await?;
            "letter.discard"
        }
        Judgement::Restore => {
            restorable(letter, tx.now().await?)?;
            if !letters::reopen(tx, letter.id).await? {
                return Err(Refused::NotOpen.into());
            }
            "letter.restore"
        }
        Judgement::Replay
        | Judgement::ReplayFromStart
        | Judgement::ReplayEdited(_)
        | Judgement::Skip(_) => {
            return Err(Refused::NotOpen.into());
        }
    };
    write_down(tx, verb, letter, who, json!({})).await?;
    Ok(Judged {
        letter: letter.clone(),
        saga: None,
        mode: "reopened",
        consequence: None,
        tickets: vec![],
    })
}

fn restorable(letter: &Letter, now: DateTime<Utc>) -> Result<(), VerbError> {
    if letter.state != "discarded" {
        return Err(Refused::NotOpen.into());
    }
    let since = letter.resolved_at.unwrap_or(letter.created_at);
    if now - since > RESTORED_WITHIN {
        return Err(VerbError::TooLate);
    }
    Ok(())
}

fn wait(run: &Run, how: &'static str) -> VerbError {
    let state: SagaState = run.saga.state;
    Hindered::State { state, how }.into()
}

async fn close(
    tx: &mut Tx,
    letter: &Letter,
    state: &str,
    (by, reason): Who<'_>,
) -> Result<(), VerbError> {
    if letters::resolve(tx, letter.id, state, by, reason).await? {
        return Ok(());
    }
    Err(Refused::NotOpen.into())
}

/// Writes down what was decided about a letter.
async fn write_down(
    tx: &mut Tx,
    verb: &'static str,
    letter: &Letter,
    (actor, reason): Who<'_>,
    mut detail: Value,
) -> sqlx::Result<()> {
    detail["saga"] = json!(letter.saga_id);
    detail["kind"] = json!(letter.kind);
    detail["step"] = json!(letter.step_key);
    let entry = Entry {
        actor,
        verb,
        target_kind: "letter",
        target_id: letter.id.to_string(),
        reason,
        detail,
    };
    audit::write(tx, &entry).await
}
