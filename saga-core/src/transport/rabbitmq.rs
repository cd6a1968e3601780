//! Supervised sessions with RabbitMQ: one connection publishes, others consume, one each queue.
//!
//! `lapin`'s own recovery stays off: it can leave a consumer hanging for ever. Any error, or the end
//! of a stream, ends the session; after a pause the next one begins.

use super::signs::Signs;
use super::topology::{self, Names, declare, declare_dead, short};
use super::{Delivery, Health};
use crate::retry::Reconnect;
use crate::store::Store;
use crate::ticket::Ticket;
use futures_util::{StreamExt as _, future::join_all};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions,
};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
    types::FieldTable,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How long a confirm may take: a blocked or stopped broker answers nothing at all.
const CONFIRM_MAX: Duration = Duration::from_secs(5);
/// How long opening a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A session that held this long was a good one: the next pause is short again.
const GOOD_SESSION: Duration = Duration::from_secs(10);
/// The connections of a broker that hangs end after about two of these.
const HEARTBEAT_S: u16 = 5;
const SHORT: &str = "the broker is short of memory or disk and takes nothing";
/// Tickets are small, so this is the least that AMQP allows. `lapin` sets 64 frames aside for each
/// connection, and the default of 128 KiB would make that 8 MiB.
const FRAME_BYTES_MAX: u32 = 4 * 1024;
const PERSISTENT: u8 = 2;
/// Dead tickets judged at once.
const DEAD_PREFETCH: u16 = 16;

/// Why a session ended: the broker's trouble, or the store's.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
enum Line {
    Open(Channel, Arc<Connection>),
    Closed(String),
}

/// A broker, as publishers and consumers of one process use it.
#[derive(Clone)]
pub struct RabbitMq {
    pub(super) url: String,
    pub(super) names: Names,
    label: String,
    line: watch::Sender<Line>,
    pub(super) queues: Vec<String>,
}

impl RabbitMq {
    /// A broker at `url`; `label` names this process there, `queues` are those it may publish to.
    pub fn new(
        url: impl Into<String>,
        names: Names,
        label: impl Into<String>,
        queues: Vec<String>,
    ) -> Self {
        let line = watch::Sender::new(Line::Closed("not connected yet".to_owned()));
        Self {
            url: url.into(),
            names,
            label: label.into(),
            line,
            queues,
        }
    }

    pub(super) fn health(&self) -> Health {
        match &*self.line.borrow() {
            Line::Open(channel, _) if channel.status().connected() => Health::Up,
            Line::Open(..) => Health::Down("the channel is closed".to_owned()),
            Line::Closed(why) => Health::Down(why.clone()),
        }
    }

    /// How many consume a queue; none when the broker cannot be asked.
    pub(super) async fn consumers(&self, queue: &str) -> Option<u64> {
        let line = self.line.borrow().clone();
        let Line::Open(_, connection) = line else {
            return None;
        };
        let name = self.names.queue(queue);
        let asked = topology::consumers(&connection, &name);
        let told = tokio::time::timeout(CONFIRM_MAX, asked).await.ok()?;
        told.ok().flatten()
    }

