//! A small HTTP/1.1 client that costs little: one request at a time on each kept-alive connection.

use anyhow::{Context as _, Result, bail};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest answer that is read.
const ANSWER_MAX: usize = 1 << 20;

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to)
            .await
            .with_context(|| format!("connecting to {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8192),
        })
    }

    /// Sends a request as it is and reads its answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if let Some((status, body_at, length)) = head(&self.buffer)? {
                while self.buffer.len() < body_at + length {
                    self.more().await?;
                }
                return Ok(Answer {
                    status,
                    body: self.buffer[body_at..body_at + length].to_vec(),
                });
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        if self.buffer.len() > ANSWER_MAX {
            bail!("the answer is over {ANSWER_MAX} bytes");
        }
        Ok(())
    }
}

/// Status, where the body begins, how long it is; none while the head is incomplete.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..end])?;
    let status = text.split(' ').nth(1).context("no status")?.parse()?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse())?;
    Ok(Some((status, end + 4, length)))
}

/// A request's bytes.
pub(crate) fn request(
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&str>,
) -> Vec<u8> {
    let authorization = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let body = body.unwrap_or_default();
    let content = if body.is_empty() {
        String::new()
    } else {
        format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        )
    };
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{authorization}{content}\r\n{body}")
        .into_bytes()
}

/// What a burst of requests came to.
#[derive(Default)]
pub(crate) struct Burst {
    /// Answers a second.
    pub(crate) rate: f64,
    /// What each answered.
    pub(crate) answers: Vec<Answer>,
    /// How long each took, sorted.
    pub(crate) times: Vec<Duration>,
}

/// Who sends a burst: so many connections, each with one request at a time, on so many threads.
///
/// Where the server has the same few cores its clients take from it what they need themselves. One thread
/// takes least, and is too slow for the fastest servers; so those are measured with one and with two.
#[derive(Clone, Copy)]
pub(crate) struct Clients {
    pub(crate) connections: usize,
    pub(crate) threads: usize,
}

impl Clients {
    /// 64 connections on so many threads.
    pub(crate) const fn on(threads: usize) -> Self {
        Self {
            connections: 64,
            threads,
        }
    }

    /// Sends `total` requests, `each(n)` makes the n-th.
    pub(crate) async fn burst(
        self,
        to: SocketAddr,
        total: usize,
        keep: bool,
        each: impl Fn(usize) -> Vec<u8> + Send + Sync + Clone + 'static,
    ) -> Result<Burst> {
        let began = Instant::now();
        let mut threads = tokio::task::JoinSet::new();
        for thread in 0..self.threads {
            let lanes: Vec<usize> = (thread..self.connections).step_by(self.threads).collect();
            let lane = Lane {
                to,
                step: self.connections,
                total,
                keep,
                each: each.clone(),
            };
            threads.spawn_blocking(move || alone(lanes, lane));
        }
        let mut burst = Burst::default();
        while let Some(done) = threads.join_next().await {
            let (answers, times) = done??;
            burst.answers.extend(answers);
            burst.times.extend(times);
        }
        burst.times.sort();
        burst.rate = rate(total, began.elapsed());
        Ok(burst)
    }
}

/// What the requests of one connection answered, and how long each took.
type Sent = (Vec<Answer>, Vec<Duration>);

/// One connection's part of a burst.
#[derive(Clone)]
struct Lane<E> {
    to: SocketAddr,
    step: usize,
    total: usize,
    keep: bool,
    each: E,
}

/// Sends the requests of these lanes from this thread alone.
fn alone<E: Fn(usize) -> Vec<u8> + Send + Clone + 'static>(
    lanes: Vec<usize>,
    lane: Lane<E>,
) -> Result<Sent> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        let lanes = lanes.into_iter().map(|first| lane.clone().send(first));
        let sent = futures_util::future::try_join_all(lanes).await?;
        let (answers, times): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
        Ok((answers.concat(), times.concat()))
    })
}

impl<E: Fn(usize) -> Vec<u8>> Lane<E> {
    async fn send(self, first: usize) -> Result<Sent> {
        let mut connection = Connection::open(self.to).await?;
        let (mut answers, mut times) = (vec![], vec![]);
        for n in (first..self.total).step_by(self.step) {
            let (bytes, sent) = ((self.each)(n), Instant::now());
            let answer = connection.send(&bytes).await?;
            times.push(sent.elapsed());
            if answer.status >= 400 {
                bail!(
                    "status {}: {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
            }
            if self.keep {
                answers.push(answer);
            }
        }
        Ok((answers, times))
    }
}

/// So many in this time, a second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The q-th part of sorted times.
pub(crate) fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
