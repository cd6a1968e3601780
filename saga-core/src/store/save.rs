//! Writes what changed in memory: one statement for all the rows of however many sagas; letters, of
//! which there are few, one by one.

use super::letters;
use super::rows::text;
use crate::db::{Batch, Sql, Tx};
use crate::run::{Run, SagaRow, StepRow};
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use uuid::Uuid;

// PostgreSQL writes all four tables in one statement: what one part writes the others need not see.
const WRITE: Sql = Sql {
    postgres: "-- save.write
        WITH sagas_written AS (
            UPDATE sagas s SET state = r.state, ending = r.ending, output = r.output, error = r.error, phase = r.phase,
                   seq = r.seq, inbox = r.inbox, pivoted = r.pivoted, degraded = r.degraded, letter_id = r.letter_id,
                   parked_until = r.parked_until, deadline_at = r.deadline_at, wake_at = r.wake_at,
                   started_at = r.started_at, updated_at = r.updated_at, finished_at = r.finished_at
              FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                          $8::bigint[], $9::bool[], $10::bool[], $11::uuid[], $12::timestamptz[], $13::timestamptz[],
                          $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[])
                   AS r (id, state, ending, output, error, phase, seq, inbox, pivoted, degraded, letter_id,
                         parked_until, deadline_at, wake_at, started_at, updated_at, finished_at)
             WHERE s.id = r.id
        ), steps_written AS (
            UPDATE steps s SET state = r.state, output = r.output, error = r.error, turn = r.turn, epoch = r.epoch,
                   attempt = r.attempt, crashes = r.crashes, tickets = r.tickets, worker = r.worker,
                   letter_id = r.letter_id, settled = r.settled, wake_at = r.wake_at, started_at = r.started_at,
                   finished_at = r.finished_at
              FROM UNNEST($18::uuid[], $19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[], $24::bigint[],
                          $25::bigint[], $26::bigint[], $27::bigint[], $28::text[], $29::uuid[], $30::bigint[],
                          $31::timestamptz[], $32::timestamptz[], $33::timestamptz[])
                   AS r (saga_id, key, state, output, error, turn, epoch, attempt, crashes, tickets, worker, letter_id,
                         settled, wake_at, started_at, finished_at)
             WHERE s.saga_id = r.saga_id AND s.key = r.key
        ), steps_new AS (
            INSERT INTO steps (saga_id, key, position, role, step, queue, state, input, output, error, turn, epoch,
                               attempt, crashes, tickets, worker, settled, wake_at, created_at, started_at, finished_at)
            SELECT * FROM UNNEST($34::uuid[], $35::text[], $36::bigint[], $37::text[], $38::text[], $39::text[],
                                 $40::text[], $41::text[], $42::text[], $43::text[], $44::bigint[], $45::bigint[],
                                 $46::bigint[], $47::bigint[], $48::bigint[], $49::text[], $50::bigint[],
                                 $51::timestamptz[], $52::timestamptz[], $53::timestamptz[], $54::timestamptz[]) AS r
        )
        INSERT INTO events (saga_id, seq, at, page)
        SELECT * FROM UNNEST($55::uuid[], $56::bigint[], $57::timestamptz[], $58::text[]) AS r",
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
const SIGNALS_HEARD: Sql = Sql {
    postgres: "-- save.signals
        UPDATE signals s SET heard_by = r.heard_by FROM UNNEST($1::uuid[], $2::text[]) AS r (id, heard_by) WHERE s.id = r.id",
    sqlite: "-- save.signals
        UPDATE signals SET heard_by = $2 WHERE id = $1",
};
const SPOIL: Sql = Sql {
    postgres: "-- save.spoiled
        UPDATE effects e SET state = 'spoiled' FROM UNNEST($1::uuid[], $2::text[]) AS r (saga_id, step_key)
         WHERE e.saga_id = r.saga_id AND e.step_key = r.step_key AND e.state = 'answered'",
    sqlite: "-- save.spoiled
        UPDATE effects SET state = 'spoiled' WHERE saga_id = $1 AND step_key = $2 AND state = 'answered'",
};

