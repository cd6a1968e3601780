//! One turn of a replay: see how the letters under way ended, and replay the next one if it is time. It
//! is one transaction, so a process that dies in it changes nothing, and its row is locked, so that of
//! many processes one has the turn.

use super::stop;
use crate::db::{Durability, Sql, Tx};
use crate::state::{SagaState, StepState, read};
use crate::store::{ControlError, Store, letters};
use crate::ticket::Ticket;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use uuid::Uuid;

/// How often it is looked how letters under way ended.
const LOOK: TimeDelta = TimeDelta::milliseconds(250);
/// How long a process keeps away after it found another at the turn.
const PASSED: Duration = Duration::from_millis(50);
/// How long a replay that cannot go on is left alone.
const PUT_OFF_FOR: TimeDelta = TimeDelta::seconds(2);
/// Letters that must have ended before a failure ratio means anything.
const ENDED_MIN: i64 = 5;

/// What one turn did.
#[derive(Debug, Default)]
pub struct ReplayTurn {
    /// Tickets to publish.
    pub tickets: Vec<Ticket>,
    /// How long nothing will be due; none when no replay is open.
    pub idle: Option<Duration>,
}

/// A replay whose turn it is.
#[derive(sqlx::FromRow)]
struct Open {
    id: Uuid,
    state: String,
    reason: String,
    started_by: String,
    from_start: bool,
    pause_micros: i64,
    tried_first: i64,
    failure_ratio_max: f64,
    waiting: i64,
    running: i64,
    succeeded: i64,
    dead_again: i64,
    skipped: i64,
    next_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A letter that is being tried.
#[derive(sqlx::FromRow)]
struct Tried {
    letter_id: Uuid,
    step_key: Option<String>,
    saga_state: Option<String>,
    saga_letter: Option<Uuid>,
    step_state: Option<String>,
}

const TAKE: Sql = Sql {
    postgres: "-- replays.take
        SELECT id, state, reason, started_by, from_start, pause_micros, tried_first, failure_ratio_max, waiting, running,
               succeeded, dead_again, skipped, next_at, updated_at
          FROM replays WHERE turn_at <= $1 ORDER BY turn_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    sqlite: "-- replays.take
        SELECT id, state, reason, started_by, from_start, pause_micros, tried_first, failure_ratio_max, waiting, running,
               succeeded, dead_again, skipped, next_at, updated_at
          FROM replays WHERE turn_at <= $1 ORDER BY turn_at LIMIT 1",
};
const NEXT_TURN: &str = "-- replays.next_turn
    SELECT turn_at FROM replays WHERE turn_at IS NOT NULL ORDER BY turn_at LIMIT 1";
const TRIED: &str = "-- replays.tried
    SELECT r.letter_id, r.step_key, s.state AS saga_state, s.letter_id AS saga_letter, t.state AS step_state
      FROM replay_letters r LEFT JOIN sagas s ON s.id = r.saga_id
           LEFT JOIN steps t ON t.saga_id = r.saga_id AND t.key = r.step_key
     WHERE r.replay_id = $1 AND r.state = 'running'";
const PUT_OFF: &str = "-- replays.put_off
    UPDATE replays SET turn_at = $2 WHERE id = $1 AND turn_at IS NOT NULL";
const NEXT_LETTER: &str = "-- replays.next_letter
    SELECT letter_id FROM replay_letters WHERE replay_id = $1 AND state = 'waiting' ORDER BY position LIMIT 1";
const BEGUN: &str = "-- replays.begun
    UPDATE replay_letters SET state = 'running', started_at = $3, saga_id = $4 WHERE replay_id = $1 AND letter_id = $2";
const ENDED: Sql = Sql {
    postgres: "-- replays.ended
        UPDATE replay_letters l SET state = r.state, finished_at = r.finished_at
          FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) AS r (replay_id, letter_id, state, finished_at)
         WHERE l.replay_id = r.replay_id AND l.letter_id = r.letter_id",
    sqlite: "-- replays.ended
        UPDATE replay_letters SET state = $3, finished_at = $4 WHERE replay_id = $1 AND letter_id = $2",
};
const SAVE: &str = "-- replays.save
    UPDATE replays SET state = $2, waiting = $3, running = $4, succeeded = $5, dead_again = $6, skipped = $7, next_at = $8,
           turn_at = $9, updated_at = $10, finished_at = $11
     WHERE id = $1";

