//! A broker is looked at from outside, and nothing is changed by it.

use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use saga_core::transport::{Names, QueueFound, RabbitMq};
use uuid::Uuid;

#[tokio::test]
async fn a_queue_that_was_made_otherwise_is_told_and_a_missing_one_is_not_made() {
    let Ok(url) = std::env::var("CHORUS_TEST_AMQP") else {
        return; // `support::combinations` says what is left out
    };
    let names = Names::under(format!("t{}", Uuid::now_v7().simple()));
    let broker = RabbitMq::new(&url, names.clone(), "test", vec!["synthesis".to_owned()]);
    let found = broker.inspect().await.unwrap();
    let missing = |name: String| (name, QueueFound::Missing);
    let (pool, dead) = (names.queue("synthesis"), names.dead());
    assert_eq!(found.queues, [missing(pool.clone()), missing(dead.clone())]);
    let version = found.version.unwrap();
    assert!(version.split('.').count() >= 3, "{version}");

    let connection = Connection::connect(&url, ConnectionProperties::default()).await;
    let connection = connection.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let classic = channel.queue_declare(pool.as_str().into(), durable, FieldTable::default());
    classic.await.unwrap();
    let found = broker.inspect().await.unwrap();
    let wrong = |found: &QueueFound| matches!(found, QueueFound::Wrong(why) if why.contains("inequivalent"));
    assert!(wrong(&found.queues[0].1), "{found:?}");
    assert_eq!(found.queues[1], missing(dead));
    let deleted = channel.queue_delete(pool.as_str().into(), QueueDeleteOptions::default());
    deleted.await.unwrap();
    drop(connection.close(200, "done".into()).await);
}
