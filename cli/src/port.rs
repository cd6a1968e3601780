//! A port to listen on: the one that was asked for, or the next free one.

use anyhow::Context as _;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// Ports that are tried after the one that was asked for.
const NEXT_MAX: u16 = 20;

/// Listens on `port`, or on the next one that is free.
pub(crate) async fn listen_near(host: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    for next in 0..=NEXT_MAX {
        let Some(candidate) = port.checked_add(next) else {
            break;
        };
        match TcpListener::bind(SocketAddr::new(host, candidate)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse && port > 0 => {}
            Err(error) => {
                return Err(error).with_context(|| format!("listening on {host}:{candidate}"));
            }
        }
    }
    anyhow::bail!(
        "the ports {port} to {} are all in use\ntry: --port with another number",
        port.saturating_add(NEXT_MAX)
    )
}

/// The address at which a process on this machine finds a listener.
pub(crate) fn url(listener: &TcpListener) -> std::io::Result<String> {
    let address = listener.local_addr()?;
    let host = match address.ip() {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    Ok(format!("http://{host}:{}", address.port()))
}
