//! Accepts sagas: the row, its first steps and its first event, in one transaction.

mod plain;

use super::rows::text;
use super::{Store, save};
use crate::db::{Durability, Sql, Tx};
use crate::run::{INPUT_BYTES_MAX, Run, SagaRow};
use crate::state::SagaState;
use crate::tally::Tally;
use crate::ticket::Ticket;
use crate::trace::Trace;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A saga about to be started.
#[derive(Debug, Clone)]
pub struct NewSaga {
    /// Chosen by the caller; starting the same id twice starts it once.
    pub id: Uuid,
    /// Which saga.
    pub kind: String,
    /// Its input.
    pub input: Value,
    /// Whose it is.
    pub owner_id: Option<Uuid>,
    /// The request that wants it.
    pub request_id: String,
    /// The trace that it belongs to.
    pub trace: Option<Trace>,
    /// At most one open saga of this kind has this key; another start finds that one. Where there is none
    /// the kind itself may name one.
    pub singleton: Option<String>,
    /// The saga whose input this is.
    pub replay_of: Option<Uuid>,
}

/// A saga that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// Its id; another's than asked for when its singleton is open already.
    pub id: Uuid,
    /// Whether this call started it.
    pub new: bool,
    /// The transaction's time: when it was accepted, if this call started it.
    pub at: DateTime<Utc>,
}

/// What a start came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It began.
    New,
    /// It had begun before: the command was repeated.
    Again,
    /// It did not, since this one with the same key is open.
    Open(Uuid),
}

impl Started {
    /// What came of starting the saga `asked`.
    pub fn begun(&self, asked: Uuid) -> Begun {
        match (self.new, self.id == asked) {
            (true, _) => Begun::New,
            (false, true) => Begun::Again,
            (false, false) => Begun::Open(self.id),
        }
    }
}

/// Why a saga was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody here knows this kind.
    #[error("there is no saga of kind {0}")]
    UnknownKind(String),
    /// The input is not of the saga's type.
    #[error("the input does not fit {kind}: {why}")]
    Input {
        /// The saga.
        kind: String,
        /// What does not fit; names the field.
        why: String,
    },
    /// The input is over 64 KiB.
    #[error(
        "the input is {0} bytes of JSON, at most {INPUT_BYTES_MAX} are taken; carry ids, not documents"
    )]
    TooLarge(usize),
    /// It would begin in a queue that is deeper than it may be.
    #[error("the queue {queue} is full: {ready} steps are ready in it")]
    Full {
        /// Which.
        queue: String,
        /// How many steps are ready there.
        ready: u64,
    },
    /// The store did not take it.
    #[error("the store did not take the saga")]
    Store(#[from] sqlx::Error),
}

/// How often a start is tried when a singleton is open one moment and gone the next.
const START_TRIES: u32 = 3;

// PostgreSQL gives the times itself, and says which: asking first would be one more round trip.
const INSERT: Sql = Sql {
    postgres: "-- start.sagas
        INSERT INTO sagas (id, kind, state, ending, input, output, error, owner_id, request_id, singleton, phase, seq, inbox,
                           pivoted, degraded, letter_id, replay_of, finished_at, created_at, updated_at)
        SELECT r.*, statement_timestamp(), statement_timestamp()
          FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
                      $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bool[], $15::bool[],
                      $16::uuid[], $17::uuid[], $18::timestamptz[]) AS r
        ON CONFLICT DO NOTHING RETURNING id, created_at",
    sqlite: "-- start.sagas
        INSERT INTO sagas (id, kind, state, ending, input, output, error, owner_id, request_id, singleton, phase, seq, inbox,
                           pivoted, degraded, letter_id, replay_of, finished_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)
        ON CONFLICT DO NOTHING RETURNING id, created_at",
};
const FIND_OPEN: &str = "-- start.find_open
    SELECT id FROM sagas WHERE id = $1 OR (kind = $2 AND singleton = $3 AND finished_at IS NULL)
     ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1";

impl Store {
    /// Checks a saga before any transaction is open.
    pub fn check(&self, new: &NewSaga) -> Result<(), StartError> {
        let kind = self
            .kinds
            .get(&new.kind)
            .ok_or_else(|| StartError::UnknownKind(new.kind.clone()))?;
        let bytes = new.input.to_string().len();
        if bytes > INPUT_BYTES_MAX {
            return Err(StartError::TooLarge(bytes));
        }
        kind.check(&new.input).map_err(|why| StartError::Input {
            kind: new.kind.clone(),
            why,
        })
    }

