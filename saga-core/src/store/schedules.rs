//! Schedules: a row each, and whoever begins what is due moves it on, in one transaction. However many
//! processes look, each run begins once; runs that were missed are made up for by one.

use super::rows::{json, text};
use super::{Begun, NewSaga, StartError, Store};
use crate::db::{Durability, Sql, Tx};
use crate::schedule::Schedule;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A schedule as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ScheduleRow {
    /// Tells it from the others.
    pub name: String,
    /// Which saga.
    pub kind: String,
    /// When, as a pattern.
    pub cron: String,
    /// Whose clocks.
    pub time_zone: String,
    input: String,
    /// When it comes next; none if never.
    pub next_at: Option<DateTime<Utc>>,
    /// The run that came last.
    pub last_at: Option<DateTime<Utc>>,
    /// The saga that began then, or was open already under its key.
    pub last_saga_id: Option<Uuid>,
    /// Why none began then.
    pub last_error: Option<String>,
}

/// Most runs that one look begins.
const DUE_MAX: i64 = 50;

macro_rules! columns {
    () => {
        "name, kind, cron, time_zone, input, next_at, last_at, last_saga_id, last_error"
    };
}

const ALL: &str = concat!(
    "-- schedules.all\nSELECT ",
    columns!(),
    " FROM schedules ORDER BY name"
);
const DUE: &str = "-- schedules.due
    SELECT name FROM schedules WHERE next_at <= $1 ORDER BY next_at LIMIT $2";
const TAKE: Sql = Sql {
    postgres: concat!(
        "-- schedules.take\nSELECT ",
        columns!(),
        " FROM schedules WHERE name = $1 FOR UPDATE"
    ),
    sqlite: concat!(
        "-- schedules.take\nSELECT ",
        columns!(),
        " FROM schedules WHERE name = $1"
    ),
};
const ADD: &str = "-- schedules.add
    INSERT INTO schedules (name, kind, cron, time_zone, input, next_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (name) DO NOTHING";
const CHANGE: &str = "-- schedules.change
    UPDATE schedules SET kind = $2, cron = $3, time_zone = $4, input = $5, next_at = $6, updated_at = $7 WHERE name = $1";
const MOVE_ON: &str = "-- schedules.move_on
    UPDATE schedules SET next_at = $2, last_at = $3, last_saga_id = $4, last_error = $5, updated_at = $6 WHERE name = $1";

impl ScheduleRow {
    fn schedule(&self) -> sqlx::Result<Schedule> {
        Ok(Schedule {
            name: self.name.clone(),
            kind: self.kind.clone(),
            cron: self.cron.clone(),
            time_zone: self.time_zone.clone(),
            input: json(&self.input)?,
        })
    }
}

impl Store {
    /// Every schedule that any process ever had, by name.
    pub async fn schedules(&self) -> sqlx::Result<Vec<ScheduleRow>> {
        self.db.query(ALL).all().await
    }

    /// The schedules that this process was told of.
    pub fn told_schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// Writes down the schedules of this process. One that is there as it is keeps its next run; one that
    /// is another than before counts from now on.
    pub async fn keep_schedules(&self) -> sqlx::Result<()> {
        for schedule in self.schedules.iter() {
            let mut tx = self.db.begin(Durability::Full).await?;
            let now = tx.now().await?;
            let next = schedule.next(now).map_err(unreadable)?;
            let sql = match take(&mut tx, &schedule.name).await? {
                Some(row) if row.schedule()? == *schedule => continue,
                Some(_) => CHANGE,
                None => ADD,
            };
            let query = tx.query(sql).bind(schedule.name.clone());
            let query = query.bind(schedule.kind.clone());
            let query = query.bind(schedule.cron.clone());
            let query = query.bind(schedule.time_zone.clone());
            let query = query.bind(text(&schedule.input)).bind(next).bind(now);
            query.execute().await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Begins what is due of this process's schedules. The tickets are to be published.
    pub async fn begin_scheduled(&self) -> sqlx::Result<Vec<Ticket>> {
        if self.schedules.is_empty() {
            return Ok(vec![]);
        }
        let now = self.db.now().await?;
        let due: Vec<(String,)> = self.db.query(DUE).bind(now).bind(DUE_MAX).all().await?;
        let mut tickets = vec![];
        for (name,) in due {
            // Of one that the settings no longer name nothing begins.
            if self.schedules.iter().any(|schedule| schedule.name == name) {
                tickets.extend(self.begin_one(&name).await?);
            }
        }
        Ok(tickets)
    }

    async fn begin_one(&self, name: &str) -> sqlx::Result<Vec<Ticket>> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let Some(row) = take(&mut tx, name).await? else {
            return Ok(vec![]);
        };
        // The row is ours: whoever was first has moved it on by now.
        let now = tx.now().await?;
        let Some(due) = row.next_at.filter(|due| *due <= now) else {
            return Ok(vec![]);
        };
        let schedule = row.schedule()?;
        let next = schedule.next(now).map_err(unreadable)?;
        let (saga, error, tickets) = match self.run(&mut tx, new_saga(&schedule, due)).await {
            Ok((Begun::Open(open), _)) => {
                tracing::info!(schedule = name, %open, "A run is skipped: one is open, and there is one at a time");
                let why = format!("skipped: {open} was open, and there is one at a time");
                (Some(open), Some(why), vec![])
            }
            Ok((Begun::New | Begun::Again, tickets)) => (Some(new_id(name, due)), None, tickets),
            Err(StartError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(schedule = name, %error, "What is due cannot begin");
                (None, Some(error.to_string()), vec![])
            }
        };
        let query = tx.query(MOVE_ON).bind(name.to_owned()).bind(next).bind(due);
        let query = query.bind(saga).bind(error).bind(now);
        query.execute().await?;
        tx.commit().await?;
        Ok(tickets)
    }

    /// Begins a run, and writes what belongs to it, unless its singleton is open.
    async fn run(&self, tx: &mut Tx, new: NewSaga) -> Result<(Begun, Vec<Ticket>), StartError> {
        self.check(&new)?;
        let (started, tickets) = self.start_in(tx, std::slice::from_ref(&new)).await?;
        let begun = started
            .first()
            .map_or(Begun::Again, |one| one.begun(new.id));
        if begun == Begun::New
            && let Some(kind) = self.kinds.get(&new.kind)
        {
            kind.open(tx, &new).await?;
        }
        Ok((begun, tickets))
    }
}

fn run_of(name: &str, due: DateTime<Utc>) -> String {
    format!("schedule {name} {}", due.timestamp())
}

/// The id of a run's saga follows from the run.
fn new_id(name: &str, due: DateTime<Utc>) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, run_of(name, due).as_bytes())
}

fn new_saga(schedule: &Schedule, due: DateTime<Utc>) -> NewSaga {
    NewSaga {
        id: new_id(&schedule.name, due),
        kind: schedule.kind.clone(),
        input: schedule.input.clone(),
        owner_id: None,
        request_id: run_of(&schedule.name, due),
        trace: None,
        singleton: None,
        replay_of: None,
    }
}

async fn take(tx: &mut Tx, name: &str) -> sqlx::Result<Option<ScheduleRow>> {
    tx.query(TAKE).bind(name.to_owned()).optional().await
}

fn unreadable(error: crate::schedule::ScheduleError) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
