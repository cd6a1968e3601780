//! `/metrics`: what this process counts, and what the store holds, for Prometheus.

mod described;
mod dollars;

pub use described::{DESCRIBED, Described, Shape};

use crate::probe::Probe;
use crate::settings::Secret;
use crate::{QUEUES, VERSION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::get};
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use saga_core::Store;
use saga_core::store::{Gauges, QueueGauges};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// The commit that this was built from, if the build was told.
const COMMIT: &str = match option_env!("CHORUS_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};
/// How long the store's numbers are told without looking again, however many ask.
const KEPT: Duration = Duration::from_secs(1);
/// How long looking may take.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// How often what was measured is put into its buckets; between two scrapes it would pile up.
const UPKEEP: Duration = Duration::from_secs(5);
/// Seconds: from a step that touches a row to a job that stood parked over night.
const BUCKETS: [f64; 18] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0,
    3600.0, 21_600.0,
];
/// Seconds: from an answer out of memory to the longest `Prefer: wait`.
const HTTP_BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
const LETTER_STATES: [&str; 5] = ["open", "replayed", "skipped", "discarded", "expired"];

/// The one recorder of this process: `metrics` knows no other kind.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to count. What was counted before is lost; a second start changes nothing.
pub fn start() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let handle = builder().install_recorder().unwrap_or_else(|error| {
            tracing::warn!(%error, "This program counts by other means already; /metrics stays empty");
            builder().build_recorder().handle()
        });
        DESCRIBED.iter().for_each(Described::announce);
        gauge!("chorus_build_info", "version" => VERSION, "commit" => COMMIT).set(1.0);
        handle
    })
}

fn builder() -> PrometheusBuilder {
    let http = Matcher::Full("chorus_http_request_duration_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(|builder| builder.set_buckets_for_metric(http, &HTTP_BUCKETS))
        .expect("there are buckets")
}

/// Puts what was measured into its buckets, until shutdown.
pub(crate) async fn upkeep(shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        start().run_upkeep();
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// How a token is refused, as RFC 6750 has it; whoever shows none is told the scheme alone.
pub const WRONG_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// `/metrics`, to be served alone or merged into the API.
pub fn routes<S: Clone + Send + Sync + 'static>(scrape: Scrape) -> Router<S> {
    start();
    Router::new().route(
        "/metrics",
        get(move |headers: HeaderMap| async move {
            if scrape.admits(&headers) {
                scrape.answer().await
            } else {
                let challenge = if headers.contains_key(header::AUTHORIZATION) {
                    WRONG_TOKEN
                } else {
                    "Bearer"
                };
                let how = [(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static(challenge),
                )];
                (
                    StatusCode::UNAUTHORIZED,
                    how,
                    "who reads this shows METRICS_TOKEN\n",
                )
                    .into_response()
            }
        }),
    )
}

/// What one process tells.
#[derive(Clone)]
pub struct Scrape {
    source: Option<Arc<Source>>,
    token: Option<Secret>,
}

/// The store's numbers are the same whoever tells them, so only the API does.
struct Source {
    store: Store,
    probe: Probe,
    looked: Mutex<Option<Instant>>,
}

impl Scrape {
    /// What the process counts itself.
    pub fn own() -> Self {
        Self {
            source: None,
            token: None,
        }
    }

    /// The same, for whoever shows this token alone.
    #[must_use]
    pub fn for_token(self, token: Option<Secret>) -> Self {
        Self { token, ..self }
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let shown = headers.get(header::AUTHORIZATION);
        let shown = shown.and_then(|shown| shown.as_bytes().strip_prefix(b"Bearer "));
        shown.is_some_and(|shown| are_equal(shown, token.reveal().as_bytes()))
    }

    /// That, and how much there is to do in the whole fleet.
    pub fn whole(store: Store, probe: Probe) -> Self {
        let looked = Mutex::default();
        let source = Source {
            store,
            probe,
            looked,
        };
        Self {
            source: Some(Arc::new(source)),
            token: None,
        }
    }

    async fn answer(&self) -> Response {
        if let Some(source) = &self.source {
            source.look().await;
        }
        let mut response = dollars::told(&start().render()).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
        );
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Takes as long wherever they differ.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differing == 0
}

impl Source {
    /// Sets the gauges, unless somebody did a moment ago. What cannot be known is no number.
    async fn look(&self) {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|at| at.elapsed() < KEPT) {
            return;
        }
        let (gauges, consumers) = tokio::join!(
            tokio::time::timeout(LOOK_MAX, self.store.gauges()),
            tokio::time::timeout(LOOK_MAX, self.consumers()),
        );
        let gauges = match gauges {
            Ok(Ok(gauges)) => Some(gauges),
            Ok(Err(error)) => {
                tracing::debug!(%error, "The store's numbers could not be read");
                None
            }
            Err(_) => None,
        };
        tell(gauges.as_ref());
        tell_breakers(gauges.as_ref());
        tell_lines(gauges.as_ref(), &self.store);
        tell_retention(gauges.as_ref());
        let consumers = consumers.unwrap_or([None; QUEUES.len()]);
        for (queue, count) in QUEUES.into_iter().zip(consumers) {
            gauge!("chorus_queue_consumers", "queue" => queue)
                .set(whole(count.and_then(|count| i64::try_from(count).ok())));
        }
        *looked = Some(Instant::now());
    }

    async fn consumers(&self) -> [Option<u64>; QUEUES.len()] {
        let mut counts = [None; QUEUES.len()];
        for (queue, count) in QUEUES.into_iter().zip(&mut counts) {
            *count = self.probe.consumers(queue).await;
        }
        counts
    }
}

