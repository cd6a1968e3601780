//! Dead letters: steps that gave up, for a person to judge.

use super::Store;
use crate::db::{Sql, Tx};
use crate::run::Run;
use crate::tally::Tally;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// Largest raw message that is kept with a poison letter.
const RAW_BYTES_MAX: usize = 64 * 1024;

/// A dead letter.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Letter {
    /// Its id.
    pub id: Uuid,
    /// The saga it is about; none for a message that nobody could read.
    pub saga_id: Option<Uuid>,
    /// The step's key within the saga; none when code and journal do not fit.
    pub step_key: Option<String>,
    /// The saga's kind.
    pub kind: String,
    /// The step's name.
    pub step: String,
    /// Its queue.
    pub queue: String,
    /// What kind of failure.
    pub class: String,
    /// What happened.
    pub message: String,
    /// The same for failures alike: kind, step, class and message without its numbers.
    pub fingerprint: String,
    /// Attempts that were made.
    pub attempts: i64,
    /// Who made the last one.
    pub worker: Option<String>,
    /// `open`, `replayed`, `skipped`, `discarded` or `expired`.
    pub state: String,
    /// When the step gave up.
    pub created_at: DateTime<Utc>,
    /// When it was decided.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who decided.
    pub resolved_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Which letters to list.
#[derive(Debug, Clone, Default)]
pub struct LetterFilter {
    /// Only of this state.
    pub state: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this step.
    pub step: Option<String>,
    /// Only of this queue.
    pub queue: Option<String>,
    /// Only of this class.
    pub class: Option<String>,
    /// Only those that failed alike.
    pub fingerprint: Option<String>,
    /// Only of this saga.
    pub saga_id: Option<Uuid>,
    /// Only those whose message holds this text, in any case.
    pub text: Option<String>,
    /// Only older ones than this: where the last page ended.
    pub before: Option<DateTime<Utc>>,
    /// With `before`, the letter at which the last page ended.
    pub before_id: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

const INSERT: &str = "-- letters.insert
    INSERT INTO letters (id, saga_id, step_key, kind, step, queue, class, message, fingerprint, attempts, worker, raw, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13)";
const END_ALL: &str = "-- letters.end_all
    UPDATE letters SET state = $2, resolved_at = $3, resolved_by = 'chorus' WHERE saga_id = $1 AND state = 'open'";
// The compare-and-set that makes a decision happen once, however many people click.
const RESOLVE: &str = "-- letters.resolve
    UPDATE letters SET state = $2, resolved_at = $3, resolved_by = $4, reason = $5 WHERE id = $1 AND state = 'open'";
#[cfg(feature = "faults")]
const RESOLVE_NO_CAS: &str = "-- letters.resolve_seeded
    UPDATE letters SET state = $2, resolved_at = $3, resolved_by = $4, reason = $5 WHERE id = $1";
const TAKE_UP: &str = "-- letters.take_up
    UPDATE letters SET state = 'replayed', resolved_at = $2, resolved_by = $3, reason = $4
     WHERE id = $1 AND state IN ('discarded', 'expired')";
const REOPEN: &str = "-- letters.reopen
    UPDATE letters SET state = 'open', resolved_at = NULL, resolved_by = NULL, reason = NULL
     WHERE id = $1 AND state = 'discarded'";
const FIND: &str = "-- letters.find
    SELECT id, saga_id, step_key, kind, step, queue, class, message, fingerprint, attempts, worker, state, created_at, resolved_at,
           resolved_by, reason
      FROM letters WHERE id = $1";
macro_rules! list {
    ($holds_text:literal) => {
        concat!(
            "-- letters.list
    SELECT id, saga_id, step_key, kind, step, queue, class, message, fingerprint, attempts, worker, state, created_at, resolved_at,
           resolved_by, reason
      FROM letters
     WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR saga_id = $3)
       AND ($4 IS NULL OR step = $4) AND ($5 IS NULL OR queue = $5) AND ($6 IS NULL OR class = $6)
       AND ($7 IS NULL OR fingerprint = $7)
       AND ($8 IS NULL OR created_at < $8 OR (created_at = $8 AND id < $9))
       AND ($11 IS NULL OR ",
            $holds_text,
            ")
     ORDER BY created_at DESC, id DESC LIMIT $10"
        )
    };
}
const LIST: Sql = Sql {
    postgres: list!("strpos(lower(message), lower($11)) > 0"),
    sqlite: list!("instr(lower(message), lower($11)) > 0"),
};

impl Store {
    /// One letter.
    pub async fn letter(&self, id: Uuid) -> sqlx::Result<Option<Letter>> {
        self.db.query(FIND).bind(id).optional().await
    }

