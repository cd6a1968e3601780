//! Whether a fleet is as fast again as before its faults, judged by samples of its work.

use std::fmt;
use std::time::Duration;

/// Time in which the fleet is as fast as before.
pub const FULL_RATE_MAX: Duration = Duration::from_secs(10);
/// As fast: samples of one fleet on one machine differ by less.
const FULL_RATE: f64 = 0.8;
/// A fleet that settles at less has lost something for good. The machine may have got other things to do
/// during the minutes of a storm, so this is a wider bound.
const SETTLED_RATE: f64 = 0.3;

/// Steps that a fleet does in a second, before and after.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Before.
    before: f64,
    /// Afterwards: when a sample began, and what it was.
    after: Vec<(Duration, f64)>,
    /// What it was when every saga had long ended; asked only if no sample was as fast as before.
    settled: Option<f64>,
}

impl Pace {
    /// The middle one of these was the pace before.
    pub fn before(samples: Vec<f64>) -> Self {
        Self {
            before: middle(samples),
            after: vec![],
            settled: None,
        }
    }

    /// Adds a sample that began so long after the faults had stopped.
    pub fn add(&mut self, began: Duration, rate: f64) {
        self.after.push((began, rate));
    }

    /// Notes samples from when there was nothing left to recover from.
    pub fn settle(&mut self, samples: Vec<f64>) {
        self.settled = Some(middle(samples));
    }

    /// What is asked of a sample: the pace before, or that at which the fleet settled.
    fn full(&self) -> f64 {
        let full = self.settled.map_or(self.before, |now| now.min(self.before));
        full * FULL_RATE
    }

    /// When a sample began that was as fast as it should be.
    pub fn full_again(&self) -> Option<Duration> {
        let lost = |settled: f64| settled < self.before * SETTLED_RATE;
        if self.settled.is_some_and(lost) {
            return None;
        }
        let fast = |sample: &&(Duration, f64)| sample.1 >= self.full();
        self.after.iter().find(fast).map(|(began, _)| *began)
    }
}

fn middle(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} steps/s before; after", self.before)?;
        for (began, rate) in &self.after {
            write!(f, " {:.1} s {rate:.0}", began.as_secs_f64())?;
        }
        if let Some(settled) = self.settled {
            write!(f, "; it settled at {settled:.0}")?;
        }
        match self.full_again() {
            Some(_) => Ok(()),
            None => write!(f, "; NOT as fast within {FULL_RATE_MAX:?}"),
        }
    }
}
