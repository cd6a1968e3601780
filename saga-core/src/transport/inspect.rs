//! Looks at a broker from outside: which one it is, and whether it has our queues as they are to be.

use super::rabbitmq::RabbitMq;
use super::topology;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long one question may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// What a client says first.
const GREETING: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// Longest first frame that is read: the broker's properties are some hundred bytes.
const START_BYTES_MAX: usize = 4096;
const PORT_DEFAULT: u16 = 5672;

/// A broker, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Its version, where it tells it; over TLS it is not asked.
    pub version: Option<String>,
    /// Our queues, by their names there.
    pub queues: Vec<(String, QueueFound)>,
}

/// A queue, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueFound {
    /// It is as this program would make it.
    Right,
    /// There is none of this name; whoever consumes it first makes it.
    Missing,
    /// It was made otherwise, so no worker can consume it: what the broker says.
    Wrong(String),
}

impl RabbitMq {
    /// Asks the broker for its version and about our queues; it makes none.
    pub async fn inspect(&self) -> Result<Inspected, String> {
        let asked = async {
            let connection = self.connect("doctor").await?;
            let mut queues = vec![];
            let pools = self.queues.iter().map(|queue| self.names.queue(queue));
            for name in pools.chain([self.names.dead()]) {
                let found = topology::look(&connection, &self.names, &name).await?;
                queues.push((name, found));
            }
            drop(connection.close(200, "goodbye".into()).await);
            Ok(queues)
        };
        let answered = tokio::time::timeout(ANSWER_MAX * 2, asked).await;
        let queues = answered
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|error: lapin::Error| error.to_string())?;
        let version = tokio::time::timeout(ANSWER_MAX, version(&self.url)).await;
        Ok(Inspected {
            version: version.ok().flatten(),
            queues,
        })
    }
}

/// The version that a broker tells whoever greets it: the client library does not pass it on.
async fn version(url: &str) -> Option<String> {
    let (host, port) = authority(url)?;
    let mut stream = TcpStream::connect((host, port)).await.ok()?;
    stream.write_all(GREETING).await.ok()?;
    let mut start = vec![0; START_BYTES_MAX];
    let mut length = 0;
    loop {
        let read = stream.read(&mut start[length..]).await.ok()?;
        length += read;
        if let Some(version) = property(&start[..length], b"version") {
            return Some(version);
        }
        if read == 0 || length == start.len() {
            return None;
        }
    }
}

/// Host and port of `amqp://user:password@host:port/vhost`; nothing where TLS is spoken.
fn authority(url: &str) -> Option<(&str, u16)> {
    let rest = url.strip_prefix("amqp://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let whole = &rest[..end];
    let host = whole.rsplit_once('@').map_or(whole, |(_, host)| host);
    match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            Some((host.trim_matches(['[', ']']), port.parse().ok()?))
        }
        Some(_) | None => Some((host.trim_matches(['[', ']']), PORT_DEFAULT)),
    }
}

/// A text in an AMQP table: the length of its name in one byte, the name, `S`, the length of the text in
/// four, the text.
fn property(frame: &[u8], name: &[u8]) -> Option<String> {
    let mut field = vec![u8::try_from(name.len()).ok()?];
    field.extend(name);
    field.push(b'S');
    let at = frame
        .windows(field.len())
        .position(|window| window == field)?
        + field.len();
    let (length, text) = frame.get(at..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    String::from_utf8(text.get(..length)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{authority, property};

    #[test]
    fn a_brokers_host_is_found_in_every_address() {
        assert_eq!(authority("amqp://u:p@rabbit/%2f"), Some(("rabbit", 5672)));
        assert_eq!(authority("amqp://rabbit:5673?x=1"), Some(("rabbit", 5673)));
        assert_eq!(authority("amqp://u:p:@@[::1]:1/"), Some(("::1", 1)));
        assert_eq!(authority("amqps://u:p@rabbit"), None);
    }

    #[test]
    fn a_property_is_read_only_when_it_is_there_whole() {
        let frame = b"..\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x064.0.11..";
        assert_eq!(property(frame, b"version").as_deref(), Some("4.0.11"));
        assert_eq!(property(&frame[..frame.len() - 4], b"version"), None);
        assert_eq!(property(frame, b"platform"), None);
    }
}