    /// Letters, newest first.
    pub async fn letters(&self, filter: &LetterFilter) -> sqlx::Result<Vec<Letter>> {
        self.db
            .query(LIST)
            .bind(filter.state.clone())
            .bind(filter.kind.clone())
            .bind(filter.saga_id)
            .bind(filter.step.clone())
            .bind(filter.queue.clone())
            .bind(filter.class.clone())
            .bind(filter.fingerprint.clone())
            .bind(filter.before)
            .bind(filter.before_id)
            .bind(filter.limit)
            .bind(filter.text.clone())
            .all()
            .await
    }

    /// Keeps a message that nobody could read.
    pub async fn poison(&self, queue: &str, raw: &[u8], why: &str) -> sqlx::Result<Uuid> {
        let mut tx = self.db.begin(crate::db::Durability::Full).await?;
        let (id, now) = (Uuid::now_v7(), tx.now().await?);
        let kept = &raw[..raw.len().min(RAW_BYTES_MAX)];
        tx.query(INSERT)
            .bind(id)
            .bind(None::<Uuid>)
            .bind(None::<String>)
            .bind("")
            .bind("")
            .bind(queue.to_owned())
            .bind("poison")
            .bind(why.to_owned())
            .bind(fingerprint(&["", queue, "poison", why]))
            .bind(0i64)
            .bind(None::<String>)
            .bind(Some(kept.to_vec()))
            .bind(now)
            .execute()
            .await?;
        super::save::count(&mut tx, Tally::of_poison());
        tx.commit().await?;
        Ok(id)
    }
}

/// One letter, as this transaction sees it.
pub(super) async fn find(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Letter>> {
    tx.query(FIND).bind(id).optional().await
}

/// Ends an open letter; false when it was not open any more.
pub(super) async fn resolve(
    tx: &mut Tx,
    letter: Uuid,
    state: &str,
    by: &str,
    reason: &str,
) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let sql = RESOLVE;
    #[cfg(feature = "faults")]
    let sql = if crate::fault::seeded("replay-without-cas") {
        RESOLVE_NO_CAS
    } else {
        sql
    };
    let rows = tx
        .query(sql)
        .bind(letter)
        .bind(state.to_owned())
        .bind(now)
        .bind(by.to_owned())
        .bind(reason.to_owned())
        .execute()
        .await?;
    Ok(rows == 1)
}

/// Takes up a letter whose saga has ended; false when somebody else has.
pub(super) async fn take_up(
    tx: &mut Tx,
    letter: Uuid,
    (by, reason): (&str, &str),
) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let taken = tx.query(TAKE_UP).bind(letter).bind(now);
    let taken = taken.bind(by.to_owned()).bind(reason.to_owned());
    Ok(taken.execute().await? == 1)
}

/// Opens a discarded letter again; false when it is not discarded.
pub(super) async fn reopen(tx: &mut Tx, letter: Uuid) -> sqlx::Result<bool> {
    Ok(tx.query(REOPEN).bind(letter).execute().await? == 1)
}

/// Writes a run's new letters, and ends its open ones where the run says so.
pub(super) async fn write(tx: &mut Tx, run: &Run, now: DateTime<Utc>) -> sqlx::Result<()> {
    if let Some(state) = run.letters_end {
        tx.query(END_ALL)
            .bind(run.saga.id)
            .bind(state.to_owned())
            .bind(now)
            .execute()
            .await?;
    }
    for letter in &run.letters {
        let step = letter.step.map(|at| &run.steps[at]);
        let (name, class) = (
            step.map_or("", |step| step.step.as_str()),
            letter.failure.class.as_str(),
        );
        tx.query(INSERT)
            .bind(letter.id)
            .bind(Some(run.saga.id))
            .bind(step.map(|step| step.key.as_str().to_owned()))
            .bind(run.saga.kind.clone())
            .bind(name.to_owned())
            .bind(step.and_then(|step| step.queue.clone()).unwrap_or_default())
            .bind(class)
            .bind(letter.failure.message.clone())
            .bind(fingerprint(&[
                &run.saga.kind,
                name,
                class,
                &letter.failure.message,
            ]))
            .bind(step.map_or(0, |step| step.attempt))
            .bind(run.last_worker(letter.step))
            .bind(None::<Vec<u8>>)
            .bind(now)
            .execute()
            .await?;
    }
    Ok(())
}

/// Names what failures have in common: everything but numbers, ids and quoted values.
fn fingerprint(parts: &[&str]) -> String {
    let mut plain = String::new();
    let mut quoted = false;
    for c in parts.join("\u{1f}").chars() {
        quoted ^= c == '"';
        let kept = if c.is_ascii_digit() { '#' } else { c };
        if !(quoted || kept == '#' && plain.ends_with('#')) {
            plain.push(kept);
        }
    }
    let hash = Uuid::new_v5(&Uuid::nil(), plain.as_bytes())
        .simple()
        .to_string();
    format!("fp_{}", &hash[..16])
}
