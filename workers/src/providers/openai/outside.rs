//! The world outside: addresses that belong to none of our own machines, and names that lead there.

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// A name leads to one of our own machines, or to nobody's.
#[derive(Debug, thiserror::Error)]
#[error("its host is not public")]
pub(super) struct Inside;

/// Whether an address is somebody's on the internet: not ours, not a neighbour's, not a whole group's, and
/// not one that only carries another in it.
pub(super) fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_outside_v4(address),
        IpAddr::V6(address) => is_outside_v6(address),
    }
}

fn is_outside_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let ours = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || (a == 100 && b & 0xc0 == 64); // behind a carrier's NAT
    let nobodys = address.is_documentation()
        || a == 0
        || a >= 224 // groups, the future
        || matches!((a, b, c), (192, 0, 0) | (192, 88, 99)) // protocols, relays of 6to4
        || (a == 198 && b & 0xfe == 18); // benchmarks
    !ours && !nobodys
}

fn is_outside_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 was ever given to anybody: that leaves out loopback, v4 in v6, NAT64, neighbours, groups.
    let given = a & 0xe000 == 0x2000;
    let nobodys = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) // Teredo and other protocols, documentation
        || a == 0x2002 // 6to4 carries any IPv4 address
        || (a == 0x3fff && b < 0x1000); // documentation
    given && !nobodys
}

/// Looks names up.
trait Names: Send + Sync + 'static {
    fn look_up(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As this machine does it.
struct System;

impl Names for System {
    fn look_up(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Leads to the world outside alone. The connection goes to an address that was looked at here, so a name
/// that leads elsewhere a moment later changes nothing.
pub(super) struct Outside(Arc<dyn Names>);

impl Default for Outside {
    fn default() -> Self {
        Self(Arc::new(System))
    }
}

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.look_up(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            // Who mixes our addresses among its own is not to be trusted with the others either.
            if found.is_empty() || !found.iter().copied().all(is_outside) {
                return Err(Inside.into());
            }
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Whether a failure is that of a name that leads inside.
pub(super) fn is_inside(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<Inside>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{BoxFuture, IpAddr, Names, Outside, Resolve as _, io, is_outside};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_is_given_to_somebody_on_the_internet_is_outside() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ] {
            assert!(is_outside(address.parse().unwrap()), "{address}");
        }
    }

    /// Answers each question with the next of its answers.
    struct Rebinding(AtomicUsize, Vec<Vec<IpAddr>>);

    impl Names for Rebinding {
        fn look_up(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let turn = self.0.fetch_add(1, Ordering::Relaxed);
            let found = self.1[turn].clone();
            Box::pin(async move { Ok(found) })
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_leads_nowhere_whenever_it_does() {
        let answers = [
            "1.1.1.1,8.8.8.8",
            "127.0.0.1",
            "1.1.1.1,10.0.0.1",
            "169.254.169.254",
            "::ffff:10.0.0.1",
            "",
        ];
        let read = |list: &str| {
            let each = list.split(',').filter(|one| !one.is_empty());
            each.map(|one| one.parse().unwrap())
                .collect::<Vec<IpAddr>>()
        };
        let names = Rebinding(
            AtomicUsize::new(0),
            answers.iter().map(|list| read(list)).collect(),
        );
        let outside = Outside(Arc::new(names));
        let first = outside
            .resolve("files.example".parse().unwrap())
            .await
            .unwrap();
        let first: Vec<IpAddr> = first.map(|address| address.ip()).collect();
        assert_eq!(
            first,
            read(answers[0]),
            "the connection goes to what was looked at"
        );
        for list in &answers[1..] {
            let found = outside.resolve("files.example".parse().unwrap()).await;
            assert!(found.is_err(), "{list}");
        }
    }
}
