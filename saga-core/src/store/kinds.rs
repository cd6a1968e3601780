//! The switches of kinds: which sagas go on, which are accepted and wait, by whose decision.

use super::Store;
use super::audit::{self, Entry};
use crate::db::{Sql, Tx};
use crate::rules::{KindMode, Rule, Rules};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The last decision about a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindSwitch {
    /// The kind.
    pub kind: String,
    /// Whether its sagas go on.
    pub mode: KindMode,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// How one kind stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindLoad {
    /// The kind.
    pub kind: String,
    /// Sagas of it that have not ended.
    pub open: i64,
    /// Those of them that nobody has begun yet.
    pub queued: i64,
    /// Ready steps that stand in its line.
    pub in_line: i64,
    /// Who switched it last, if anybody ever did.
    pub switch: Option<KindSwitch>,
}

impl KindLoad {
    /// Whether its sagas go on.
    pub fn mode(&self) -> KindMode {
        let switch = self.switch.as_ref();
        switch.map_or(KindMode::Enabled, |switch| switch.mode)
    }
}

#[derive(sqlx::FromRow)]
struct Switched {
    kind: String,
    mode: String,
    reason: String,
    decided_by: String,
    decided_at: DateTime<Utc>,
}

impl From<Switched> for KindSwitch {
    fn from(row: Switched) -> Self {
        Self {
            kind: row.kind,
            mode: KindMode::stored(&row.mode),
            reason: row.reason,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
        }
    }
}

/// One look at the rules in so many is one at the depths of queues, too, which reads all that waits.
const DEPTHS_EVERY: u32 = 5;

const RULES: &str = "-- kinds.rules
    SELECT kind, mode, FALSE AS limited FROM kind_switches WHERE mode <> 'enabled'
     UNION ALL SELECT kind, 'enabled' AS mode, TRUE AS limited FROM kind_limits";
const LIST: &str = "-- kinds.list
    SELECT kind, mode, reason, decided_by, decided_at FROM kind_switches ORDER BY kind";
// Open sagas are few among many, and have an index of their own.
const OPEN: &str = "-- kinds.open
    SELECT kind, count(*), count(CASE WHEN started_at IS NULL THEN 1 END) FROM sagas WHERE finished_at IS NULL GROUP BY kind";
// Not those whose sagas were cancelled meanwhile: whoever lets the line go meets them.
const IN_LINE: &str = "-- kinds.in_line
    SELECT l.kind, count(*) FROM kind_lines l
      JOIN steps s ON s.saga_id = l.saga_id AND s.key = l.step_key AND s.turn = l.turn AND s.state = 'ready'
     GROUP BY l.kind";
