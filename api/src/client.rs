//! Who is at the other end of a connection, as far as it is known before anybody says who calls.

use crate::problem::{Code, Problem};
use crate::server::crowd::{Crowd, Full, OneTooMany, Presence};
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use axum::response::{IntoResponse as _, Response};
use process::settings::{Network, Proxies};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Two years, as the lists of browsers ask for.
const SECURE_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
/// Addresses that are looked at: no honest chain is as long.
const CHAIN_MAX: usize = 32;

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address, as far as proxies of our own tell it.
    pub(crate) address: IpAddr,
    /// Whether it came by `https` to the first of our proxies.
    pub(crate) secure: bool,
}

impl Client {
    /// Reads who it is from the connection and from what trusted proxies wrote down.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> Self {
        let peer = peer.to_canonical();
        if !Self::is_proxy(peer, proxies) {
            return Self::at(peer);
        }
        let forwarded = Forwarded::of(headers);
        let listed = listed(headers);
        let told = match (listed.is_empty(), forwarded.chain.is_empty()) {
            (false, true) => farthest(&listed, proxies),
            (true, false) => farthest(&forwarded.chain, proxies),
            // A proxy writes one of the two, so the other is the caller's: where they differ, neither counts.
            (false, false) => farthest(&listed, proxies)
                .filter(|address| farthest(&forwarded.chain, proxies) == Some(*address)),
            (true, true) => None,
        };
        let by = headers
            .get_all(FORWARDED_PROTO)
            .iter()
            .next_back()
            .and_then(|by| by.to_str().ok())
            .and_then(|by| by.rsplit(',').next())
            .map(str::trim);
        Self {
            address: told.unwrap_or(peer),
            secure: by
                .or(forwarded.proto)
                .is_some_and(|by| by.eq_ignore_ascii_case("https")),
        }
    }

    /// Whoever has this address, with no proxy between.
    pub(crate) fn at(peer: IpAddr) -> Self {
        Self {
            address: peer.to_canonical(),
            secure: false,
        }
    }

    /// Whether whoever has this address is a proxy of ours.
    pub(crate) fn is_proxy(peer: IpAddr, proxies: &Proxies) -> bool {
        match proxies {
            Proxies::Hops(hops) => *hops > 0,
            Proxies::Within(networks) => is_in(networks, peer.to_canonical()),
        }
    }

    /// What is counted as one: an IPv6 customer has at least 2^64 addresses.
    pub(crate) fn neighbourhood(self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        }
    }
}

