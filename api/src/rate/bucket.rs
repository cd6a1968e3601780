//! The arithmetic of a token bucket, kept as one number: when it would be full again.

use process::settings::Quota;
use std::time::Duration;

/// A quota in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// How long one request takes to be forgotten.
    pub(crate) step: u64,
    /// How far ahead a full bucket's worth of requests is.
    pub(crate) depth: u64,
}

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Whether it is taken.
    pub(crate) taken: bool,
    /// How many more would be.
    pub(crate) remaining: u64,
    /// Until all may come again, if it is taken; else until it is worth asking again.
    pub(crate) wait: Duration,
}

impl Bucket {
    pub(crate) fn of(quota: Quota) -> Self {
        let depth = u64::try_from(quota.within.as_nanos()).unwrap_or(u64::MAX / 4);
        let step = depth.div_ceil(quota.most.max(1).into()).max(1);
        Self {
            step,
            depth: step.saturating_mul(quota.most.max(1).into()),
        }
    }

    /// When the bucket is full after one more request, and what comes of that. A request that is not
    /// taken leaves the bucket as it was.
    pub(crate) fn take(self, full_at: u64, now: u64) -> (u64, Outcome) {
        let next = full_at.max(now).saturating_add(self.step);
        let outcome = self.outcome(next.saturating_sub(now));
        let kept = if outcome.taken { next } else { full_at };
        (kept, outcome)
    }

    /// What comes of a request after which the bucket is full in so long.
    pub(crate) fn outcome(self, ahead: u64) -> Outcome {
        match self.depth.checked_sub(ahead) {
            Some(left) => Outcome {
                taken: true,
                remaining: left / self.step,
                wait: Duration::from_nanos(ahead),
            },
            None => Outcome {
                taken: false,
                remaining: 0,
                wait: Duration::from_nanos(ahead - self.depth),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;
    use process::settings::Quota;
    use std::time::Duration;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn all_may_come_at_once_and_then_one_by_one() {
        let bucket = Bucket::of(Quota::new(3, Duration::from_mins(1)));
        let mut full_at = 0;
        let mut at = |seconds: u64| {
            let (kept, outcome) = bucket.take(full_at, seconds * SECOND);
            full_at = kept;
            (outcome.taken, outcome.remaining, outcome.wait.as_secs())
        };
        assert_eq!(at(100), (true, 2, 20));
        assert_eq!(at(100), (true, 1, 40));
        assert_eq!(at(100), (true, 0, 60));
        assert_eq!(at(100), (false, 0, 20));
        assert_eq!(at(119), (false, 0, 1), "being refused costs nothing");
        assert_eq!(at(120), (true, 0, 60));
        assert_eq!(at(1_000), (true, 2, 20));
    }

    #[test]
    fn what_does_not_divide_is_never_more_than_the_quota() {
        for most in [1, 7, 999, 1_000_000_000] {
            let bucket = Bucket::of(Quota::new(most, Duration::from_secs(1)));
            let (_, outcome) = bucket.take(0, SECOND);
            assert_eq!(
                (outcome.taken, outcome.remaining),
                (true, u64::from(most) - 1)
            );
        }
    }
}
