//! A line that can be cut: TCP between a process and its store or its broker, with faults on demand.

use anyhow::Context as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

/// What a process sends, or what it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    There,
    /// To the process.
    Back,
}

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Everything arrives.
    Open,
    /// Nothing arrives, both ways; what was sent is held, as TCP does, and arrives once the line is open.
    Silent,
    /// As [`Line::Silent`], one way only.
    SilentOneWay(Way),
    /// What is sent arrives so much later.
    Slow(Duration),
    /// So many bytes a second arrive each way, of all connections together.
    Narrow(u32),
    /// So many of a hundred packets are lost: each is sent again after a while.
    Lossy(usize),
    /// Connections end at once, new ones, too.
    Cut,
    /// The server's side of each connection ends, and the process may go on sending.
    HalfClosed,
    /// As soon as a process sends these bytes, they arrive, and the connection ends without an answer.
    Unanswered(&'static [u8]),
}

/// How long TCP waits before it sends a lost packet again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How long the server has for what nobody is told any more.
const UNANSWERED: Duration = Duration::from_millis(150);
const CHUNK: usize = 16 * 1024;

/// A line that can be cut; dropping it ends every connection.
pub struct Proxy {
    /// The server's URL, through this line.
    pub url: String,
    line: watch::Sender<Line>,
    server: watch::Sender<Server>,
    unanswered: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

/// Its host and port.
type Server = (String, u16);

/// What every connection knows.
#[derive(Clone)]
struct Known {
    line: watch::Receiver<Line>,
    server: watch::Receiver<Server>,
    /// Whose turn it is on a narrow line, to the server and back.
    turns: [Arc<Mutex<()>>; 2],
    unanswered: Arc<AtomicUsize>,
}

impl Proxy {
    /// A line to the server that `url` names, open at first.
    pub async fn before(url: &str) -> anyhow::Result<Self> {
        let (server, asked) = watch::channel(server(url)?);
        let mut url = reqwest::Url::parse(url)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let moved = url.set_host(Some("127.0.0.1")).is_ok() && url.set_port(Some(port)).is_ok();
        anyhow::ensure!(moved, "{url} cannot be sent another way");
        let (line, seen) = watch::channel(Line::Open);
        let unanswered = Arc::<AtomicUsize>::default();
        let known = Known {
            line: seen,
            server: asked,
            turns: Default::default(),
            unanswered: Arc::clone(&unanswered),
        };
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, known));
        Ok(Self {
            url: url.into(),
            line,
            server,
            unanswered,
            _serving: serving,
        })
    }

    /// From now on the line is so.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// From now on the line leads to another server; connections that there are end.
    pub fn lead_to(&self, url: &str) -> anyhow::Result<()> {
        self.server.send_replace(server(url)?);
        Ok(())
    }

    /// Where processes reach it.
    pub fn port(&self) -> anyhow::Result<u16> {
        Ok(server(&self.url)?.1)
    }

    /// How many connections ended without an answer.
    pub fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::Relaxed)
    }
}

fn server(url: &str) -> anyhow::Result<Server> {
    let url = reqwest::Url::parse(url)?;
    let host = url.host_str().context("a URL with a host")?.to_owned();
    Ok((host, url.port().context("a URL with a port")?))
}

async fn serve(listener: TcpListener, known: Known) {
    let mut connections = JoinSet::new();
    while let Ok((process, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let mut known = known.clone();
        connections.spawn(async move {
            let server = known.server.borrow_and_update().clone();
            if let Ok(server) = TcpStream::connect(server).await {
                connect(process, server, known).await;
            }
        });
    }
}

/// Carries both ways until either side ends both, the line is cut, or it leads to another server.
async fn connect(process: TcpStream, server: TcpStream, known: Known) {
    let (mut line, mut elsewhere) = (known.line.clone(), known.server.clone());
    let _ = (process.set_nodelay(true), server.set_nodelay(true)); // slower without
    let ((from_process, to_process), (from_server, to_server)) =
        (process.into_split(), server.into_split());
    let doomed = AtomicBool::new(false);
    let both = async {
        let there = carry((from_process, to_server), Way::There, &known, &doomed);
        let back = carry((from_server, to_process), Way::Back, &known, &doomed);
        drop(tokio::try_join!(there, back));
    };
    tokio::select! {
        () = both => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
        _ = elsewhere.changed() => {}
    }
}

async fn carry(
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    way: Way,
    known: &Known,
    doomed: &AtomicBool,
) -> std::io::Result<()> {
    let (mut seen, mut chunk, mut lost) = (known.line.clone(), vec![0; CHUNK], 0_usize);
    loop {
        let length = tokio::select! {
            read = from.read(&mut chunk) => read?,
            _ = seen.wait_for(|line| way == Way::Back && *line == Line::HalfClosed) => 0,
        };
        if doomed.load(Ordering::Relaxed) {
            return std::future::pending().await; // nobody is told; the other way ends the connection
        }
        if length == 0 {
            return to.shutdown().await;
        }
        drop(seen.wait_for(|line| !holds(*line, way)).await);
        let line = *known.line.borrow();
        match line {
            Line::Slow(late) => tokio::time::sleep(late).await,
            Line::Lossy(percent) => {
                lost += percent;
                if lost >= 100 {
                    lost -= 100;
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
            Line::Narrow(bytes) => {
                let _turn = known.turns[way as usize].lock().await;
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                tokio::time::sleep(Duration::from_secs(1) * length / bytes).await;
            }
            Line::Unanswered(bytes) if way == Way::There && contains(&chunk[..length], bytes) => {
                doomed.store(true, Ordering::Relaxed);
                to.write_all(&chunk[..length]).await?;
                known.unanswered.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(UNANSWERED).await;
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            Line::Open
            | Line::Silent
            | Line::SilentOneWay(_)
            | Line::Cut
            | Line::HalfClosed
            | Line::Unanswered(_) => {}
        }
        to.write_all(&chunk[..length]).await?;
    }
}

/// Whether nothing arrives this way.
fn holds(line: Line, way: Way) -> bool {
    line == Line::Silent || line == Line::SilentOneWay(way)
}

fn contains(chunk: &[u8], bytes: &[u8]) -> bool {
    bytes.is_empty() || chunk.windows(bytes.len()).any(|window| window == bytes)
}
