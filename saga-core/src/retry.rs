//! How long to wait before trying again: a pure delay for steps, `backoff` for connections.

use crate::saga::Retry;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff};
use std::time::Duration;

/// The pause before the attempt after `attempt` (from 1): doubling from `delay_first` up to
/// `delay_max`, then spread by up to a quarter either way so that neighbours part ways.
///
/// A pure function: the time of the next attempt is a row, not a sleeping task.
pub fn delay(retry: Retry, attempt: u32, seed: u64) -> Duration {
    let doubled = retry.delay_first.saturating_mul(
        1u32.checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX),
    );
    let base = doubled.min(retry.delay_max);
    base.mul_f64(0.75 + 0.5 * unit(seed ^ u64::from(attempt)))
}

/// A pause and up to a fifth more, so that those who wait for the same moment do not come all at once.
pub fn spread(pause: Duration, seed: u64) -> Duration {
    pause.mul_f64(1.0 + 0.2 * unit(seed))
}

/// A number in 0..1 that is spread evenly over seeds (the splitmix64 finaliser).
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are kept, as many as an f64 holds"
)]
fn unit(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A service that is back is found within this time.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Pauses between attempts to reach a service: 100 ms at first, 5 s at most, for ever.
pub struct Reconnect(ExponentialBackoff);

impl Default for Reconnect {
    fn default() -> Self {
        Self(
            ExponentialBackoffBuilder::new()
                .with_initial_interval(Duration::from_millis(100))
                .with_max_interval(PAUSE_MAX * 2 / 3) // chance adds a half
                .with_max_elapsed_time(None)
                .build(),
        )
    }
}

impl Reconnect {
    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(PAUSE_MAX)
    }
    /// Begins anew, after a connection that held.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_stay_within_the_jitter() {
        for seed in 0..1_000 {
            for (attempt, base_ms) in [
                (1, 1_000),
                (2, 2_000),
                (3, 4_000),
                (7, 60_000),
                (40, 60_000),
            ] {
                let pause = delay(Retry::STANDARD, attempt, seed);
                let base = Duration::from_millis(base_ms);
                assert!(
                    pause >= base.mul_f64(0.75) && pause <= base.mul_f64(1.25),
                    "{pause:?} after attempt {attempt}"
                );
            }
        }
    }

    #[test]
    fn those_who_wait_for_the_same_moment_come_later_and_apart() {
        let pause = Duration::from_mins(1);
        let pauses: std::collections::BTreeSet<_> =
            (0..100).map(|seed| spread(pause, seed)).collect();
        assert!(pauses.len() > 95);
        let within = |one: &Duration| *one >= pause && *one <= pause.mul_f64(1.2);
        assert!(pauses.iter().all(within), "{pauses:?}");
    }

    #[test]
    fn whoever_waits_for_a_service_never_waits_long() {
        let mut pauses = Reconnect::default();
        let longest = (0..200).map(|_| pauses.pause()).max();
        assert!(longest.is_some_and(|longest| longest <= PAUSE_MAX && longest > PAUSE_MAX / 2));
    }

    #[test]
    fn neighbours_part_ways() {
        let distinct: std::collections::BTreeSet<_> = (0..100)
            .map(|seed| delay(Retry::STANDARD, 1, seed))
            .collect();
        assert!(distinct.len() > 95);
    }
}
