//! The edge, as the operator sets it: which proxies are ours, who may ask how often, over how many connections.

use super::reader::Reader;
use super::{Given, Proxies, Rates};

/// Of ten thousand: an office behind one address has enough, and forty machines are needed to take all.
const CONNECTIONS: usize = 256;

/// What the API is told of its callers.
pub(super) struct Edge {
    pub(super) proxies: Proxies,
    pub(super) rates: Rates,
    /// Of each address; `None` for as many as it likes.
    pub(super) connections: Option<usize>,
}

impl Reader {
    /// The edge. `near` says that only this machine can call, or a proxy on it.
    pub(super) fn edge(&mut self, given: &Given, near: bool) -> Edge {
        let proxies = self.proxies(given.trusted_proxies.as_deref());
        let alone = near && proxies == Proxies::default();
        let rates = self.rates(given.rate_limits.as_deref(), alone);
        let connections = self.number(
            "CONNECTIONS_PER_ADDRESS",
            given.connections_per_address.as_deref(),
            if rates.is_off() { 0 } else { CONNECTIONS },
            0..=10_000,
        );
        Edge {
            proxies,
            rates,
            connections: (connections > 0).then_some(connections),
        }
    }
}