    /// Starts sagas in a transaction of their own. After an error of the store they may have begun all
    /// the same, as after any commit whose answer was lost: whoever repeats the command keeps their ids.
    pub async fn start(&self, new: &[NewSaga]) -> Result<(Vec<Started>, Vec<Ticket>), StartError> {
        for _ in 1..START_TRIES {
            match self.try_start(new).await {
                // The open saga that kept a singleton out ended before it could be read: try again.
                Err(StartError::Store(sqlx::Error::RowNotFound)) => {}
                done => return done,
            }
        }
        self.try_start(new).await
    }

    async fn try_start(&self, new: &[NewSaga]) -> Result<(Vec<Started>, Vec<Ticket>), StartError> {
        for one in new {
            self.check(one)?;
        }
        let drafts = self.drafts(new);
        // What is committed here must not depend on anything that may still fail: without singletons,
        // a saga that is there already is the very one that was asked for.
        if plain::all(&drafts)
            && drafts.iter().all(|draft| draft.saga.singleton.is_none())
            && let Some(batch) = self.db.batch_alone(plain::INSERT)
        {
            crate::fault::point("start.committing", "");
            let inserted = Inserted::of(plain::columns(batch, &drafts).all().await?);
            if let Some(at) = inserted.at {
                let told = |(one, new): (&NewSaga, bool)| Started {
                    id: one.id,
                    new,
                    at,
                };
                let started = inserted.whose(new).map(told).collect();
                Tally::of(inserted.of_these(&drafts), &self.kinds).count();
                return Ok((started, inserted.tickets(&drafts)));
            }
        }
        let mut tx = self.db.begin(Durability::Full).await?;
        let started = self.insert(&mut tx, new, drafts).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// Starts sagas in the caller's transaction, so that they and the rows they are about are true
    /// together. The tickets are to be published after the commit.
    pub async fn start_in(
        &self,
        tx: &mut Tx,
        new: &[NewSaga],
    ) -> Result<(Vec<Started>, Vec<Ticket>), StartError> {
        for one in new {
            self.check(one)?;
        }
        self.insert(tx, new, self.drafts(new)).await
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        new: &[NewSaga],
        drafts: Vec<Run>,
    ) -> Result<(Vec<Started>, Vec<Ticket>), StartError> {
        let (inserted, tickets) = if tx.is_postgres() && plain::all(&drafts) {
            let rows = plain::columns(tx.batch(plain::INSERT), &drafts).all();
            let inserted = Inserted::of(rows.await?);
            save::count(tx, Tally::of(inserted.of_these(&drafts), &self.kinds));
            let tickets = inserted.tickets(&drafts);
            (inserted, tickets)
        } else {
            self.insert_any(tx, new, &drafts).await?
        };
        let at = match inserted.at {
            Some(at) => at,
            None => tx.now().await?,
        };
        let mut started = vec![];
        for (one, mine) in inserted.whose(new) {
            let id = if mine {
                one.id
            } else {
                self.find_open(tx, one).await?
            };
            started.push(Started { id, new: mine, at });
        }
        crate::fault::point("start.committing", "");
        Ok((started, tickets))
    }

    /// Inserts sagas of any shape: also those that begin with a wait, end at once or park at once.
    async fn insert_any(
        &self,
        tx: &mut Tx,
        new: &[NewSaga],
        drafts: &[Run],
    ) -> Result<(Inserted, Vec<Ticket>), StartError> {
        let inserted = insert_sagas(tx, drafts).await?;
        // The same once more, now that the store has said what time it is: that of the rows, even if
        // the caller asked the clock before.
        let now = match inserted.at {
            Some(at) => at,
            None => tx.now().await?,
        };
        let mut runs: Vec<Run> = inserted
            .whose(new)
            .filter(|(_, mine)| *mine)
            .map(|(one, _)| self.first(one, now))
            .collect();
        for run in &mut runs {
            run.was = run.saga.version(); // its row is there already
        }
        let tickets = save::save(tx, &mut runs, self, now).await?;
        Ok((inserted, tickets))
    }

    /// What the sagas would be if they began at the beginning of time, in the order of their ids, so that no
    /// two transactions wait for each other; a repeated id counts once.
    pub(super) fn drafts(&self, new: &[NewSaga]) -> Vec<Run> {
        let each: BTreeMap<Uuid, &NewSaga> = new.iter().rev().map(|one| (one.id, one)).collect();
        each.into_values()
            .map(|one| self.first(one, DateTime::UNIX_EPOCH))
            .collect()
    }

    fn singleton(&self, new: &NewSaga) -> Option<String> {
        let by_kind = || self.kinds.get(&new.kind)?.singleton(&new.input);
        new.singleton.clone().or_else(by_kind)
    }

    async fn find_open(&self, tx: &mut Tx, new: &NewSaga) -> sqlx::Result<Uuid> {
        let found = tx.query(FIND_OPEN).bind(new.id).bind(new.kind.clone());
        found.bind(self.singleton(new)).scalar().await
    }

    pub(super) fn first(&self, new: &NewSaga, now: DateTime<Utc>) -> Run {
        let saga = SagaRow {
            id: new.id,
            kind: new.kind.clone(),
            state: SagaState::Queued,
            ending: None,
            input: new.input.clone(),
            output: None,
            error: None,
            owner_id: new.owner_id,
            request_id: new.request_id.clone(),
            trace: new.trace.clone(),
            singleton: self.singleton(new),
            phase: None,
            seq: 0,
            inbox: 0,
            pivoted: false,
            degraded: false,
            letter_id: None,
            replay_of: new.replay_of,
            parent: None,
            parked_until: None,
            deadline_at: None, // counts from the first claim
            wake_at: None,
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
        };
        let kept = self.rules.now().keep(&saga);
        let mut run = Run::loaded(saga, vec![], vec![]);
        run.kept = kept;
        let began_in = new.trace.as_ref().map(|trace| json!({ "trace": trace }));
        run.event("saga.queued", None, began_in);
        run.go_on(&self.kinds, now);
        run
    }
}

/// The sagas that were not there yet, and when they were accepted.
struct Inserted {
    ids: BTreeSet<Uuid>,
    at: Option<DateTime<Utc>>,
}

impl Inserted {
    fn of(rows: Vec<(Uuid, DateTime<Utc>)>) -> Self {
        Self {
            at: rows.first().map(|(_, at)| *at),
            ids: rows.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// Each command, and whether it is the one that started its saga.
    fn whose<'n>(&self, new: &'n [NewSaga]) -> impl Iterator<Item = (&'n NewSaga, bool)> {
        let mut taken = BTreeSet::new();
        new.iter()
            .map(move |one| (one, self.ids.contains(&one.id) && taken.insert(one.id)))
    }

    /// Those of the sagas that were not there yet.
    fn of_these<'r>(&self, runs: &'r [Run]) -> impl Iterator<Item = &'r Run> {
        runs.iter().filter(|run| self.ids.contains(&run.saga.id))
    }

