//! The rows of a transaction: one statement for all the rows of however many sagas.

use super::rows::text;
use crate::db::{Batch, Db, Sql, Tx};
use crate::run::{Run, SagaRow, StepRow};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

// PostgreSQL writes all four tables in one statement: what one part writes the others need not see. Only
// sagas that are still as they were read are written, and what belongs to them. They are locked in the
// order in which they are given, that of their ids: with hash and merge joins off (see `db/connect.rs`)
// the rows given are always the outer side. `IS TRUE` keeps the planner from making a join of the test.
const WRITE: Sql = Sql {
    postgres: "-- save.write
        WITH written AS (
            UPDATE sagas s SET state = r.state, ending = r.ending, output = r.output, error = r.error, phase = r.phase,
                   seq = r.seq, inbox = r.inbox, pivoted = r.pivoted, degraded = r.degraded, letter_id = r.letter_id,
                   parked_until = r.parked_until, deadline_at = r.deadline_at, wake_at = r.wake_at,
                   started_at = r.started_at, updated_at = r.updated_at, finished_at = r.finished_at
              FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                          $8::bigint[], $9::bool[], $10::bool[], $11::uuid[], $12::timestamptz[], $13::timestamptz[],
                          $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[],
                          $18::bigint[], $19::timestamptz[])
                   AS r (id, state, ending, output, error, phase, seq, inbox, pivoted, degraded, letter_id,
                         parked_until, deadline_at, wake_at, started_at, updated_at, finished_at,
                         was_seq, was_updated_at)
             WHERE s.id = r.id AND s.seq = r.was_seq AND s.updated_at = r.was_updated_at
            RETURNING s.id
        ), steps_written AS (
            UPDATE steps s SET state = r.state, output = r.output, error = r.error, turn = r.turn, epoch = r.epoch,
                   attempt = r.attempt, crashes = r.crashes, tickets = r.tickets, worker = r.worker,
                   letter_id = r.letter_id, settled = r.settled, wake_at = r.wake_at, started_at = r.started_at,
                   finished_at = r.finished_at
              FROM UNNEST($20::uuid[], $21::text[], $22::text[], $23::text[], $24::text[], $25::bigint[], $26::bigint[],
                          $27::bigint[], $28::bigint[], $29::bigint[], $30::text[], $31::uuid[], $32::bigint[],
                          $33::timestamptz[], $34::timestamptz[], $35::timestamptz[])
                   AS r (saga_id, key, state, output, error, turn, epoch, attempt, crashes, tickets, worker, letter_id,
                         settled, wake_at, started_at, finished_at)
             WHERE s.saga_id = r.saga_id AND s.key = r.key AND (r.saga_id IN (SELECT id FROM written)) IS TRUE
        ), steps_new AS (
            INSERT INTO steps (saga_id, key, position, role, step, queue, state, input, output, error, turn, epoch,
                               attempt, crashes, tickets, worker, settled, wake_at, created_at, started_at, finished_at)
            SELECT r.* FROM UNNEST($36::uuid[], $37::text[], $38::bigint[], $39::text[], $40::text[], $41::text[],
                                   $42::text[], $43::text[], $44::text[], $45::text[], $46::bigint[], $47::bigint[],
                                   $48::bigint[], $49::bigint[], $50::bigint[], $51::text[], $52::bigint[],
                                   $53::timestamptz[], $54::timestamptz[], $55::timestamptz[], $56::timestamptz[])
                              AS r (saga_id)
             WHERE (r.saga_id IN (SELECT id FROM written)) IS TRUE
        ), pages AS (
            INSERT INTO events (saga_id, seq, at, page)
            SELECT r.* FROM UNNEST($57::uuid[], $58::bigint[], $59::timestamptz[], $60::text[]) AS r (saga_id)
             WHERE (r.saga_id IN (SELECT id FROM written)) IS TRUE
        )
        SELECT id FROM written",
    sqlite: "",
};
const UPDATE_SAGAS: &str = "-- save.sagas
    UPDATE sagas SET state = $2, ending = $3, output = $4, error = $5, phase = $6, seq = $7, inbox = $8,
           pivoted = $9, degraded = $10, letter_id = $11, parked_until = $12, deadline_at = $13, wake_at = $14,
           started_at = $15, updated_at = $16, finished_at = $17
     WHERE id = $1";
