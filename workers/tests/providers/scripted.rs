//! A server that does what its script says, byte by byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One thing a server does while it answers.
#[derive(Clone)]
pub(crate) enum Act {
    /// Sends these bytes: one chunk, if the reply is chunked.
    Send(Vec<u8>),
    /// Sends these bytes again and again until nobody listens.
    Flood(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Never does anything again.
    Hang,
    /// Closes the connection, whatever was promised.
    Cut,
}

/// One reply: its head, unless there is none, and what follows.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) chunked: bool,
    pub(crate) headless: bool,
    pub(crate) body: Vec<Act>,
}

impl Reply {
    /// A whole body of some type.
    pub(crate) fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            chunked: false,
            headless: false,
            body: vec![Act::Send(body.into())],
        }
        .header("content-type", kind)
    }

    pub(crate) fn json(status: u16, body: impl ToString) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A body in chunks.
    pub(crate) fn chunked(kind: &str, body: Vec<Act>) -> Self {
        Self {
            chunked: true,
            body,
            ..Self::new(200, kind, "")
        }
    }

    /// A stream with these events and a blank line after each.
    pub(crate) fn events(data: &[&str]) -> Self {
        let send = |data: &&str| Act::Send(format!("data: {data}\n\n").into_bytes());
        Self::chunked("text/event-stream", data.iter().map(send).collect())
    }

    /// No head: only this happens.
    pub(crate) fn headless(act: Act) -> Self {
        Self {
            headless: true,
            body: vec![act],
            ..Self::new(200, "", "")
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(there, _)| there != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn then(mut self, act: Act) -> Self {
        self.body.push(act);
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if self.chunked {
            head.push_str("transfer-encoding: chunked\r\n");
        } else if !self
            .headers
            .iter()
            .any(|(name, _)| name == "content-length")
        {
            let length = |act: &Act| match act {
                Act::Send(bytes) => bytes.len(),
                Act::Flood(_) | Act::Pause(_) | Act::Hang | Act::Cut => 0,
            };
            let length: usize = self.body.iter().map(length).sum();
            head.extend(["content-length: ", &length.to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and path.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(there, _)| there == name)?;
        Some(&found.1)
    }
}

/// A running server. The n-th request gets the n-th reply; past the last there is a 599.
pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start(script: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, script)
    }

    /// As [`Server::start`], where the script must know the address.
    pub(crate) fn on(listener: TcpListener, script: Vec<Reply>) -> Self {
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let sent: Arc<AtomicUsize> = Arc::default();
        let (log, count) = (seen.clone(), sent.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), log.clone(), count.clone()));
            }
        });
        Self {
            address,
            seen,
            sent,
        }
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many bytes of bodies the sockets took.
    pub(crate) fn bytes_sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Vec<Reply>,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<AtomicUsize>,
) {
    while let Some(request) = received(&mut stream).await {
        let turn = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        let unscripted = || Reply::json(599, "{}");
        let reply = script.get(turn).cloned().unwrap_or_else(unscripted);
        if played(&mut stream, &reply, &sent).await.is_none() {
            return;
        }
    }
}

async fn received(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let (head, mut body) = loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let body = bytes.split_off(end + 4);
            break (String::from_utf8_lossy(&bytes).into_owned(), body);
        }
        stream.read_buf(&mut bytes).await.ok().filter(|n| *n > 0)?;
    };
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    while body.len() < length {
        stream.read_buf(&mut body).await.ok().filter(|n| *n > 0)?;
    }
    Some(Seen {
        line,
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

/// Plays a reply. Nothing if the connection is of no more use.
async fn played(stream: &mut TcpStream, reply: &Reply, sent: &AtomicUsize) -> Option<()> {
    if !reply.headless {
        stream.write_all(&reply.head()).await.ok()?;
    }
    for act in &reply.body {
        match act {
            Act::Send(bytes) => write(stream, reply, bytes, sent).await?,
            Act::Flood(bytes) => loop {
                write(stream, reply, bytes, sent).await?;
            },
            Act::Pause(time) => tokio::time::sleep(*time).await,
            Act::Hang => std::future::pending().await,
            Act::Cut => return None,
        }
    }
    if reply.chunked {
        stream.write_all(b"0\r\n\r\n").await.ok()?;
    }
    Some(())
}

async fn write(
    stream: &mut TcpStream,
    reply: &Reply,
    bytes: &[u8],
    sent: &AtomicUsize,
) -> Option<()> {
    if reply.chunked && !bytes.is_empty() {
        let size = format!("{:x}\r\n", bytes.len());
        stream.write_all(size.as_bytes()).await.ok()?;
    }
    stream.write_all(bytes).await.ok()?;
    if reply.chunked && !bytes.is_empty() {
        stream.write_all(b"\r\n").await.ok()?;
    }
    stream.flush().await.ok()?;
    sent.fetch_add(bytes.len(), Ordering::Relaxed);
    Some(())
}