    fn tickets(&self, runs: &[Run]) -> Vec<Ticket> {
        self.of_these(runs)
            .flat_map(|run| {
                run.made_ready()
                    .filter_map(|step| Ticket::of(&run.saga, step))
            })
            .collect()
    }
}

async fn insert_sagas(tx: &mut Tx, runs: &[Run]) -> sqlx::Result<Inserted> {
    let sagas: Vec<&SagaRow> = runs.iter().map(|run| &run.saga).collect();
    let own_clock = if tx.is_postgres() {
        None
    } else {
        Some(tx.now().await?)
    };
    let mut batch = tx
        .batch(INSERT)
        .column(sagas.iter().map(|saga| saga.id))
        .column(sagas.iter().map(|saga| saga.kind.clone()))
        .column(sagas.iter().map(|saga| saga.state.as_str().to_owned()))
        .column(
            sagas
                .iter()
                .map(|saga| saga.ending.map(|ending| ending.as_str().to_owned())),
        )
        .column(sagas.iter().map(|saga| text(&saga.input)))
        .column(sagas.iter().map(|saga| saga.output.as_ref().map(text)))
        .column(sagas.iter().map(|saga| saga.error.as_ref().map(text)))
        .column(sagas.iter().map(|saga| saga.owner_id))
        .column(sagas.iter().map(|saga| saga.request_id.clone()))
        .column(sagas.iter().map(|saga| saga.singleton.clone()))
        .column(sagas.iter().map(|saga| saga.phase.clone()))
        .column(sagas.iter().map(|saga| saga.seq))
        .column(sagas.iter().map(|saga| saga.inbox))
        .column(sagas.iter().map(|saga| saga.pivoted))
        .column(sagas.iter().map(|saga| saga.degraded))
        .column(sagas.iter().map(|saga| saga.letter_id))
        .column(sagas.iter().map(|saga| saga.replay_of))
        .column(sagas.iter().map(|saga| saga.finished_at));
    if let Some(now) = own_clock {
        batch = batch.column(sagas.iter().map(|_| now));
    }
    batch.all().await.map(Inserted::of)
}
