//! The proxies in front of the API whose word about a caller counts.

use super::reader::{Reader, text};
use std::net::IpAddr;
use std::str::FromStr;

const NAME: &str = "TRUSTED_PROXIES";
const HOPS_MAX: usize = 16;

/// The proxies in front of the API whose word about a caller counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxies {
    /// So many, one behind the other, wherever they are: nothing but them can reach the API.
    Hops(usize),
    /// Those with addresses in one of these networks.
    Within(Vec<Network>),
}

impl Default for Proxies {
    fn default() -> Self {
        Self::Hops(0)
    }
}

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address is in it. An IPv4 address is the same when IPv6 writes it.
    #[must_use]
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let rest = 32 - self.bits;
                u64::from(own.to_bits()) >> rest == u64::from(other.to_bits()) >> rest
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let rest = 128 - self.bits;
                own.to_bits().checked_shr(rest) == other.to_bits().checked_shr(rest)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(drop)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u32 = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits }).ok_or(())
    }
}

impl Reader {
    pub(super) fn proxies(&mut self, given: Option<&str>) -> Proxies {
        let Some(given) = text(given) else {
            return Proxies::default();
        };
        if let Ok(hops) = given.parse()
            && hops <= HOPS_MAX
        {
            return Proxies::Hops(hops);
        }
        let networks = given.split(',').map(|one| one.trim().parse());
        if let Ok(networks) = networks.collect::<Result<Vec<Network>, ()>>() {
            return Proxies::Within(networks);
        }
        let fix = format!(
            "how many there are, from 0 to {HOPS_MAX}, or their networks, as 10.0.0.0/8,127.0.0.1"
        );
        self.problem(NAME, format!("{given:?}"), fix);
        Proxies::default()
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn a_network_is_the_addresses_that_begin_alike() {
        let within = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(within("10.0.0.0/8", "10.255.1.2") && !within("10.0.0.0/8", "11.0.0.1"));
        assert!(within("10.0.0.7", "10.0.0.7") && !within("10.0.0.7", "10.0.0.6"));
        assert!(within("10.0.0.0/8", "::ffff:10.1.1.1") && !within("10.0.0.0/8", "::1"));
        assert!(within("fd00::/8", "fdff::1") && !within("fd00::/8", "fe00::1"));
        assert!(within("0.0.0.0/0", "8.8.8.8") && within("::/0", "2001:db8::1"));
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/-1", "", "/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
