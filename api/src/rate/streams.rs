//! Streams that are open: each holds a connection, so nobody may have many.

use crate::problem::{Code, Problem};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Streams of one account at once, of one process.
const OPEN_MAX: usize = 5;

/// Streams that are open, by account. There are never more entries than connections.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<BTreeMap<Uuid, usize>>>);

/// An open stream's place, given up when it is dropped.
pub(crate) struct Place {
    all: Streams,
    account: Uuid,
}

impl Streams {
    /// Takes a place for another stream of an account.
    pub(crate) fn enter(&self, account: Uuid) -> Result<Place, Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.entry(account).or_default();
        if *open >= OPEN_MAX {
            let how = format!("At most {OPEN_MAX} streams may be open at once; close one.");
            return Err(Problem::new(Code::RateLimited, how).retry_after(1));
        }
        *open += 1;
        Ok(Place {
            all: self.clone(),
            account,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = all.get_mut(&self.account) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Streams;
    use uuid::Uuid;

    #[test]
    fn a_stream_that_ends_makes_room_and_leaves_nothing_behind() {
        let (streams, account) = (Streams::default(), Uuid::from_u128(1));
        let mut open: Vec<_> = (0..5).map(|_| streams.enter(account).unwrap()).collect();
        assert!(streams.enter(account).is_err());
        drop(streams.enter(Uuid::from_u128(2)).unwrap());
        open.pop();
        open.push(streams.enter(account).unwrap());
        drop(open);
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