// Of two who decide the same the second one changes nothing; and what nobody has touched is on.
const SWITCH: &str = "-- kinds.switch
    INSERT INTO kind_switches (kind, mode, reason, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (kind) DO UPDATE
       SET mode = excluded.mode, reason = excluded.reason, decided_by = excluded.decided_by, decided_at = excluded.decided_at
     WHERE kind_switches.mode <> excluded.mode";
const RESUME: &str = "-- kinds.resume
    UPDATE kind_switches SET mode = $2, reason = $3, decided_by = $4, decided_at = $5 WHERE kind = $1 AND mode <> $2";

const MODE: &str = "-- kinds.mode
    SELECT mode FROM kind_switches WHERE kind = $1";
// In the order of their ids, as everybody locks them. Whoever has seen one before must look again.
const RENEW: Sql = Sql {
    postgres: "-- kinds.renew_deadlines
        WITH late AS (
            SELECT id FROM sagas
             WHERE finished_at IS NULL AND kind = $1 AND state IN ('queued', 'running', 'waiting') AND deadline_at IS NOT NULL
             ORDER BY id FOR UPDATE
        )
        UPDATE sagas s SET deadline_at = $2, wake_at = $2, updated_at = GREATEST($3, s.updated_at + INTERVAL '1 microsecond')
          FROM late WHERE s.id = late.id",
    sqlite: "-- kinds.renew_deadlines
        UPDATE sagas SET deadline_at = $2, wake_at = $2, updated_at = $3
         WHERE finished_at IS NULL AND kind = $1 AND state IN ('queued', 'running', 'waiting') AND deadline_at IS NOT NULL",
};
const PUT_OFF: Sql = Sql {
    postgres: "-- kinds.put_off
        UPDATE sagas s SET wake_at = r.wake_at, deadline_at = r.deadline_at
          FROM UNNEST($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS r (id, wake_at, deadline_at) WHERE s.id = r.id",
    sqlite: "-- kinds.put_off
        UPDATE sagas SET wake_at = $2, deadline_at = $3 WHERE id = $1",
};

/// A saga whose deadline is not counted now: when it is looked at again, and the deadline.
pub(super) type Held = (Uuid, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Writes when the deadlines of these sagas, which are locked, are looked at again.
pub(super) async fn put_off(tx: &mut Tx, held: Vec<Held>) -> sqlx::Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    let put_off = tx
        .batch(PUT_OFF)
        .column(held.iter().map(|(id, ..)| *id))
        .column(held.iter().map(|(_, due, _)| *due))
        .column(held.iter().map(|(.., deadline)| *deadline));
    put_off.execute().await.map(drop)
}

impl Store {
    /// Reads what holds for kinds; from then on this process acts by it.
    pub async fn look_at_rules(&self) -> sqlx::Result<()> {
        let rows: Vec<(String, String, bool)> = self.db.query(RULES).all().await?;
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for (kind, mode, limited) in rows {
            let rule = rules.entry(kind).or_default();
            if limited {
                rule.limited = true;
            } else {
                rule.mode = KindMode::stored(&mode);
            }
        }
        self.rules.tell(Rules::new(rules));
        Ok(())
    }

    /// Looks at it again and again until shutdown, and now and then at how deep the queues are: for a process
    /// that accepts sagas.
    pub async fn follow_rules(self, every: Duration, shutdown: CancellationToken) {
        for round in 0_u32.. {
            if shutdown.is_cancelled() {
                return;
            }
            if let Err(error) = self.look_at_rules().await {
                tracing::debug!(%error, "It could not be read what holds for kinds of sagas");
            }
            if round.is_multiple_of(DEPTHS_EVERY)
                && let Err(error) = self.look_at_depths().await
            {
                tracing::debug!(%error, "It could not be read how deep the queues are");
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// The last decision about each kind that was ever switched.
    pub async fn kind_switches(&self) -> sqlx::Result<Vec<KindSwitch>> {
        let rows: Vec<Switched> = self.db.query(LIST).all().await?;
        Ok(rows.into_iter().map(KindSwitch::from).collect())
    }

    /// How every kind stands that this process knows, has open sagas or was ever switched; by name.
    pub async fn kind_loads(&self) -> sqlx::Result<Vec<KindLoad>> {
        let switches = self.kind_switches().await?;
        let open: Vec<(String, i64, i64)> = self.db.query(OPEN).all().await?;
        let in_line = self.lines().await?;
        let names: BTreeSet<&str> = (self.kinds.iter().map(|kind| kind.name))
            .chain(open.iter().map(|(kind, ..)| kind.as_str()))
            .chain(switches.iter().map(|switch| switch.kind.as_str()))
            .collect();
        let load = |name: &str| {
            let of_kind = open.iter().find(|(kind, ..)| kind == name);
            let (open, queued) = of_kind.map_or((0, 0), |(_, open, queued)| (*open, *queued));
            let line = in_line.iter().find(|(kind, _)| kind == name);
            KindLoad {
                kind: name.to_owned(),
                open,
                queued,
                in_line: line.map_or(0, |(_, steps)| *steps),
                switch: switches.iter().find(|switch| switch.kind == name).cloned(),
            }
        };
        Ok(names.into_iter().map(load).collect())
    }

    /// How many steps stand in the lines of kinds, where any does.
    pub(super) async fn lines(&self) -> sqlx::Result<Vec<(String, i64)>> {
        self.db.query(IN_LINE).all().await
    }

    /// Switches a kind; workers hear of it within a second or two. What it held is not late for that: when a
    /// pause ends, the sagas that have begun get their kind's time anew. None: it is so already.
    pub async fn switch_kind(
        &self,
        tx: &mut Tx,
        kind: &str,
        mode: KindMode,
        (by, reason): (&str, &str),
    ) -> sqlx::Result<Option<KindSwitch>> {
        let (sql, verb) = match mode {
            KindMode::Enabled => (RESUME, "kind.resume"),
            KindMode::Paused => (SWITCH, "kind.pause"),
            KindMode::Drain => (SWITCH, "kind.drain"),
        };
        let switch = KindSwitch {
            kind: kind.to_owned(),
            mode,
            reason: reason.to_owned(),
            decided_by: by.to_owned(),
            decided_at: tx.now().await?,
        };
        let was: Option<(String,)> = tx.query(MODE).bind(kind.to_owned()).optional().await?;
        let query = tx.query(sql).bind(kind.to_owned()).bind(mode.as_str());
        let query = query.bind(reason.to_owned()).bind(by.to_owned());
        if query.bind(switch.decided_at).execute().await? == 0 {
            return Ok(None);
        }
        if was.is_some_and(|(was,)| KindMode::stored(&was) == KindMode::Paused) {
            self.renew_deadlines(tx, kind, switch.decided_at).await?;
        }
        let entry = Entry {
            actor: by,
            verb,
            target_kind: "kind",
            target_id: kind.to_owned(),
            reason,
            detail: json!({}),
        };
        audit::write(tx, &entry).await?;
        Ok(Some(switch))
    }

    async fn renew_deadlines(
        &self,
        tx: &mut Tx,
        kind: &str,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let length = self.kinds.get(kind).and_then(|kind| kind.deadline);
        let length = length.and_then(|length| TimeDelta::from_std(length).ok());
        let Some(deadline) = length.and_then(|length| now.checked_add_signed(length)) else {
            return Ok(());
        };
        let renewed = tx.query(RENEW).bind(kind.to_owned());
        let renewed = renewed.bind(deadline).bind(now);
        renewed.execute().await.map(drop)
    }
}
