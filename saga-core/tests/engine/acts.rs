//! What tests do to a saga besides starting it: as its operator, and as a worker of their own.

use crate::sagas::{deed, far};
use crate::stories::{Story, Told, deploy};
use crate::support::{World, new_saga};
use chrono::{DateTime, Utc};
use saga_core::db::Durability;
use saga_core::run::{Answer, Lease, Run};
use saga_core::state::SagaState;
use saga_core::store::{
    Ask, Cancel, Claimed, ControlError, EffectKey, Letter, LetterFilter, SettleOutcome, Settlement,
};
use saga_core::{Provider, Retry, Saga, Ticket, Usage};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// Long enough that no lease of a test's own ends by itself.
pub(crate) const LONG: Duration = Duration::from_mins(1);
/// So short that it has ended when the sweeper looks.
pub(crate) const SHORT: Duration = Duration::from_millis(1);

impl World {
    /// Starts a saga with this code; its input is its id.
    pub(crate) async fn tell(&self, kind: &str, story: Story) -> Uuid {
        let id = Uuid::now_v7();
        deploy(id, story);
        self.client
            .start(new_saga(id, kind, json!(id)))
            .await
            .unwrap()
            .id
    }

    /// As [`World::tell`], but keeps the tickets: no worker hears of it before they are published.
    pub(crate) async fn tell_quietly(&self, kind: &str, story: Story) -> (Uuid, Vec<Ticket>) {
        let id = Uuid::now_v7();
        deploy(id, story);
        let (_, tickets) = self
            .store
            .start(&[new_saga(id, kind, json!(id))])
            .await
            .unwrap();
        (id, tickets)
    }

    /// Adds a worker and waits until it is at work on both queues.
    pub(crate) async fn worker_at_work(&self, name: &str) {
        self.worker(name);
        let saga = self
            .tell(Told::KIND, |flow| {
                Ok(flow.step(far("warm-up"))? + &flow.step(deed("warm-up"))?)
            })
            .await;
        self.until(saga, SagaState::Succeeded).await;
    }

    /// A saga as it is now.
    pub(crate) async fn run(&self, saga: Uuid) -> Run {
        self.store
            .view(&[saga])
            .await
            .unwrap()
            .remove(&saga)
            .unwrap()
    }

    pub(crate) async fn letters(&self, saga: Uuid) -> Vec<Letter> {
        let filter = LetterFilter {
            saga_id: Some(saga),
            limit: 10,
            ..Default::default()
        };
        self.store.letters(&filter).await.unwrap()
    }

    /// The one letter about a saga that is open.
    pub(crate) async fn open_letter(&self, saga: Uuid) -> Letter {
        let mut letters = self.letters(saga).await;
        letters.retain(|letter| letter.state == "open");
        assert_eq!(letters.len(), 1, "{}: {letters:#?}", self.label);
        letters.remove(0)
    }

    pub(crate) async fn replay(&self, saga: Uuid) {
        let letter = self.open_letter(saga).await.id;
        let (_, tickets) = self.store.replay(letter, "ana", "again").await.unwrap();
        self.client.publish(tickets);
    }

    pub(crate) async fn discard(&self, saga: Uuid) -> Result<(), ControlError> {
        let letter = self.open_letter(saga).await.id;
        let tickets = self.store.discard(letter, "ana", "give up").await?;
        self.client.publish(tickets);
        Ok(())
    }

    pub(crate) async fn cancel(&self, saga: Uuid) -> Result<(), ControlError> {
        let cancel = Cancel {
            by: "ana",
            actor: "ana",
            reason: "no longer wanted",
        };
        let (_, tickets) = self.store.cancel(saga, &cancel).await?;
        self.client.publish(tickets);
        Ok(())
    }

    pub(crate) async fn tell_news(&self, saga: Uuid) {
        let tickets = self.store.signal(saga, "news", json!("hear, hear")).await;
        self.client.publish(tickets.unwrap());
    }

    /// Takes a step as a worker of this name would; none when the ticket is void.
    pub(crate) async fn claim(
        &self,
        ticket: &Ticket,
        worker: &str,
        length: Duration,
    ) -> Option<Claimed> {
        let lease = Lease {
            worker: worker.to_owned(),
            length,
        };
        let tickets = std::slice::from_ref(ticket);
        self.store.claim(tickets, &lease).await.unwrap().remove(0)
    }

    /// Settles a claim; the tickets of what follows are not published.
    pub(crate) async fn settle(
        &self,
        claimed: &Claimed,
        answer: Answer,
    ) -> (SettleOutcome, Vec<Ticket>) {
        let settlement = Settlement {
            saga: claimed.saga,
            key: claimed.key.clone(),
            epoch: claimed.epoch,
            step: claimed.step.clone(),
            answer,
            recorder: None,
            retry: Retry::NEVER,
            run_on: None,
            leased: true,
            trace: claimed.trace.clone(),
            seen: claimed.seen.clone(),
        };
        let (mut outcomes, tickets) = self.store.settle(&[settlement]).await.unwrap();
        (outcomes.remove(0).unwrap(), tickets)
    }

    /// Sweeps until a ticket turns up for this saga.
    pub(crate) async fn sweep_for(&self, saga: Uuid) -> Ticket {
        let found = std::sync::Mutex::new(None);
        let look = async || {
            let tickets = self.store.sweep().await.unwrap().tickets;
            let ours = tickets.into_iter().find(|ticket| ticket.saga == saga);
            *found.lock().unwrap() = ours;
            found.lock().unwrap().is_some()
        };
        self.wait("the sweeper brings a ticket", look, saga).await;
        found.into_inner().unwrap().unwrap()
    }

    pub(crate) async fn now(&self) -> DateTime<Utc> {
        let mut tx = self.store.db().begin(Durability::Relaxed).await.unwrap();
        tx.now().await.unwrap()
    }

    /// Waits until the store's clock has passed `time`.
    pub(crate) async fn passed(&self, time: DateTime<Utc>, saga: Uuid) {
        let over = async || self.now().await > time;
        self.wait(&format!("it is {time}"), over, saga).await;
    }
}

/// A call that a step wants to make, which takes so much at most.
pub(crate) fn ask<'a>(by: &'a Claimed, name: &str, most: Usage) -> Ask<'a> {
    Ask {
        key: EffectKey {
            saga: by.saga,
            step: by.key.clone(),
            epoch: by.epoch,
            name: name.to_owned(),
        },
        kind: &by.kind,
        owner_id: by.owner_id,
        provider: Provider {
            name: "openai",
            model: "gpt",
            purpose: "persona",
            request_hash: "hash".to_owned(),
            most,
            idempotent: false,
        },
    }
}
