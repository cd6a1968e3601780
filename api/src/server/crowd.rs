//! How many connections one address has, so that no machine has them all.

use metrics::counter;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

const REFUSED: &str = "chorus_connections_refused_total";

/// Who is here, by address; of IPv6 by network.
#[derive(Clone)]
pub(crate) struct Crowd {
    most: Option<usize>,
    here: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One of an address's connections, given up when it is dropped.
pub(crate) struct Presence {
    crowd: Crowd,
    address: IpAddr,
}

/// An address has as many as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Marks the requests of a connection that is one too many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneTooMany;

impl Crowd {
    /// At most so many of each address; `None` for as many as there are.
    pub(crate) fn new(most: Option<usize>) -> Self {
        counter!(REFUSED).increment(0);
        Self {
            most,
            here: Arc::default(),
        }
    }

    /// How many one address may have.
    pub(crate) fn most(&self) -> Option<usize> {
        self.most
    }

    /// Counts one more of an address, unless it has as many as it may; that is counted, too.
    pub(crate) fn enter(&self, address: IpAddr) -> Result<Option<Presence>, Full> {
        let Some(most) = self.most else {
            return Ok(None);
        };
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let count = here.entry(address).or_default();
        if *count >= most {
            counter!(REFUSED).increment(1);
            return Err(Full);
        }
        *count += 1;
        Ok(Some(Presence {
            crowd: self.clone(),
            address,
        }))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let here = &self.crowd.here;
        let mut here = here.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = here.get_mut(&self.address) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            here.remove(&self.address); // no larger than the connections that there are
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Crowd, Full};

    #[test]
    fn each_address_has_its_own_and_gives_back_what_it_had() {
        let crowd = Crowd::new(Some(2));
        let enter = |address: &str| crowd.enter(address.parse().unwrap());
        let (one, two) = (enter("192.0.2.1").unwrap(), enter("192.0.2.1").unwrap());
        assert_eq!(enter("192.0.2.1").map(drop), Err(Full));
        let other = enter("192.0.2.2").unwrap();
        drop(one);
        let three = enter("192.0.2.1").unwrap();
        assert_eq!(enter("192.0.2.1").map(drop), Err(Full));
        drop((two, three, other));
        assert!(crowd.here.lock().unwrap().is_empty());
        assert!(
            Crowd::new(None)
                .enter("192.0.2.1".parse().unwrap())
                .unwrap()
                .is_none()
        );
    }
}