    /// Publishes, all at once, and waits for each confirm. What is not confirmed stays unticketed in
    /// the store; the sweeper tries again.
    pub(super) async fn publish(&self, tickets: Vec<Ticket>) -> Vec<Ticket> {
        let line = self.line.borrow().clone();
        let Line::Open(channel, _) = line else {
            return vec![];
        };
        let published = join_all(tickets.into_iter().map(|ticket| {
            let (channel, names) = (channel.clone(), &self.names);
            async move {
                let confirmed =
                    tokio::time::timeout(CONFIRM_MAX, publish(&channel, names, &ticket)).await;
                match confirmed {
                    // Routed and on the queue's disk: the only success there is.
                    Ok(Ok(Confirmation::Ack(None))) => Some(ticket),
                    // Returned as unroutable, refused, or no answer in time.
                    Ok(Ok(
                        Confirmation::Ack(Some(_))
                        | Confirmation::Nack(_)
                        | Confirmation::NotRequested,
                    ))
                    | Err(_) => None,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "A ticket was not published; the sweeper will");
                        None
                    }
                }
            }
        }));
        published.await.into_iter().flatten().collect()
    }

    pub(super) async fn run_publisher(self, store: Store, shutdown: CancellationToken) {
        let opened = || async {
            let connection = Arc::new(self.connect("publisher").await?);
            for queue in &self.queues {
                self.prepare(&connection, queue, &store).await?;
            }
            let channel = connection.create_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            let (asked, signs) = (connection.create_channel().await?, Signs::default());
            let mut watching = std::pin::pin!(signs.watch(&asked));
            // Publishers find out about trouble by themselves; this loop looks after the line.
            while connection.status().connected()
                && channel.status().connected()
                && !shutdown.is_cancelled()
            {
                self.line.send_replace(if connection.status().blocked() {
                    Line::Closed(SHORT.to_owned())
                } else if signs.missing() {
                    Line::Closed("the broker does not answer".to_owned())
                } else {
                    Line::Open(channel.clone(), Arc::clone(&connection))
                });
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(250)) => {}
                    ended = &mut watching => ended?,
                    () = shutdown.cancelled() => {}
                }
            }
            if shutdown.is_cancelled() {
                drop(connection.close(200, "goodbye".into()).await);
            }
            Ok(())
        };
        supervise("publisher", &shutdown, opened, |why| {
            self.line.send_replace(Line::Closed(why));
        })
        .await;
    }

    pub(super) async fn consume(
        self,
        queue: String,
        prefetch: u16,
        store: Store,
        deliver: mpsc::Sender<Delivery>,
        shutdown: CancellationToken,
    ) {
        let session = || self.consumer_session(&queue, prefetch, &store, &deliver, &shutdown);
        supervise("consumer", &shutdown, session, |_| {}).await;
    }

    async fn consumer_session(
        &self,
        queue: &str,
        prefetch: u16,
        store: &Store,
        deliver: &mpsc::Sender<Delivery>,
        shutdown: &CancellationToken,
    ) -> Result<(), Trouble> {
        let connection = self.connect("consumer").await?;
        self.prepare(&connection, queue, store).await?;
        let channel = connection.create_channel().await?;
        channel
            .basic_qos(prefetch, BasicQosOptions::default())
            .await?;
        let name = short(&self.names.queue(queue))?;
        let mut deliveries = channel
            .basic_consume(
                name,
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        loop {
            tokio::select! {
                next = deliveries.next() => {
                    // None: the queue was deleted, or the broker cancelled us.
                    let Some(delivery) = next.transpose()? else { return Ok(()) };
                    crate::fault::point("delivery.arrived", "");
                    match Ticket::decode(&delivery.data) {
                        Ok(ticket) => {
                            if crate::fault::seeded("ack-early") {
                                drop(delivery.acker.ack(BasicAckOptions::default()).await);
                                tokio::time::sleep(Duration::from_millis(20)).await; // it has left by now
                            }
                            crate::fault::point("delivery.taken", ticket.step.as_str());
                            if deliver.send(Delivery { ticket, ack: Some(delivery) }).await.is_err() {
                                return Ok(());
                            }
                        }
                        Err(error) => keep_poison(store, queue, &delivery, &error.to_string()).await?,
                    }
                }
                () = shutdown.cancelled() => {
                    channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
                    // What is under way is acked over this connection; it closes once all is done. What
                    // arrived meanwhile goes the same way as what was not begun.
                    tokio::select! {
                        () = deliver.closed() => {}
                        () = pass_on(&mut deliveries, deliver) => {}
                    }
                    drop(connection.close(200, "goodbye".into()).await);
                    return Ok(());
                }
            }
        }
    }

    pub(super) async fn drain_dead(self, store: Store, shutdown: CancellationToken) {
        let session = || async {
            let connection = self.connect("dead").await?;
            let channel = connection.create_channel().await?;
            declare_dead(&channel, &self.names).await?;
            channel
                .basic_qos(DEAD_PREFETCH, BasicQosOptions::default())
                .await?;
            let name = short(&self.names.dead())?;
            let mut dead = channel
                .basic_consume(
                    name,
                    "".into(),
                    BasicConsumeOptions::default(),
                    FieldTable::default(),
                )
                .await?;
            loop {
                let delivery = tokio::select! {
                    next = dead.next() => next.transpose()?,
                    () = shutdown.cancelled() => None,
                };
                let Some(delivery) = delivery else {
                    return Ok(());
                };
                match Ticket::decode(&delivery.data) {
                    // The row decides: a healthy one gets a new ticket, not a letter.
                    Ok(ticket) => {
                        store.nudge(&ticket).await?;
                        delivery.acker.ack(BasicAckOptions::default()).await?;
                    }
                    Err(error) => {
                        keep_poison(&store, &self.names.dead(), &delivery, &error.to_string())
                            .await?;
                    }
                }
            }
        };
        supervise("dead", &shutdown, session, |_| {}).await;
    }

    /// Has the broker know a queue. If it did not, whatever was in the queue is gone, and every ready
    /// step gets another ticket: that is written down first, so that no crash in between forgets it.
    async fn prepare(
        &self,
        connection: &Connection,
        queue: &str,
        store: &Store,
    ) -> Result<(), Trouble> {
        let name = self.names.queue(queue);
        if topology::consumers(connection, &name).await?.is_none() {
            tracing::info!(
                queue,
                "The broker does not know the queue: every ready step gets another ticket"
            );
            store.renew_tickets(queue).await?;
        }
        declare(connection, &self.names, queue).await?;
        Ok(())
    }

    pub(super) async fn connect(&self, role: &str) -> lapin::Result<Connection> {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        let url = format!(
            "{}{separator}heartbeat={HEARTBEAT_S}&frame_max={FRAME_BYTES_MAX}",
            self.url
        );
        let properties = ConnectionProperties::default()
            .with_connection_name(format!("{} {role}", self.label).into());
        match tokio::time::timeout(CONNECT_MAX, Connection::connect(&url, properties)).await {
            Ok(connected) => connected,
            Err(_) => {
                Err(lapin::ErrorKind::IOError(Arc::new(std::io::ErrorKind::TimedOut.into())).into())
            }
        }
    }
}

