//! Buckets in a Redis, which several API processes count in together.

use super::bucket::{Bucket, Outcome};
use metrics::counter;
use process::Secret;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How long a request may wait to be counted. A Redis in the same place answers in a hundredth of it.
const ANSWER_MAX: Duration = Duration::from_millis(100);
/// How long nobody asks after a fault.
const PAUSE: Duration = Duration::from_secs(1);
/// Redis counts in microseconds: what it calculates in holds no nanoseconds of today.
const NANOS: u64 = 1_000;

// As `Bucket::take`, for one bucket after the other until one refuses, by the clock of the Redis.
const TAKE: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local told = {}
    for i, key in ipairs(KEYS) do
        local step, depth = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
        local full_at = tonumber(redis.call('GET', key) or now)
        local ahead = math.max(full_at, now) + step - now
        told[i] = ahead
        if ahead > depth then break end
        redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
    end
    return told";

/// Buckets in a Redis.
pub(crate) struct Shared {
    connection: ConnectionManager,
    take: Script,
    prefix: String,
    is_down: AtomicBool,
    silent_until: AtomicU64,
}

impl Shared {
    /// Opens no connection yet. Every name begins with `prefix`.
    pub(crate) fn new(url: &Secret, prefix: &str) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(ANSWER_MAX))
            .set_response_timeout(Some(ANSWER_MAX));
        let client = Client::open(url.reveal())?;
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client, config)?,
            take: Script::new(TAKE),
            prefix: format!("{prefix}:rate:"),
            is_down: AtomicBool::new(false),
            silent_until: AtomicU64::new(0),
        })
    }

    /// Counts a request in each bucket, up to the first that refuses it; nothing if the Redis is away.
    pub(crate) async fn take(&self, all: &[(String, Bucket)], now: u64) -> Option<Vec<Outcome>> {
        if now < self.silent_until.load(Ordering::Relaxed) {
            return None;
        }
        let mut asked = self.take.prepare_invoke();
        for (name, bucket) in all {
            asked.key([&*self.prefix, name].concat());
            asked.arg(micros(bucket.step)).arg(micros(bucket.depth));
        }
        let mut connection = self.connection.clone();
        let answer = asked.invoke_async::<Vec<u64>>(&mut connection);
        let answer = tokio::time::timeout(ANSWER_MAX, answer).await;
        match answer {
            Ok(Ok(told)) => {
                if self.is_down.swap(false, Ordering::Relaxed) {
                    tracing::info!("The Redis of the rate limits answers again");
                }
                let outcomes = all.iter().zip(told);
                Some(
                    outcomes
                        .map(|((_, bucket), ahead)| of(*bucket, ahead))
                        .collect(),
                )
            }
            Ok(Err(error)) => self.fault(now, &error),
            Err(late) => self.fault(now, &late),
        }
    }

    fn fault(&self, now: u64, error: &dyn std::fmt::Display) -> Option<Vec<Outcome>> {
        counter!("chorus_rate_limit_faults_total").increment(1);
        let pause = u64::try_from(PAUSE.as_nanos()).unwrap_or_default();
        self.silent_until.store(now + pause, Ordering::Relaxed);
        if !self.is_down.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "The Redis of the rate limits does not answer; this process counts its own");
        }
        None
    }
}

fn micros(nanos: u64) -> u64 {
    nanos.div_ceil(NANOS)
}

fn of(bucket: Bucket, ahead: u64) -> Outcome {
    let rounded = Bucket {
        step: micros(bucket.step) * NANOS,
        depth: micros(bucket.depth) * NANOS,
    };
    rounded.outcome(ahead.saturating_mul(NANOS))
}