/// Sets every gauge of the store: queues that hold nothing hold nought.
fn tell(gauges: Option<&Gauges>) {
    let empty = QueueGauges::default();
    for queue in QUEUES {
        let found = gauges.map(|gauges| {
            let found = gauges.queues.iter().find(|one| one.queue == queue);
            found.unwrap_or(&empty)
        });
        for (state, count) in [
            ("ready", found.map(|found| found.ready)),
            ("running", found.map(|found| found.running)),
            ("delayed", found.map(|found| found.delayed)),
        ] {
            gauge!("chorus_queue_depth", "queue" => queue, "state" => state).set(whole(count));
        }
        gauge!("chorus_queue_oldest_age_seconds", "queue" => queue)
            .set(found.map_or(f64::NAN, |found| found.oldest.as_secs_f64()));
    }
    gauge!("chorus_ticket_lag_seconds")
        .set(gauges.map_or(f64::NAN, |gauges| gauges.ticket_lag.as_secs_f64()));
    for state in LETTER_STATES {
        let count = gauges.map(|gauges| {
            let found = gauges.letters.iter().find(|(known, _)| known == state);
            found.map_or(0, |(_, count)| *count)
        });
        gauge!("chorus_dead_letters", "state" => state).set(whole(count));
    }
}

fn tell_breakers(gauges: Option<&Gauges>) {
    for (provider, model, state) in gauges.into_iter().flat_map(|gauges| &gauges.breakers) {
        let (provider, model) = (provider.clone(), model.clone());
        gauge!("chorus_breaker_state", "provider" => provider, "model" => model)
            .set(f64::from(*state));
    }
}

/// Sets how many steps stand in line, of every kind: where none does, nought.
fn tell_lines(gauges: Option<&Gauges>, store: &Store) {
    for kind in store.kinds().iter() {
        let count = gauges.map(|gauges| {
            let found = gauges.in_line.iter().find(|(known, _)| known == kind.name);
            found.map_or(0, |(_, steps)| *steps)
        });
        gauge!("chorus_kind_steps_in_line", "kind" => kind.name).set(whole(count));
    }
}

fn tell_retention(gauges: Option<&Gauges>) {
    let retired = gauges.and_then(|gauges| gauges.retired);
    gauge!("chorus_retention_age_seconds")
        .set(retired.map_or(f64::NAN, |since| since.as_secs_f64()));
}

/// A count as a gauge has it; counts beyond 32 bits are all the same to whoever reads them.
fn whole(count: Option<i64>) -> f64 {
    count.map_or(f64::NAN, |count| {
        f64::from(u32::try_from(count).unwrap_or(u32::MAX))
    })
}