const UPDATE_STEPS: &str = "-- save.steps
    UPDATE steps SET state = $3, output = $4, error = $5, turn = $6, epoch = $7, attempt = $8, crashes = $9,
           tickets = $10, worker = $11, letter_id = $12, settled = $13, wake_at = $14, started_at = $15,
           finished_at = $16
     WHERE saga_id = $1 AND key = $2";
const INSERT_STEPS: &str = "-- save.new_steps
    INSERT INTO steps (saga_id, key, position, role, step, queue, state, input, output, error, turn, epoch, attempt,
                       crashes, tickets, worker, settled, wake_at, created_at, started_at, finished_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
const INSERT_EVENTS: &str = "-- save.events
    INSERT INTO events (saga_id, seq, at, page) VALUES ($1, $2, $3, $4)";
/// What became true of one saga in one transaction: one row, however many events it is.
pub(super) struct Page {
    pub(super) saga: Uuid,
    /// The number of its last event.
    pub(super) seq: i64,
    pub(super) events: String,
}

impl Page {
    pub(super) fn of(run: &Run) -> Option<Self> {
        let last = run.events.last()?;
        Some(Self {
            saga: run.saga.id,
            seq: last.seq,
            events: text(&run.events),
        })
    }
}

/// The rows of one transaction, table by table.
pub(super) struct Rows<'r> {
    runs: &'r [&'r Run],
    touched: Vec<(Uuid, &'r StepRow)>,
    new: Vec<(Uuid, &'r StepRow)>,
    pages: Vec<Page>,
}

impl<'r> Rows<'r> {
    /// What of these sagas is not written yet.
    pub(super) fn of(runs: &'r [&'r Run]) -> Self {
        let touched = |run: &&'r Run| {
            let (id, steps) = (run.saga.id, &run.steps);
            run.touched.iter().map(move |at| (id, &steps[*at]))
        };
        let new = |run: &&'r Run| {
            let id = run.saga.id;
            run.steps[run.stored..].iter().map(move |step| (id, step))
        };
        Self {
            runs,
            touched: runs.iter().flat_map(touched).collect(),
            new: runs.iter().flat_map(new).collect(),
            pages: runs.iter().filter_map(|run| Page::of(run)).collect(),
        }
    }

    /// Writes them, and says of which sagas: of those that are as they were read. SQLite has one
    /// writer, who reads and writes under one lock: there it is always all.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        now: DateTime<Utc>,
    ) -> sqlx::Result<BTreeSet<Uuid>> {
        if tx.is_postgres() {
            return self.in_one(tx.batch(WRITE), now).await;
        }
        saga_columns(tx.batch(UPDATE_SAGAS.into()), self.runs)
            .execute()
            .await?;
        step_columns(tx.batch(UPDATE_STEPS.into()), &self.touched)
            .execute()
            .await?;
        new_step_columns(tx.batch(INSERT_STEPS.into()), &self.new)
            .execute()
            .await?;
        page_columns(tx.batch(INSERT_EVENTS.into()), &self.pages, now)
            .execute()
            .await?;
        Ok(self.runs.iter().map(|run| run.saga.id).collect())
    }

    /// As [`Rows::write`], as a transaction of its own; none on SQLite, where it is many statements.
    pub(super) async fn write_alone(
        &self,
        db: &Db,
        now: DateTime<Utc>,
    ) -> Option<sqlx::Result<BTreeSet<Uuid>>> {
        Some(self.in_one(db.batch_alone(WRITE)?, now).await)
    }

    async fn in_one(&self, batch: Batch<'_>, now: DateTime<Utc>) -> sqlx::Result<BTreeSet<Uuid>> {
        let batch = saga_columns(batch.ragged(), self.runs);
        let was = || self.runs.iter().map(|run| run.was);
        let batch = batch
            .column(was().map(|was| was.seq))
            .column(was().map(|was| was.updated_at));
        let batch = new_step_columns(step_columns(batch, &self.touched), &self.new);
        let written: Vec<(Uuid,)> = page_columns(batch, &self.pages, now).all().await?;
        Ok(written.into_iter().map(|(id,)| id).collect())
    }
}

