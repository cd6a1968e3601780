//! Every metric that any process serves; `deploy/metrics.md` says the same to people.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often, and how long.
    Histogram,
}

impl Shape {
    /// The word after `# TYPE`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// What it is to Prometheus.
    pub shape: Shape,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub meaning: &'static str,
}

impl Described {
    /// Has `/metrics` explain it.
    pub(super) fn announce(&self) {
        match self.shape {
            Shape::Counter => describe_counter!(self.name, self.meaning),
            Shape::Gauge => describe_gauge!(self.name, self.meaning),
            Shape::Histogram => describe_histogram!(self.name, self.meaning),
        }
    }
}

/// Counted in millionths, since counters are whole numbers, and told in dollars.
pub(super) const COST: &str = "chorus_provider_cost_usd_total";

/// Every metric that any process serves.
pub const DESCRIBED: [Described; 29] = [
    counter("chorus_jobs_submitted_total", &["kind"], "Jobs accepted"),
    counter(
        "chorus_jobs_finished_total",
        &["kind", "outcome"],
        "Jobs that ended",
    ),
    histogram(
        "chorus_job_duration_seconds",
        &["kind", "outcome"],
        "From accepted to ended",
    ),
    counter(
        "chorus_step_attempts_total",
        &["kind", "step", "outcome"],
        "Attempts at steps that ended",
    ),
    histogram(
        "chorus_step_duration_seconds",
        &["kind", "step", "outcome"],
        "From claimed to settled, of one attempt",
    ),
    gauge(
        "chorus_queue_depth",
        &["queue", "state"],
        "Steps in a queue",
    ),
    gauge(
        "chorus_kind_steps_in_line",
        &["kind"],
        "Ready steps of a kind that is switched off or at its limit",
    ),
    gauge(
        "chorus_queue_oldest_age_seconds",
        &["queue"],
        "How long the oldest ready step has waited",
    ),
    histogram(
        "chorus_queue_wait_seconds",
        &["queue"],
        "From asked for to first claimed, of steps that a ticket brought",
    ),
    gauge(
        "chorus_queue_consumers",
        &["queue"],
        "Consumers that the transport delivers a queue to",
    ),
    gauge(
        "chorus_worker_slots",
        &["queue", "state"],
        "Steps that a worker does, and could do, at once",
    ),
    gauge("chorus_dead_letters", &["state"], "Dead letters there are"),
    counter(
        "chorus_dead_letters_total",
        &["kind", "step", "code"],
        "Dead letters written",
    ),
    counter("chorus_compensations_total", &["kind"], "Undo steps done"),
    gauge(
        "chorus_ticket_lag_seconds",
        &[],
        "How long the oldest ready step has had no confirmed ticket",
    ),
    counter(
        "chorus_redeliveries_total",
        &["queue"],
        "Tickets that the broker delivered again",
    ),
    histogram(
        "chorus_provider_request_duration_seconds",
        &["provider", "model", "outcome"],
        "Calls of models",
    ),
    counter(
        "chorus_provider_tokens_total",
        &["provider", "model", "direction"],
        "Tokens that calls were charged for",
    ),
    gauge(
        "chorus_breaker_state",
        &["provider", "model"],
        "Whether a model is left alone: 0 no, 1 one call at a time tries it, 2 yes",
    ),
    counter(
        COST,
        &["provider", "model"],
        "What answers cost, as far as it is known",
    ),
    counter(
        "chorus_provider_cache_hits_total",
        &["provider", "model"],
        "Answers that were given again, and not paid for",
    ),
    counter(
        "chorus_retired_rows_total",
        &["table"],
        "Rows that retention took away",
    ),
    gauge(
        "chorus_retention_age_seconds",
        &[],
        "How long ago retention came to its end",
    ),
    histogram(
        "chorus_http_request_duration_seconds",
        &["route", "method", "status"],
        "From a request's head to its answer's",
    ),
    counter(
        "chorus_rate_limited_total",
        &["scope"],
        "Requests that came too soon",
    ),
    counter(
        "chorus_rate_limit_faults_total",
        &[],
        "Times that the Redis of the rate limits did not answer",
    ),
    counter(
        "chorus_connections_refused_total",
        &[],
        "Connections, and requests by a proxy, of addresses that had as many as they may",
    ),
    gauge(
        "chorus_dependency_up",
        &["dependency"],
        "Whether what the process stands on answered it a second ago: 1 yes, 0 no",
    ),
    gauge("chorus_build_info", &["version", "commit"], "Always 1"),
];

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Described {
    of(name, Shape::Counter, labels, meaning)
}

const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Described {
    of(name, Shape::Gauge, labels, meaning)
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Described {
    of(name, Shape::Histogram, labels, meaning)
}

const fn of(
    name: &'static str,
    shape: Shape,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> Described {
    Described {
        name,
        shape,
        labels,
        meaning,
    }
}
