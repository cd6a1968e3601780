//! Buckets in a memory of fixed size, however many there are who call.

use super::bucket::{Bucket, Outcome};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

/// Places that a bucket may be in; whoever comes anew takes that of the one that is full soonest.
const WAYS: usize = 8;
/// A mebibyte in all, of which the system gives only the pages that are written to.
const SETS: usize = 1 << 13;
/// Sets behind one lock.
const SHARE: usize = 1 << 7;

/// Whose bucket it is, and when it is full; nobody's, and all zeros, at first.
type Slot = [u64; 2];

/// Buckets in a memory of fixed size. What is forgotten in it is the bucket that has least to remember,
/// so a flood of strangers does not wash away who is being kept off.
pub(crate) struct Table {
    shares: Vec<Mutex<Vec<Slot>>>,
    /// Nobody can guess which callers meet in one set.
    hasher: RandomState,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            shares: (0..SETS / SHARE)
                .map(|_| Mutex::new(vec![[0, 0]; SHARE * WAYS]))
                .collect(),
            hasher: RandomState::new(),
        }
    }

    /// Counts a request of `whom`.
    pub(crate) fn take(&self, whom: impl Hash, bucket: Bucket, now: u64) -> Outcome {
        let whose = self.hasher.hash_one(whom).max(1);
        let set = usize::try_from(whose % SETS as u64).unwrap_or_default();
        let mut share = self.shares[set / SHARE]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let set = &mut share[set % SHARE * WAYS..][..WAYS];
        let at = set.iter().position(|slot| slot[0] == whose);
        let at = at.unwrap_or_else(|| {
            let soonest = set.iter().enumerate().min_by_key(|(_, slot)| slot[1]);
            let at = soonest.map_or(0, |(at, _)| at);
            set[at] = [whose, 0];
            at
        });
        let (full_at, outcome) = bucket.take(set[at][1], now);
        set[at][1] = full_at;
        outcome
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        let each = |share: &Mutex<Vec<Slot>>| share.lock().unwrap().capacity() * size_of::<Slot>();
        self.shares.iter().map(each).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Table};
    use process::settings::Quota;
    use std::time::Duration;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_million_addresses_cost_no_memory_and_free_nobody() {
        let table = Table::new();
        let before = table.bytes();
        assert!(before < 2 << 20, "{before}");
        let strict = Bucket::of(Quota::new(10, Duration::from_mins(1)));
        let now = 1_000 * SECOND;
        while table.take("the bad one", strict, now).taken {}
        for address in 0..1_000_000_u32 {
            let now = now + u64::from(address);
            assert!(
                table
                    .take(std::net::Ipv4Addr::from_bits(address), strict, now)
                    .taken
            );
        }
        assert_eq!(table.bytes(), before);
        let after = table.take("the bad one", strict, now + SECOND);
        assert!(!after.taken, "a flood of strangers has freed it");
        assert!(table.take("the bad one", strict, now + 7 * SECOND).taken);
    }

    #[test]
    fn each_has_its_own_bucket_and_each_request_counts_once() {
        let table = Table::new();
        let bucket = Bucket::of(Quota::new(500, Duration::from_hours(1)));
        let taken = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let one = table.take("one", bucket, SECOND).taken;
                        taken.fetch_add(one.into(), std::sync::atomic::Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(taken.into_inner(), 500);
        assert_eq!(table.take("another", bucket, SECOND).remaining, 499);
    }
}
