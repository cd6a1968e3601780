//! Sagas that begin in a queue, as nearly all do: on PostgreSQL their rows, steps and events are one
//! statement, which needs no transaction around it.

use crate::db::{Batch, Sql};
use crate::run::{Run, StepRow};
use crate::state::{SagaState, StepState};
use crate::store::rows::text;
use crate::store::write::Page;
use uuid::Uuid;

// The times of a draft count from the epoch, and the store puts its own clock under them. `IS TRUE`
// keeps the planner from making a join of it, which would compare each row with each.
pub(super) const INSERT: Sql = Sql {
    postgres: "-- start.plain
        WITH new_sagas AS (
            INSERT INTO sagas (id, kind, state, input, owner_id, request_id, singleton, phase, seq, inbox, pivoted,
                               degraded, replay_of, created_at, updated_at)
            SELECT r.id, r.kind, 'queued', r.input, r.owner_id, r.request_id, r.singleton, r.phase, r.seq, 0, r.pivoted,
                   FALSE, r.replay_of, statement_timestamp(), statement_timestamp()
              FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                          $8::bigint[], $9::bool[], $10::uuid[])
                   AS r (id, kind, input, owner_id, request_id, singleton, phase, seq, pivoted, replay_of)
            ON CONFLICT DO NOTHING RETURNING id, created_at
        ), new_steps AS (
            INSERT INTO steps (saga_id, key, position, role, step, queue, state, input, turn, epoch, attempt, crashes,
                               tickets, wake_at, created_at)
            SELECT r.saga_id, r.key, r.position, r.role, r.step, r.queue, r.state, r.input, 0, 0, 0, 0, 0,
                   statement_timestamp() + (r.wake_at - 'epoch'), statement_timestamp()
              FROM UNNEST($11::uuid[], $12::text[], $13::bigint[], $14::text[], $15::text[], $16::text[], $17::text[],
                          $18::text[], $19::timestamptz[])
                   AS r (saga_id, key, position, role, step, queue, state, input, wake_at)
             WHERE (r.saga_id IN (SELECT id FROM new_sagas)) IS TRUE
        ), new_events AS (
            INSERT INTO events (saga_id, seq, at, page)
            SELECT r.saga_id, r.seq, statement_timestamp(), r.page
              FROM UNNEST($20::uuid[], $21::bigint[], $22::text[]) AS r (saga_id, seq, page)
             WHERE (r.saga_id IN (SELECT id FROM new_sagas)) IS TRUE
        )
        SELECT id, created_at FROM new_sagas",
    sqlite: "",
};

/// Whether all of these begin in a queue, and alone.
pub(super) fn all(drafts: &[Run]) -> bool {
    let fresh = |step: &StepRow| matches!(step.state, StepState::Ready | StepState::Waiting);
    drafts.iter().all(|run| {
        let alone = run.is_plain() && run.letters.is_empty();
        alone && run.saga.state == SagaState::Queued && run.steps.iter().all(fresh)
    })
}

/// The values of [`INSERT`].
pub(super) fn columns<'e>(batch: Batch<'e>, drafts: &[Run]) -> Batch<'e> {
    let sagas = || drafts.iter().map(|run| &run.saga);
    let batch = batch
        .ragged()
        .column(sagas().map(|saga| saga.id))
        .column(sagas().map(|saga| saga.kind.clone()))
        .column(sagas().map(|saga| text(&saga.input)))
        .column(sagas().map(|saga| saga.owner_id))
        .column(sagas().map(|saga| saga.request_id.clone()))
        .column(sagas().map(|saga| saga.singleton.clone()))
        .column(sagas().map(|saga| saga.phase.clone()))
        .column(sagas().map(|saga| saga.seq))
        .column(sagas().map(|saga| saga.pivoted))
        .column(sagas().map(|saga| saga.replay_of));
    let steps: Vec<(Uuid, &StepRow)> = drafts
        .iter()
        .flat_map(|run| run.steps.iter().map(|step| (run.saga.id, step)))
        .collect();
    let steps = || steps.iter().copied();
    let batch = batch
        .column(steps().map(|(saga, _)| saga))
        .column(steps().map(|(_, step)| step.key.as_str().to_owned()))
        .column(steps().map(|(_, step)| step.position))
        .column(steps().map(|(_, step)| step.role.as_str().to_owned()))
        .column(steps().map(|(_, step)| step.step.clone()))
        .column(steps().map(|(_, step)| step.queue.clone()))
        .column(steps().map(|(_, step)| step.state.as_str().to_owned()))
        .column(steps().map(|(_, step)| text(&step.input)))
        .column(steps().map(|(_, step)| step.wake_at));
    let pages: Vec<Page> = drafts.iter().filter_map(Page::of).collect();
    batch
        .column(pages.iter().map(|page| page.saga))
        .column(pages.iter().map(|page| page.seq))
        .column(pages.into_iter().map(|page| page.events))
}