/// Writes every change of `runs`, and says which tickets are due once the transaction is committed.
pub(super) async fn save(
    tx: &mut Tx,
    runs: &mut [Run],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Ticket>> {
    let changed: Vec<&mut Run> = runs.iter_mut().filter(|run| run.changed()).collect();
    if changed.is_empty() {
        return Ok(vec![]);
    }
    let changed: Vec<&Run> = changed
        .into_iter()
        .map(|run| {
            run.saga.updated_at = now;
            &*run
        })
        .collect();
    let tickets = changed
        .iter()
        .flat_map(|run| {
            run.made_ready()
                .filter_map(|step| Ticket::of(&run.saga, step))
        })
        .collect();
    let sagas: Vec<&SagaRow> = changed.iter().map(|run| &run.saga).collect();
    let touched = |run: &'_ &Run| -> Vec<usize> { run.touched.iter().copied().collect() };
    let rows = Rows {
        touched: changed
            .iter()
            .flat_map(|run| {
                touched(run)
                    .into_iter()
                    .map(|at| (run.saga.id, &run.steps[at]))
            })
            .collect(),
        new: changed
            .iter()
            .flat_map(|run| {
                run.steps[run.stored..]
                    .iter()
                    .map(|step| (run.saga.id, step))
            })
            .collect(),
        pages: changed.iter().filter_map(|run| Page::of(run)).collect(),
    };
    rows.write(tx, &sagas, now).await?;
    rare(tx, &changed, now).await?;
    Ok(tickets)
}

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
    pub(super) touched: Vec<(Uuid, &'r StepRow)>,
    pub(super) new: Vec<(Uuid, &'r StepRow)>,
    pub(super) pages: Vec<Page>,
}

impl Rows<'_> {
    /// One statement on PostgreSQL: each round trip is time for which the sagas are locked.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        sagas: &[&SagaRow],
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        if tx.is_postgres() {
            let batch = saga_columns(tx.batch(WRITE).ragged(), sagas);
            let batch = new_step_columns(step_columns(batch, &self.touched), &self.new);
            return page_columns(batch, &self.pages, now)
                .execute()
                .await
                .map(drop);
        }
        saga_columns(tx.batch(UPDATE_SAGAS.into()), sagas)
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
            .await
            .map(drop)
    }
}

fn saga_columns<'e>(batch: Batch<'e>, sagas: &[&SagaRow]) -> Batch<'e> {
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

/// What most transactions have none of: news taken, answers set aside, letters.
async fn rare(tx: &mut Tx, changed: &[&Run], now: DateTime<Utc>) -> sqlx::Result<()> {
    let heard: Vec<(Uuid, String)> = changed
        .iter()
        .flat_map(|run| run.signals.iter())
        .filter_map(|signal| {
            signal
                .by
                .as_ref()
                .map(|by| (signal.id, by.as_str().to_owned()))
        })
        .collect();
    if !heard.is_empty() {
        let (ids, by): (Vec<Uuid>, Vec<String>) = heard.into_iter().unzip();
        tx.batch(SIGNALS_HEARD)
            .column(ids)
            .column(by)
            .execute()
            .await?;
    }
    let spoiled: Vec<(Uuid, String)> = changed
        .iter()
        .flat_map(|run| {
            run.spoiled
                .iter()
                .map(|key| (run.saga.id, key.as_str().to_owned()))
        })
        .collect();
    if !spoiled.is_empty() {
        let (sagas, keys): (Vec<Uuid>, Vec<String>) = spoiled.into_iter().unzip();
        tx.batch(SPOIL).column(sagas).column(keys).execute().await?;
    }
    for run in changed {
        letters::write(tx, run, now).await?;
    }
    Ok(())
}
