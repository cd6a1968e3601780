//! The server: accepts connections with limits on their number and patience, and stops in order.

pub(crate) mod crowd;
mod patience;

pub use patience::Patience;

use crate::alias;
use crate::client::Client;
use crate::forget;
use crate::state::State;
use axum::body::Body;
use axum::extract::ConnectInfo;
use crowd::OneTooMany;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use patience::Patient;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

/// The longest head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// Connections that are one too many, and are told so at once; more are closed without a word.
const REFUSALS_MAX: usize = 64;
/// How long each has to ask something, so that it can be told.
const REFUSAL_MAX: Duration = Duration::from_secs(1);
/// How long answers under way may take once the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted: most often there are no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until shutdown; then takes no more connections, ends what would last, and lets answers
/// under way finish for a while.
pub async fn serve(
    listener: TcpListener,
    state: State,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (router, slots) = (
        crate::router(state.clone()),
        Arc::new(Semaphore::new(CONNECTIONS_MAX)),
    );
    let (patience, refusals) = (
        state.settings().patience,
        Arc::new(Semaphore::new(REFUSALS_MAX)),
    );
    let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
    connections.spawn(forget::run(state.db().clone(), state.closing().clone()));
    connections.spawn(saga_core::replayer::run(
        state.client().clone(),
        state.closing().clone(),
    ));
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = place(&state, peer, &refusals) else {
            continue; // closed
        };
        let refused = matches!(place, Place::Refused(_));
        drop(stream.set_nodelay(true)); // a small answer must not wait for the next
        let stream = Patient::new(stream, patience.answer);
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            alias::resolve(&mut request);
            if refused {
                request.extensions_mut().insert(OneTooMany);
            }
            router.clone().call(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(if refused { REFUSAL_MAX } else { patience.head })
            .keep_alive(!refused)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A connection ended early");
            }
            drop((slot, place));
        });
    }
    drop(listener);
    state.closing().cancel();
    drain(graceful, connections).await;
    Ok(())
}

async fn drain(graceful: GracefulShutdown, mut connections: JoinSet<()>) {
    let ended = tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await;
    if ended.is_err() {
        tracing::warn!("Some answers did not finish in time and are cut off");
    }
    connections.shutdown().await;
}

/// What a connection holds on to.
#[expect(dead_code, reason = "what is held is given back when it is dropped")]
enum Place {
    /// A proxy of ours brings many callers, each of which is counted by itself.
    Proxy,
    Counted(Option<crowd::Presence>),
    Refused(OwnedSemaphorePermit),
}

/// The place of a connection among those of its address; `None` where nobody has the time to refuse it.
fn place(state: &State, peer: SocketAddr, refusals: &Arc<Semaphore>) -> Option<Place> {
    if Client::is_proxy(peer.ip(), &state.settings().proxies) {
        return Some(Place::Proxy);
    }
    let Ok(presence) = state.crowd().enter(Client::at(peer.ip()).neighbourhood()) else {
        let permit = Arc::clone(refusals).try_acquire_owned();
        return permit.ok().map(Place::Refused);
    };
    Some(Place::Counted(presence))
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<Accepted> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, slot))
}