fn saga_columns<'e>(batch: Batch<'e>, runs: &[&Run]) -> Batch<'e> {
    let sagas: Vec<&SagaRow> = runs.iter().map(|run| &run.saga).collect();
    batch
        .column(sagas.iter().map(|saga| saga.id))
        .column(sagas.iter().map(|saga| saga.state.as_str().to_owned()))
        .column(
            sagas
                .iter()
                .map(|saga| saga.ending.map(|ending| ending.as_str().to_owned())),
        )
        .column(sagas.iter().map(|saga| saga.output.as_ref().map(text)))
        .column(sagas.iter().map(|saga| saga.error.as_ref().map(text)))
        .column(sagas.iter().map(|saga| saga.phase.clone()))
        .column(sagas.iter().map(|saga| saga.seq))
        .column(sagas.iter().map(|saga| saga.inbox))
        .column(sagas.iter().map(|saga| saga.pivoted))
        .column(sagas.iter().map(|saga| saga.degraded))
        .column(sagas.iter().map(|saga| saga.letter_id))
        .column(sagas.iter().map(|saga| saga.parked_until))
        .column(sagas.iter().map(|saga| saga.deadline_at))
        .column(sagas.iter().map(|saga| saga.wake_at))
        .column(sagas.iter().map(|saga| saga.started_at))
        .column(sagas.iter().map(|saga| saga.updated_at))
        .column(sagas.iter().map(|saga| saga.finished_at))
}

fn step_columns<'e>(batch: Batch<'e>, steps: &[(Uuid, &StepRow)]) -> Batch<'e> {
    batch
        .column(steps.iter().map(|(saga, _)| *saga))
        .column(steps.iter().map(|(_, step)| step.key.as_str().to_owned()))
        .column(steps.iter().map(|(_, step)| step.state.as_str().to_owned()))
        .column(steps.iter().map(|(_, step)| step.output.as_ref().map(text)))
        .column(steps.iter().map(|(_, step)| step.error.as_ref().map(text)))
        .column(steps.iter().map(|(_, step)| step.turn))
        .column(steps.iter().map(|(_, step)| step.epoch))
        .column(steps.iter().map(|(_, step)| step.attempt))
        .column(steps.iter().map(|(_, step)| step.crashes))
        .column(steps.iter().map(|(_, step)| step.tickets))
        .column(steps.iter().map(|(_, step)| step.worker.clone()))
        .column(steps.iter().map(|(_, step)| step.letter_id))
        .column(steps.iter().map(|(_, step)| step.settled))
        .column(steps.iter().map(|(_, step)| step.wake_at))
        .column(steps.iter().map(|(_, step)| step.started_at))
        .column(steps.iter().map(|(_, step)| step.finished_at))
}

fn new_step_columns<'e>(batch: Batch<'e>, steps: &[(Uuid, &StepRow)]) -> Batch<'e> {
    batch
        .column(steps.iter().map(|(saga, _)| *saga))
        .column(steps.iter().map(|(_, step)| step.key.as_str().to_owned()))
        .column(steps.iter().map(|(_, step)| step.position))
        .column(steps.iter().map(|(_, step)| step.role.as_str().to_owned()))
        .column(steps.iter().map(|(_, step)| step.step.clone()))
        .column(steps.iter().map(|(_, step)| step.queue.clone()))
        .column(steps.iter().map(|(_, step)| step.state.as_str().to_owned()))
        .column(steps.iter().map(|(_, step)| text(&step.input)))
        .column(steps.iter().map(|(_, step)| step.output.as_ref().map(text)))
        .column(steps.iter().map(|(_, step)| step.error.as_ref().map(text)))
        .column(steps.iter().map(|(_, step)| step.turn))
        .column(steps.iter().map(|(_, step)| step.epoch))
        .column(steps.iter().map(|(_, step)| step.attempt))
        .column(steps.iter().map(|(_, step)| step.crashes))
        .column(steps.iter().map(|(_, step)| step.tickets))
        .column(steps.iter().map(|(_, step)| step.worker.clone()))
        .column(steps.iter().map(|(_, step)| step.settled))
        .column(steps.iter().map(|(_, step)| step.wake_at))
        .column(steps.iter().map(|(_, step)| step.created_at))
        .column(steps.iter().map(|(_, step)| step.started_at))
        .column(steps.iter().map(|(_, step)| step.finished_at))
}

fn page_columns<'e>(batch: Batch<'e>, pages: &[Page], now: DateTime<Utc>) -> Batch<'e> {
    batch
        .column(pages.iter().map(|page| page.saga))
        .column(pages.iter().map(|page| page.seq))
        .column(pages.iter().map(|_| now))
        .column(pages.iter().map(|page| page.events.clone()))
}
