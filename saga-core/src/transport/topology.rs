//! What the broker is asked to have: one exchange, one quorum queue a pool, one for what it gave up on.

use super::inspect::QueueFound;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, Connection, ExchangeKind};

/// Deliveries after which the broker gives a ticket up; a backstop only, the store counts attempts.
const DELIVERY_LIMIT: i64 = 20;

/// The names of everything at the broker. Arguments of a queue never change, so names end in a version.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            prefix: "chorus".to_owned(),
        }
    }
}

impl Names {
    /// Names under another prefix, so that tests share a broker.
    pub fn under(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }
    /// The exchange.
    pub fn exchange(&self) -> String {
        format!("{}.steps", self.prefix)
    }
    /// A pool's queue.
    pub fn queue(&self, queue: &str) -> String {
        format!("{}.{queue}.v1", self.prefix)
    }
    /// The queue of what the broker gave up on.
    pub fn dead(&self) -> String {
        format!("{}.dead.v1", self.prefix)
    }
}

/// Declares the exchange and one pool's queue.
pub(super) async fn declare(
    connection: &Connection,
    names: &Names,
    queue: &str,
) -> lapin::Result<()> {
    let name = names.queue(queue);
    // A throw-away channel: a refusal (406) closes it.
    let channel = connection.create_channel().await?;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(
            short(&names.exchange())?,
            ExchangeKind::Direct,
            durable,
            FieldTable::default(),
        )
        .await?;
    declare_dead(&channel, names).await?;
    channel
        .queue_declare(short(&name)?, durable_queue(), pool(names))
        .await?;
    let bind = QueueBindOptions::default();
    channel
        .queue_bind(
            short(&name)?,
            short(&names.exchange())?,
            short(&name)?,
            bind,
            FieldTable::default(),
        )
        .await
}

/// Declares the queue of what the broker gave up on.
pub(super) async fn declare_dead(channel: &Channel, names: &Names) -> lapin::Result<()> {
    channel
        .queue_declare(short(&names.dead())?, durable_queue(), quorum())
        .await
        .map(drop)
}

/// How the queue of this name is, without making one.
pub(super) async fn look(
    connection: &Connection,
    names: &Names,
    queue: &str,
) -> lapin::Result<QueueFound> {
    if consumers(connection, queue).await?.is_none() {
        return Ok(QueueFound::Missing);
    }
    let arguments = if queue == names.dead() {
        quorum()
    } else {
        pool(names)
    };
    // Declaring what is there changes nothing, and is refused (406) where it is otherwise.
    let channel = connection.create_channel().await?;
    let declared = channel
        .queue_declare(short(queue)?, durable_queue(), arguments)
        .await;
    Ok(match declared {
        Ok(_) => QueueFound::Right,
        Err(error) => QueueFound::Wrong(error.to_string()),
    })
}

/// How many consume the queue of this name; none if the broker has no such queue.
pub(super) async fn consumers(connection: &Connection, queue: &str) -> lapin::Result<Option<u64>> {
    // A throw-away channel: a refusal (404) closes it.
    let channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions {
        passive: true,
        ..durable_queue()
    };
    let found = channel
        .queue_declare(short(queue)?, passive, FieldTable::default())
        .await;
    Ok(found.ok().map(|queue| queue.consumer_count().into()))
}

/// A name of at most 255 bytes.
pub(super) fn short(name: &str) -> lapin::Result<ShortString> {
    ShortString::try_new(name.to_owned()).map_err(|_| {
        lapin::Error::from(lapin::ErrorKind::IOError(std::sync::Arc::new(
            std::io::Error::other(format!("a broker name is at most 255 bytes: {name}")),
        )))
    })
}

fn durable_queue() -> QueueDeclareOptions {
    QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    }
}

/// The arguments of a pool's queue.
fn pool(names: &Names) -> FieldTable {
    let mut arguments = quorum();
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongLongInt(DELIVERY_LIMIT),
    );
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(&names.dead()));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}
