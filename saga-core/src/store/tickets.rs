//! Marks steps whose tickets the broker has confirmed.

use super::Store;
use crate::db::{Durability, Sql};
use crate::run::ticket_due;
use crate::ticket::Ticket;
use chrono::{DateTime, TimeDelta, Utc};

// A row that was claimed meanwhile is not touched: under light load that is nearly every row.
const MARK: Sql = Sql {
    postgres: "-- tickets.mark
        UPDATE steps s SET tickets = r.confirmed + 1, wake_at = r.due
          FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[])
               AS r (saga_id, key, turn, confirmed, due)
         WHERE s.saga_id = r.saga_id AND s.key = r.key AND s.turn = r.turn AND s.state = 'ready'
           AND s.tickets = r.confirmed",
    sqlite: "-- tickets.mark
        UPDATE steps SET tickets = $4 + 1, wake_at = $5
         WHERE saga_id = $1 AND key = $2 AND turn = $3 AND state = 'ready' AND tickets = $4",
};
const NUDGE: &str = "-- tickets.nudge
    UPDATE steps SET wake_at = $4 WHERE saga_id = $1 AND key = $2 AND turn = $3 AND state = 'ready'";
// A step without a confirmed ticket is looked at within seconds, so the index `steps_wake` leaves few to read.
const OLDEST_UNCONFIRMED: &str = "-- tickets.oldest_unconfirmed
    SELECT min(created_at) FROM steps WHERE state = 'ready' AND tickets = 0 AND turn = 0 AND wake_at <= $1";
/// The sweeper looks at such a step again after this time at most.
const LOOKED_AT_WITHIN: TimeDelta = TimeDelta::seconds(5);

impl Store {
    /// Since when the oldest step that was never tried has been waiting for a confirmed ticket, if any has.
    pub async fn oldest_unconfirmed(
        &self,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Option<DateTime<Utc>>> {
        let query = self.db.query(OLDEST_UNCONFIRMED);
        query.bind(now + LOOKED_AT_WITHIN).scalar().await
    }

    /// Has the next sweep publish another ticket for a step, if it is still ready in this turn.
    pub async fn nudge(&self, ticket: &Ticket) -> sqlx::Result<()> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        let key = ticket.step.as_str().to_owned();
        tx.query(NUDGE)
            .bind(ticket.saga)
            .bind(key)
            .bind(ticket.turn)
            .bind(now)
            .execute()
            .await?;
        tx.commit().await
    }

    /// Notes that these tickets are with the broker. Losing this note costs one more ticket each.
    pub async fn mark_ticketed(&self, tickets: &[Ticket]) -> sqlx::Result<u64> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        // One order for everybody, so that two markers never wait in a circle.
        let mut tickets: Vec<&Ticket> = tickets.iter().collect();
        tickets.sort_by(|a, b| (a.saga, &a.step).cmp(&(b.saga, &b.step)));
        let marked = tx
            .batch(MARK)
            .column(tickets.iter().map(|ticket| ticket.saga))
            .column(tickets.iter().map(|ticket| ticket.step.as_str().to_owned()))
            .column(tickets.iter().map(|ticket| ticket.turn))
            .column(tickets.iter().map(|ticket| ticket.confirmed))
            .column(
                tickets
                    .iter()
                    .map(|ticket| ticket_due(ticket.confirmed + 1, now)),
            )
            .execute()
            .await?;
        tx.commit().await?;
        Ok(marked)
    }
}