impl Store {
    /// Gives the replay that waits longest its turn.
    pub async fn replay_turn(&self) -> sqlx::Result<ReplayTurn> {
        // Mostly there is none: that is found out with one small statement.
        let next: Option<(DateTime<Utc>,)> = self.db.query(NEXT_TURN).optional().await?;
        let Some((next,)) = next else {
            return Ok(ReplayTurn::default());
        };
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let Some(mut replay) = tx.query(TAKE).bind(now).optional::<Open>().await? else {
            // Another process has the turn, or its time has not come.
            let until = (next - now).to_std().unwrap_or(PASSED);
            return Ok(ReplayTurn {
                tickets: vec![],
                idle: Some(until),
            });
        };
        match self.take_turn(&mut tx, &mut replay, now).await {
            Ok(tickets) => {
                tx.commit().await?;
                Ok(ReplayTurn {
                    tickets,
                    idle: Some(Duration::ZERO),
                })
            }
            Err(error) => {
                // One that cannot go on must not keep the others from their turns.
                drop(tx);
                let again = self.db.query(PUT_OFF).bind(replay.id);
                again.bind(now + PUT_OFF_FOR).execute().await?;
                Err(error)
            }
        }
    }

    async fn take_turn(
        &self,
        tx: &mut Tx,
        replay: &mut Open,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Ticket>> {
        let before = replay.counts();
        judge(tx, replay, now).await?;
        let tickets = match replay.verdict(now) {
            Verdict::Begin => self.begin_next(tx, replay, now).await?,
            Verdict::Wait => vec![],
            Verdict::Stop(why) => {
                stop(tx, replay.id, why, now).await?;
                "stopping".clone_into(&mut replay.state);
                (replay.skipped, replay.waiting) = (replay.skipped + replay.waiting, 0);
                vec![]
            }
        };
        if replay.counts() != before {
            replay.updated_at = now;
        }
        replay.save(tx, now).await?;
        Ok(tickets)
    }

    /// Replays the next letter that is still open.
    async fn begin_next(
        &self,
        tx: &mut Tx,
        replay: &mut Open,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Ticket>> {
        let next = tx.query(NEXT_LETTER).bind(replay.id);
        let Some((letter,)) = next.optional::<(Uuid,)>().await? else {
            return Ok(vec![]);
        };
        let kind = letters::find(tx, letter).await?.map(|letter| letter.kind);
        if kind.is_some_and(|kind| self.kinds.get(&kind).is_none()) {
            // A newer program's: it takes its turns, too, and knows what to do.
            replay.next_at = now + PUT_OFF_FOR;
            return Ok(vec![]);
        }
        replay.waiting -= 1;
        let by = (replay.started_by.as_str(), replay.reason.as_str());
        let what = (letter, replay.from_start);
        match self.replay_open(tx, what, by).await {
            Ok((saga, tickets)) => {
                replay.running += 1;
                // Looked at anew: it may have waited for its saga.
                let begun = tx.later().await?;
                replay.next_at = begun + TimeDelta::microseconds(replay.pause_micros);
                tx.query(BEGUN)
                    .bind(replay.id)
                    .bind(letter)
                    .bind(begun)
                    .bind(saga)
                    .execute()
                    .await?;
                Ok(tickets)
            }
            Err(ControlError::Store(error)) => Err(error),
            Err(ControlError::NotFound | ControlError::Refused(_) | ControlError::Start(_)) => {
                replay.skipped += 1;
                ended(tx, replay.id, &[(letter, "skipped")], now).await?;
                Ok(vec![])
            }
        }
    }
}

/// What a turn may do.
enum Verdict {
    Begin,
    Wait,
    Stop(String),
}

impl Open {
    fn counts(&self) -> [i64; 5] {
        [
            self.waiting,
            self.running,
            self.succeeded,
            self.dead_again,
            self.skipped,
        ]
    }

    /// Letters that were replayed so far.
    fn begun(&self) -> i64 {
        self.succeeded + self.dead_again + self.running
    }

    /// Whether another letter may follow, once it is time.
    fn goes_on(&self) -> bool {
        let first_under_way = self.begun() == self.tried_first && self.running > 0;
        self.state == "running" && self.waiting > 0 && !first_under_way
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "letters are counted in thousands"
    )]
    fn verdict(&self, now: DateTime<Utc>) -> Verdict {
        if !self.goes_on() {
            return Verdict::Wait;
        }
        let (dead, ended) = (self.dead_again, self.succeeded + self.dead_again);
        if dead > 0 && self.begun() == self.tried_first {
            return Verdict::Stop(format!("{dead} of the {ended} tried first failed again"));
        }
        if ended >= ENDED_MIN && dead as f64 > self.failure_ratio_max * ended as f64 {
            return Verdict::Stop(format!("{dead} of {ended} failed again"));
        }
        if now < self.next_at {
            Verdict::Wait
        } else {
            Verdict::Begin
        }
    }

    /// When to look next; never, when nothing will have changed.
    fn turn_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let look = (self.running > 0).then_some(now + LOOK);
        let begin = self.goes_on().then_some(self.next_at.max(now));
        look.into_iter().chain(begin).min()
    }

