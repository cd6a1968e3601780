//! How tickets travel: through RabbitMQ between processes, or within one.

mod in_process;
mod inspect;
mod rabbitmq;
mod signs;
mod topology;

pub use in_process::InProcess;
pub use inspect::{Inspected, QueueFound};
pub use rabbitmq::RabbitMq;
pub use topology::Names;

use crate::store::Store;
use crate::ticket::Ticket;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A ticket that arrived, and the way to say that it is done with.
pub struct Delivery {
    /// The ticket.
    pub ticket: Ticket,
    /// Says so to the broker; within one process there is nobody to tell.
    pub ack: Option<lapin::message::Delivery>,
}

impl Delivery {
    /// Whether the broker has delivered it before, and heard nothing.
    pub(crate) fn is_again(&self) -> bool {
        self.ack
            .as_ref()
            .is_some_and(|delivery| delivery.redelivered)
    }

    /// Tells the broker that the ticket is done with. That it could not be told does not matter: the
    /// ticket comes again and finds nothing to do.
    pub async fn ack(self) {
        if let Some(delivery) = self.ack
            && let Err(error) = delivery
                .acker
                .ack(lapin::options::BasicAckOptions::default())
                .await
        {
            tracing::debug!(%error, "An ack did not reach the broker; the ticket will come again");
        }
    }
}

impl Delivery {
    /// Gives the ticket to somebody else. If the broker does not hear it, it finds out by itself when
    /// the connection closes.
    async fn give_up(self) {
        let requeue = lapin::options::BasicNackOptions {
            requeue: true,
            ..lapin::options::BasicNackOptions::default()
        };
        if let Some(delivery) = self.ack
            && let Err(error) = delivery.acker.nack(requeue).await
        {
            tracing::debug!(%error, "A ticket could not be given back; the broker will take it");
        }
    }
}

/// Whether a transport carries tickets right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Up,
    /// It does not; why.
    Down(String),
}

/// How tickets travel.
#[derive(Clone)]
pub enum Transport {
    /// Within one process.
    InProcess(InProcess),
    /// Through a broker.
    RabbitMq(RabbitMq),
}

impl Transport {
    /// Hands tickets over and says which of them the transport has confirmed.
    pub async fn publish(&self, tickets: Vec<Ticket>) -> Vec<Ticket> {
        match self {
            Self::InProcess(within) => within.publish(tickets),
            Self::RabbitMq(broker) => broker.publish(tickets).await,
        }
    }

    /// Keeps the connection for publishing alive until shutdown. Returns at once within one process.
    pub async fn run(self, store: Store, shutdown: CancellationToken) {
        match self {
            Self::InProcess(_) => {}
            Self::RabbitMq(broker) => broker.run_publisher(store, shutdown).await,
        }
    }

    /// Delivers a queue's tickets, at most `prefetch` of them unacknowledged, until shutdown.
    pub fn consume(
        self,
        queue: String,
        prefetch: u16,
        store: Store,
        shutdown: CancellationToken,
    ) -> (mpsc::Receiver<Delivery>, BoxFuture<'static, ()>) {
        let (deliver, deliveries) = mpsc::channel(usize::from(prefetch).max(1));
        let run: BoxFuture<'static, ()> = match self {
            Self::InProcess(within) => {
                Box::pin(async move { within.consume(&queue, deliver, shutdown).await })
            }
            Self::RabbitMq(broker) => {
                Box::pin(broker.consume(queue, prefetch, store, deliver, shutdown))
            }
        };
        (deliveries, run)
    }

    /// Ends a consumer whose signal has come: tickets that nobody has begun go to whoever consumes next,
    /// while those `running` stay until they are done.
    pub async fn hand_back(
        &self,
        untaken: Vec<Delivery>,
        mut deliveries: mpsc::Receiver<Delivery>,
        running: impl Future<Output = ()>,
    ) {
        match self {
            Self::InProcess(within) => {
                let back = |one: Delivery| drop(within.publish(vec![one.ticket]));
                untaken.into_iter().for_each(back);
                // The consumer has heard the signal, too, and closes the channel.
                while let Some(one) = deliveries.recv().await {
                    back(one);
                }
                running.await;
            }
            Self::RabbitMq(_) => {
                for one in untaken {
                    one.give_up().await;
                }
                let giving = async {
                    while let Some(one) = deliveries.recv().await {
                        one.give_up().await;
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = running => {}
                    () = giving => {}
                }
                // Only now: closing the channel tells the session that nothing is left to ack.
                drop(deliveries);
            }
        }
    }

    /// Gives what the broker gave up on back to the store's judgement, until shutdown.
    pub async fn drain_dead(self, store: Store, shutdown: CancellationToken) {
        match self {
            Self::InProcess(_) => {}
            Self::RabbitMq(broker) => broker.drain_dead(store, shutdown).await,
        }
    }

    /// Whether tickets can be published now.
    pub fn health(&self) -> Health {
        match self {
            Self::InProcess(_) => Health::Up,
            Self::RabbitMq(broker) => broker.health(),
        }
    }

    /// How many consume a queue now, in all processes; none when nobody can tell. It may ask the broker.
    pub async fn consumers(&self, queue: &str) -> Option<u64> {
        match self {
            Self::InProcess(within) => within.consumers(queue),
            Self::RabbitMq(broker) => broker.consumers(queue).await,
        }
    }

    /// The word for this transport in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InProcess(_) => "in process",
            Self::RabbitMq(_) => "rabbitmq",
        }
    }
}
