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
pub(crate) struct Burst {
    /// Answers a second.
    pub(crate) rate: f64,
    /// What each answered.
    pub(crate) answers: Vec<Answer>,
    /// How long each took, sorted.
    pub(crate) times: Vec<Duration>,
}

/// Sends requests over so many connections at once: `each(n)` makes the n-th.
pub(crate) async fn burst(
    to: SocketAddr,
    connections: usize,
    total: usize,
    keep: bool,
    each: impl Fn(usize) -> Vec<u8> + Send + Sync + Clone + 'static,
) -> Result<Burst> {
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..connections {
        let each = each.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(to).await?;
            let (mut answers, mut times) = (vec![], vec![]);
            for n in (lane..total).step_by(connections) {
                let (bytes, sent) = (each(n), Instant::now());
                let answer = connection.send(&bytes).await?;
                times.push(sent.elapsed());
                if answer.status >= 400 {
                    bail!(
                        "status {}: {}",
                        answer.status,
                        String::from_utf8_lossy(&answer.body)
                    );
                }
                if keep {
                    answers.push(answer);
                }
            }
            Ok((answers, times))
        });
    }
    let (mut answers, mut times) = (vec![], vec![]);
    while let Some(done) = tasks.join_next().await {
        let (more, took) = done??;
        answers.extend(more);
        times.extend(took);
    }
    times.sort();
    Ok(Burst {
        rate: rate(total, began.elapsed()),
        answers,
        times,
    })
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
