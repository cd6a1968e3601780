//! Processes that are killed, paused, and started again for as long as a test lasts.

use crate::binary::{Role, program};
use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// The places to die that a process is given at its start, if any.
pub type Arm = Arc<dyn Fn(Role, usize) -> Option<String> + Send + Sync>;

/// Environment of every process of a fleet.
pub type Vars = Vec<(String, String)>;

enum Order {
    Kill,
    Stop,
    Go,
    Leave(oneshot::Sender<Left>),
    Rest(oneshot::Sender<()>),
}

/// How a process ended that was asked to.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Its exit code; none if it had to be killed, or died of a signal.
    pub code: Option<i32>,
    /// How long it took.
    pub after: Duration,
}

/// Whoever was asked to end and has not by now is killed.
const LEAVE_MAX: Duration = Duration::from_mins(1);

/// How the processes died.
#[derive(Default)]
pub struct Tally {
    /// By the harness, with SIGKILL.
    pub killed: AtomicUsize,
    /// By themselves, at a named place.
    pub at_points: AtomicUsize,
    /// At start, because a service was away.
    pub refused: AtomicUsize,
    /// Paused past their leases.
    pub stopped: AtomicUsize,
    /// Numbers of all processes that were ever paused.
    pub slept: Mutex<BTreeSet<u32>>,
}

impl Tally {
    /// All deaths.
    pub fn deaths(&self) -> usize {
        self.killed.load(Ordering::Relaxed) + self.at_points.load(Ordering::Relaxed)
    }
}

/// One place in the fleet: a process, or its successor.
pub struct Member {
    /// What it does.
    pub role: Role,
    /// Where it serves HTTP.
    pub port: Option<u16>,
    /// Keeps that port from every other process on the machine, also while nobody listens there.
    _held: Option<TcpSocket>,
    orders: mpsc::Sender<Order>,
}

/// A fleet; dropping it kills every process of it.
pub struct Fleet {
    /// Its members.
    pub members: Vec<Member>,
    /// How they died.
    pub tally: Arc<Tally>,
    /// Whether the places to die are armed at the next start.
    pub armed: Arc<AtomicBool>,
    tasks: JoinSet<()>,
    arm: Arm,
    vars: Vars,
    dir: PathBuf,
    memory_max: Option<u64>,
}

struct Keeper {
    role: Role,
    memory_max: Option<u64>,
    vars: Vars,
    log: PathBuf,
    arm: Arm,
    armed: Arc<AtomicBool>,
    tally: Arc<Tally>,
    orders: mpsc::Receiver<Order>,
}

impl Fleet {
    /// An empty fleet whose logs are kept under `dir`.
    pub fn new(dir: PathBuf, vars: Vars, arm: Arm) -> Self {
        let armed = Arc::new(AtomicBool::new(true));
        Self {
            members: vec![],
            tally: Arc::default(),
            armed,
            tasks: JoinSet::new(),
            arm,
            vars,
            dir,
            memory_max: None,
        }
    }

    /// Gives every process that is added from now on so many bytes of memory, and no more.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory_max = Some(bytes);
        self
    }

    /// Adds a process.
    pub fn add(&mut self, role: Role) -> usize {
        let mut vars = self.vars.clone();
        let (held, port) = if role.has_door() {
            let (held, port) = testing::held_port();
            (Some(held), Some(port))
        } else {
            (None, None)
        };
        if let Some(port) = port {
            vars.push(("PORT".to_owned(), port.to_string()));
        }
        let (orders, inbox) = mpsc::channel(64);
        let log = self
            .dir
            .join(format!("{}-{}.log", role.name(), self.members.len()));
        let (arm, armed, tally) = (
            Arc::clone(&self.arm),
            Arc::clone(&self.armed),
            Arc::clone(&self.tally),
        );
        self.tasks.spawn(
            Keeper {
                role,
                memory_max: self.memory_max,
                vars,
                log,
                arm,
                armed,
                tally,
                orders: inbox,
            }
            .keep(),
        );
        self.members.push(Member {
            role,
            port,
            _held: held,
            orders,
        });
        self.members.len() - 1
    }

    /// Kills a member with SIGKILL; its successor starts at once.
    pub async fn kill(&self, member: usize) {
        drop(self.members[member].orders.send(Order::Kill).await);
    }

    /// Pauses a member, as a machine that swaps does.
    pub async fn pause(&self, member: usize) {
        drop(self.members[member].orders.send(Order::Stop).await);
    }

    /// Lets a paused member go on.
    pub async fn wake(&self, member: usize) {
        drop(self.members[member].orders.send(Order::Go).await);
    }

    /// Asks a member to end, as a deploy does; its successor starts once it has.
    pub async fn ask_to_leave(&self, member: usize) -> anyhow::Result<Left> {
        let (left, how) = oneshot::channel();
        let asked = self.members[member].orders.send(Order::Leave(left)).await;
        asked.ok().context("nobody keeps this member any more")?;
        how.await.context("nobody saw how the process ended")
    }

    /// Kills a member and has nobody succeed it.
    pub async fn retire(&self, member: usize) {
        let (done, gone) = oneshot::channel();
        if self.members[member]
            .orders
            .send(Order::Rest(done))
            .await
            .is_ok()
        {
            drop(gone.await);
        }
    }

    /// Kills everybody.
    pub async fn end(mut self) {
        for member in 0..self.members.len() {
            self.retire(member).await;
        }
        self.tasks.shutdown().await;
    }

    /// Where the fleet serves HTTP.
    pub fn ports(&self) -> Vec<u16> {
        self.members
            .iter()
            .filter_map(|member| member.port)
            .collect()
    }
}