/// Passes on what a cancelled consumer still brings, and then waits: whoever takes it gives it back.
async fn pass_on(deliveries: &mut Consumer, deliver: &mpsc::Sender<Delivery>) {
    while let Some(Ok(delivery)) = deliveries.next().await {
        if let Ok(ticket) = Ticket::decode(&delivery.data) {
            let ack = Some(delivery);
            drop(deliver.send(Delivery { ticket, ack }).await);
        }
    }
    deliver.closed().await;
}

async fn publish(channel: &Channel, names: &Names, ticket: &Ticket) -> lapin::Result<Confirmation> {
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_correlation_id(short(&ticket.request)?);
    let (exchange, key) = (
        short(&names.exchange())?,
        short(&names.queue(&ticket.queue))?,
    );
    let sent = channel
        .basic_publish(exchange, key, mandatory, &ticket.encode(), properties)
        .await?;
    crate::fault::point("ticket.sent", ticket.step.as_str());
    sent.await
}

async fn keep_poison(
    store: &Store,
    queue: &str,
    delivery: &lapin::message::Delivery,
    why: &str,
) -> Result<(), Trouble> {
    let letter = store.poison(queue, &delivery.data, why).await?;
    tracing::warn!(queue, %letter, why, "A message that is no ticket is kept as a letter");
    delivery.acker.ack(BasicAckOptions::default()).await?;
    Ok(())
}

/// Opens sessions, one after the other, with growing pauses between bad ones.
async fn supervise<F, Fut>(
    role: &str,
    shutdown: &CancellationToken,
    session: F,
    closed: impl Fn(String),
) where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<(), Trouble>>,
{
    let mut pauses = Reconnect::default();
    let mut silent = false;
    while !shutdown.is_cancelled() {
        let opened = Instant::now();
        let ended = session().await;
        if shutdown.is_cancelled() {
            return;
        }
        let why = ended.map_or_else(
            |error| error.to_string(),
            |()| "the broker ended the session".to_owned(),
        );
        if opened.elapsed() > GOOD_SESSION {
            pauses.reset();
            silent = false;
        }
        if !silent {
            tracing::warn!(role, why, "The broker session ended; opening another");
            silent = true; // an outage is told once, and its end by what works again
        }
        closed(why);
        tokio::select! {
            () = tokio::time::sleep(pauses.pause()) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