    async fn save(&mut self, tx: &mut Tx, now: DateTime<Utc>) -> sqlx::Result<()> {
        if self.running == 0 && self.waiting == 0 {
            let ended = if self.state == "stopping" {
                "stopped"
            } else {
                "done"
            };
            ended.clone_into(&mut self.state);
        }
        let ended = matches!(self.state.as_str(), "stopped" | "done");
        if ended {
            self.updated_at = now;
        }
        let turn_at = self.turn_at(now).filter(|_| !ended);
        tx.query(SAVE)
            .bind(self.id)
            .bind(self.state.clone())
            .bind(self.waiting)
            .bind(self.running)
            .bind(self.succeeded)
            .bind(self.dead_again)
            .bind(self.skipped)
            .bind(self.next_at)
            .bind(turn_at)
            .bind(self.updated_at)
            .bind(ended.then_some(now))
            .execute()
            .await
            .map(drop)
    }
}

impl Tried {
    /// What became of the saga that began again; none while it is under way.
    fn saga_ended(&self) -> Option<&'static str> {
        let Some(state) = &self.saga_state else {
            return Some("skipped"); // it was erased
        };
        match read(&SagaState::ALL, state, SagaState::as_str)? {
            SagaState::Succeeded => Some("succeeded"),
            SagaState::Parked | SagaState::Undoing | SagaState::Stuck | SagaState::Undone => {
                Some("dead_again")
            }
            SagaState::Queued | SagaState::Running | SagaState::Waiting | SagaState::Paused => None,
        }
    }

    /// What became of the letter's step; none while it is under way.
    fn ended(&self) -> Option<&'static str> {
        // Code and journal did not fit: they do now, or it stands as before.
        let Some(state) = &self.saga_state else {
            return Some("skipped"); // its saga was erased
        };
        let parked = state == SagaState::Parked.as_str();
        if parked && self.saga_letter.is_some() {
            return Some("dead_again");
        }
        if self.step_key.is_none() {
            return Some("succeeded");
        }
        let word = self.step_state.as_deref().unwrap_or_default();
        match read(&StepState::ALL, word, StepState::as_str) {
            Some(StepState::Done) => Some("succeeded"),
            Some(StepState::Failed) => Some("dead_again"),
            // The saga needs it no more.
            Some(StepState::Cancelled) | None => Some("skipped"),
            Some(
                StepState::Ready | StepState::Leased | StepState::Retrying | StepState::Waiting,
            ) => None,
        }
    }
}

/// Counts the letters whose step has ended since the last turn.
async fn judge(tx: &mut Tx, replay: &mut Open, now: DateTime<Utc>) -> sqlx::Result<()> {
    if replay.running == 0 {
        return Ok(());
    }
    let tried: Vec<Tried> = tx.query(TRIED).bind(replay.id).all().await?;
    let judged: Vec<(Uuid, &str)> = tried
        .iter()
        .filter_map(|letter| {
            let ended = if replay.from_start {
                letter.saga_ended()
            } else {
                letter.ended()
            };
            Some((letter.letter_id, ended?))
        })
        .collect();
    for (_, how) in &judged {
        replay.running -= 1;
        *match *how {
            "succeeded" => &mut replay.succeeded,
            "dead_again" => &mut replay.dead_again,
            _ => &mut replay.skipped,
        } += 1;
    }
    ended(tx, replay.id, &judged, now).await
}

async fn ended(
    tx: &mut Tx,
    replay: Uuid,
    letters: &[(Uuid, &str)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    tx.batch(ENDED)
        .column(letters.iter().map(|_| replay))
        .column(letters.iter().map(|(letter, _)| *letter))
        .column(letters.iter().map(|(_, how)| (*how).to_owned()))
        .column(letters.iter().map(|_| now))
        .execute()
        .await
        .map(drop)
}
