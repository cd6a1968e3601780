//! What a storm came to, for the test and for people.

use crate::fleet::Tally;
use crate::operator::Deeds;
use crate::oracle::Verdict;
use crate::pace::Pace;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a storm came to.
pub struct Aftermath {
    /// The promises.
    pub verdict: Verdict,
    /// Sagas that were sent into it.
    pub sagas: usize,
    /// Deaths there were.
    pub deaths: usize,
    /// How fast it was, before and after.
    pub pace: Pace,
    /// How long the faults lasted.
    pub raged: Duration,
    /// Sagas that were open when they stopped.
    pub backlog: usize,
    /// After which time none was; none: after more than it may take.
    pub recovered: Option<Duration>,
    /// Requests that clients had to make again.
    pub repeated: usize,
    /// What was done to the services, how often.
    pub services: BTreeMap<&'static str, usize>,
    /// How the processes died.
    pub tally: Arc<Tally>,
    /// What the operator did.
    pub operator: Arc<Deeds>,
    /// For having the same chances again.
    pub seed: u64,
}

fn count(of: &AtomicUsize) -> usize {
    of.load(Ordering::Relaxed)
}

impl fmt::Display for Aftermath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tally, operator) = (&self.tally, &self.operator);
        let raged = self.raged.as_secs_f64();
        writeln!(
            f,
            "storm (seed {}): {} sagas through {} deaths in {raged:.0} s",
            self.seed, self.sagas, self.deaths
        )?;
        writeln!(
            f,
            "  SIGKILL {}, at named places {}, starts refused {}, SIGSTOP past the lease {}; {:?}",
            count(&tally.killed),
            count(&tally.at_points),
            count(&tally.refused),
            count(&tally.stopped),
            self.services
        )?;
        writeln!(
            f,
            "  clients repeated {} requests; the operator replayed {} letters and discarded {}; {} were poison",
            self.repeated,
            count(&operator.replayed),
            count(&operator.discarded),
            count(&operator.poison)
        )?;
        let ended = match self.recovered {
            Some(after) => format!("all ended after {:.1} s", after.as_secs_f64()),
            None => "NOT all ended in 30 s".to_owned(),
        };
        writeln!(
            f,
            "  {} were open when the faults stopped, {ended}",
            self.backlog
        )?;
        writeln!(f, "  {}", self.pace)?;
        write!(f, "{}", self.verdict)
    }
}