impl Keeper {
    async fn keep(mut self) {
        for life in 0.. {
            let mut child = match self.spawn(life) {
                Ok(child) => child,
                Err(error) => {
                    eprintln!("crash: {error:#}");
                    return;
                }
            };
            if self.watch(&mut child).await {
                return;
            }
        }
    }

    /// Follows one process to its end. True: nobody succeeds it.
    async fn watch(&mut self, child: &mut Child) -> bool {
        loop {
            tokio::select! {
                status = child.wait() => {
                    match status.ok().and_then(|status| status.signal()) {
                        Some(9) => {
                            self.tally.killed.fetch_add(1, Ordering::Relaxed);
                        }
                        Some(_) => {
                            self.tally.at_points.fetch_add(1, Ordering::Relaxed);
                        }
                        None => {
                            self.tally.refused.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(Duration::from_millis(200)).await;
                        }
                    }
                    return false;
                }
                order = self.orders.recv() => match order {
                    Some(Order::Kill) => drop(child.start_kill()),
                    Some(Order::Stop) => {
                        self.tally.stopped.fetch_add(1, Ordering::Relaxed);
                        let mut slept = self.tally.slept.lock().unwrap_or_else(PoisonError::into_inner);
                        slept.extend(child.id());
                        signal(child, Signal::STOP);
                    }
                    Some(Order::Go) => signal(child, Signal::CONT),
                    Some(Order::Leave(left)) => {
                        let _ = left.send(leave(child).await); // whoever asked may have gone
                        return false;
                    }
                    Some(Order::Rest(done)) => {
                        drop(child.kill().await);
                        let _ = done.send(()); // whoever asked may have gone
                        return true;
                    }
                    None => {
                        drop(child.kill().await);
                        return true;
                    }
                },
            }
        }
    }

    fn spawn(&self, life: usize) -> anyhow::Result<Child> {
        self.log.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        // Should the harness itself be killed, its processes go with it.
        let mut command = match self.memory_max {
            Some(bytes) => {
                let mut limited = Command::new("prlimit");
                limited.args([&format!("--as={bytes}"), "--core=0", "setpriv"]);
                limited
            }
            None => Command::new("setpriv"),
        };
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["--pdeathsig", "KILL", "--"]).arg(program());
        command
            .args(self.role.args())
            .envs(self.vars.iter().cloned());
        command
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        if self.armed.load(Ordering::Relaxed)
            && let Some(points) = (self.arm)(self.role, life)
        {
            command.env("FAILPOINTS", points);
        }
        command
            .spawn()
            .with_context(|| format!("starting {}", program().display()))
    }
}

/// Asks a process to end, and waits until it has.
async fn leave(child: &mut Child) -> Left {
    let began = Instant::now();
    signal(child, Signal::TERM);
    let ended = tokio::time::timeout(LEAVE_MAX, child.wait()).await;
    if ended.is_err() {
        drop(child.kill().await);
    }
    let code = ended.ok().and_then(|status| status.ok()?.code());
    Left {
        code,
        after: began.elapsed(),
    }
}

/// Only while the child is not yet waited for, so the number is still its own.
fn signal(child: &Child, signal: Signal) {
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal); // it may be gone this moment
    }
}

/// Nobody dies by itself.
pub fn unarmed() -> Arm {
    Arc::new(|_, _| None)
}
