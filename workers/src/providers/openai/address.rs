//! Which addresses may be asked.

use super::outside::{Inside, is_outside};
use crate::providers::CallError;
use reqwest::Url;
use std::net::IpAddr;

/// Whether plain `http` to this host stays on this machine or in a private network: loopback and
/// private addresses, and names that the public DNS does not know. Link-local ones, where clouds
/// keep their credentials, are not near.
pub(super) fn is_near(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => {
            let endings = [".localhost", ".local", ".internal", ".lan"];
            !host.contains('.') || endings.iter().any(|ending| host.ends_with(ending))
        }
    }
}

/// Whether an address carries a name or a password.
pub(super) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The address of a picture, if it may be fetched: from the server itself, as the server is asked,
/// or by `https` from one of `hosts` that is public. Everything else could be one of our own machines.
pub(super) fn of_picture(text: &str, base: &Url, hosts: &[String]) -> Result<Url, CallError> {
    let refuse = |why: &str| {
        let detail = format!("the picture's address is refused: {why}");
        Err(CallError::permanent(detail))
    };
    let Ok(url) = Url::parse(text) else {
        return refuse("it is none");
    };
    if has_user(&url) {
        return refuse("it has a user name");
    }
    if url.origin() == base.origin() {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return refuse("it is not https");
    }
    let host = url.host_str().unwrap_or_default();
    let known = hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    if !known || url.port().is_some() {
        return refuse(&format!("host {host:.100} is not among the allowed"));
    }
    let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    match literal {
        Some(literal) if !is_outside(literal) => refuse(&Inside.to_string()),
        Some(_) | None => Ok(url),
    }
}
