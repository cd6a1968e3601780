//! What the test suites of several crates share: databases of their own, ports that nobody takes, disks that
//! fill up, and the word for what was left out. Nothing but tests depends on it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod database;
mod disk;
mod port;

pub use database::{Fresh, Throwaway, servers};
pub use disk::Disk;
pub use port::held_port;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Says that something is not tested, since what it needs is not there.
pub fn left_out(what: &str) {
    let words = format!("left out: {what} (run scripts/test for all)");
    drop(writeln!(std::io::stderr(), "{words}")); // eprintln! is kept back by the runner
}

/// The address of PostgreSQL, if it is there; else says what is left out.
pub fn postgres(what: &str) -> Option<String> {
    let found = std::env::var("CHORUS_TEST_POSTGRES").ok();
    if found.is_none() {
        left_out(what);
    }
    found
}

/// The addresses of PostgreSQL and RabbitMQ, if both are there; else says what is left out.
pub fn services(what: &str) -> Option<(String, String)> {
    let amqp = std::env::var("CHORUS_TEST_AMQP").ok();
    let found = std::env::var("CHORUS_TEST_POSTGRES").ok().zip(amqp);
    if found.is_none() {
        left_out(what);
    }
    found
}

/// The address of a Redis: the one that is named, or one of this machine; else says what is left out.
pub fn redis(what: &str) -> Option<String> {
    let named = std::env::var("CHORUS_TEST_REDIS").ok();
    let found = named.or_else(|| {
        let mut there = TcpStream::connect("127.0.0.1:6379").ok()?;
        there.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        there.write_all(b"PING\r\n").ok()?;
        let mut told = [0; 5];
        there.read_exact(&mut told).ok()?;
        (told == *b"+PONG").then(|| "redis://127.0.0.1:6379".to_owned())
    });
    if found.is_none() {
        left_out(what);
    }
    found
}