fn is_in(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The address that the outermost of our proxies saw. Each appended the one that it saw; what stands
/// further left is anybody's word. One that cannot be read tells nothing, and nor does what is beyond it.
fn farthest(chain: &[&str], proxies: &Proxies) -> Option<IpAddr> {
    match proxies {
        Proxies::Hops(hops) => address(chain.iter().rev().nth(hops.checked_sub(1)?)?),
        Proxies::Within(networks) => {
            let mut last = None;
            for one in chain.iter().rev().take(CHAIN_MAX) {
                let seen = address(one)?;
                if !is_in(networks, seen) {
                    return Some(seen);
                }
                last = Some(seen);
            }
            last
        }
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.trim_matches('"');
    let bare = plain.trim_start_matches('[').trim_end_matches(']');
    let alone = bare.parse().ok();
    let address = alone.or_else(|| Some(plain.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

fn listed(headers: &HeaderMap) -> Vec<&str> {
    values(headers, &FORWARDED_FOR)
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect()
}

fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(name).iter();
    all.filter_map(|value| value.to_str().ok())
}

/// What `Forwarded` (RFC 7239) tells.
#[derive(Default)]
struct Forwarded<'a> {
    chain: Vec<&'a str>,
    proto: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let mut told = Self::default();
        for element in values(headers, &header::FORWARDED).flat_map(|value| value.split(',')) {
            let mut seen = "unknown";
            told.proto = None;
            for (name, value) in element.split(';').filter_map(|pair| pair.split_once('=')) {
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => seen = value.trim(),
                    "proto" => told.proto = Some(value.trim().trim_matches('"')),
                    _ => {}
                }
            }
            told.chain.push(seen);
        }
        told
    }
}

/// What is asked of every request before anybody says who calls.
pub(crate) struct Threshold {
    pub(crate) proxies: Proxies,
    pub(crate) crowd: Crowd,
}

impl Threshold {
    /// Notes who is at the other end, for all that comes after; refuses what is one too many from there.
    pub(crate) fn pass(
        &self,
        request: &mut Request,
    ) -> (Client, Result<Option<Presence>, Response>) {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let client = Client::of(peer, request.headers(), &self.proxies);
        request.extensions_mut().insert(client);
        // Connections of a proxy's are many callers': what each of them has under way is counted in their place.
        let present = match request.extensions().get::<OneTooMany>() {
            Some(OneTooMany) => Err(Full),
            None if Client::is_proxy(peer, &self.proxies) => {
                self.crowd.enter(client.neighbourhood())
            }
            None => Ok(None),
        };
        (client, present.map_err(|Full| self.one_too_many()))
    }

    fn one_too_many(&self) -> Response {
        let most = self.crowd.most().unwrap_or_default();
        let how = format!(
            "There are {most} connections from this address, as many as it may have; close some, or use them again."
        );
        let problem = Problem::new(Code::RateLimited, how).retry_after(1);
        let problem = problem.with("violated-policies", vec!["connections"]);
        let mut response = problem.into_response();
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    }
}

/// Tells browsers that came by `https` to come by nothing else.
pub(crate) fn dress(headers: &mut HeaderMap, client: Client) {
    if client.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, SECURE_ONLY);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let noted = parts.extensions.get::<Self>().copied();
        Ok(noted.unwrap_or(Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            secure: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::Client;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use process::settings::Proxies;

    const PROXY: &str = "10.0.0.1";

    fn from(peer: &str, proxies: &Proxies, told: &[(&'static str, &str)]) -> Client {
        let headers = told.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        let headers: HeaderMap = headers.collect();
        Client::of(peer.parse().unwrap(), &headers, proxies)
    }

    fn within() -> Proxies {
        let networks = ["10.0.0.0/8", "fd00::/8"];
        Proxies::Within(networks.map(|one| one.parse().unwrap()).to_vec())
    }

    #[test]
    fn nobody_is_believed_but_our_own_proxies() {
        let spoofed = [
            ("x-forwarded-for", "1.1.1.1"),
            ("forwarded", "for=1.1.1.1;proto=https"),
            ("x-forwarded-proto", "https"),
        ];
        for proxies in [Proxies::Hops(0), within(), Proxies::Within(vec![])] {
            let client = from("203.0.113.9", &proxies, &spoofed);
            assert_eq!(
                (client.address.to_string().as_str(), client.secure),
                ("203.0.113.9", false)
            );
        }
    }

    #[test]
    fn what_a_caller_writes_left_of_our_proxies_is_not_believed() {
        for (proxies, chain, wanted) in [
            (Proxies::Hops(1), "1.1.1.1, 203.0.113.9", "203.0.113.9"),
            (
                Proxies::Hops(2),
                "1.1.1.1, 203.0.113.9, 10.0.0.2",
                "203.0.113.9",
            ),
            (Proxies::Hops(2), "203.0.113.9", PROXY),
            (within(), "1.1.1.1, 203.0.113.9", "203.0.113.9"),
            (
                within(),
                "1.1.1.1, 203.0.113.9, 10.0.0.2, fd00::3",
                "203.0.113.9",
            ),
            (within(), "10.0.0.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            (within(), "10.0.0.7, 10.0.0.2", "10.0.0.7"),
            (within(), "203.0.113.9, nonsense", PROXY),
            (within(), "203.0.113.9, ", PROXY),
            (within(), "203.0.113.9:4711", "203.0.113.9"),
            (within(), "[2001:db8::7]:4711", "2001:db8::7"),
            (within(), "::ffff:203.0.113.9", "203.0.113.9"),
            (within(), "", PROXY),
        ] {
            let client = from(PROXY, &proxies, &[("x-forwarded-for", chain)]);
            assert_eq!(client.address.to_string(), wanted, "{proxies:?} {chain}");
        }
    }

    #[test]
    fn the_other_header_is_read_where_it_is_the_only_one_or_says_the_same() {
        let two = |listed: &str, forwarded: &str| {
            let told = [("x-forwarded-for", listed), ("forwarded", forwarded)];
            from(PROXY, &within(), &told).address.to_string()
        };
        let alone = |forwarded: &str| from(PROXY, &within(), &[("forwarded", forwarded)]);
        let client = alone("for=1.1.1.1, For=\"[2001:db8::7]:1\";Proto=https;by=10.0.0.1");
        assert_eq!(
            (client.address.to_string().as_str(), client.secure),
            ("2001:db8::7", true)
        );
        assert_eq!(alone("for=203.0.113.9, by=x").address.to_string(), PROXY);
        assert_eq!(two("203.0.113.9", "for=203.0.113.9"), "203.0.113.9");
        assert_eq!(
            two("203.0.113.9", "for=1.1.1.1"),
            PROXY,
            "one of the two is the caller's"
        );
    }

    #[test]
    fn who_has_a_network_is_counted_once() {
        let of = |address: &str| from(address, &Proxies::default(), &[]).neighbourhood();
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_ne!(of("203.0.113.9"), of("203.0.113.8"));
        assert_eq!(of("::ffff:203.0.113.9"), of("203.0.113.9"));
    }
}
