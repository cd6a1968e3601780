//! How many requests are taken from whom: counted here, or in a Redis together with other processes.

mod bucket;
pub(crate) mod layer;
mod shared;
pub(crate) mod streams;
mod table;

use bucket::{Bucket, Outcome};
use metrics::counter;
use process::Secret;
use process::settings::{Rates, Scope};
use redis::RedisError;
use sha2::{Digest as _, Sha256};
use shared::Shared;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use table::Table;

/// Where buckets are counted together, and under which names.
#[derive(Debug, Clone)]
pub struct SharedRates {
    /// The Redis.
    pub url: Secret,
    /// First part of every name in it.
    pub prefix: String,
}

/// Counts requests.
pub(crate) struct Limiter {
    policies: BTreeMap<Scope, Vec<Policy>>,
    table: Table,
    shared: Option<Shared>,
    /// Keeps addresses from being read in the Redis.
    pepper: Secret,
    began: Instant,
}

/// One quota of a scope.
struct Policy {
    /// As `RateLimit` names it: the scope, and the window where the scope has several.
    name: String,
    bucket: Bucket,
    /// As `RateLimit-Policy` describes it.
    described: String,
}

/// What is told of one quota, in the words of draft-ietf-httpapi-ratelimit-headers-10.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// For `RateLimit-Policy`.
    pub(crate) policy: String,
    /// For `RateLimit`.
    pub(crate) limit: String,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// Each quota that it was counted in.
    pub(crate) told: Vec<Told>,
    /// Which quota refuses it, and for how long.
    pub(crate) refused: Option<(String, Duration)>,
}

impl Limiter {
    pub(crate) fn new(
        rates: &Rates,
        shared: Option<&SharedRates>,
        pepper: Secret,
    ) -> Result<Self, RedisError> {
        let shared = shared.filter(|_| !rates.is_off());
        // From 0 on, so that the first one is seen as a rise.
        counter!("chorus_rate_limit_faults_total").increment(0);
        for scope in Scope::ALL {
            counter!("chorus_rate_limited_total", "scope" => scope.word()).increment(0);
        }
        let policies = Scope::ALL.map(|scope| (scope, policies(rates, scope)));
        Ok(Self {
            policies: policies.into(),
            table: Table::new(),
            shared: shared
                .map(|shared| Shared::new(&shared.url, &shared.prefix))
                .transpose()?,
            pepper,
            began: Instant::now(),
        })
    }

    /// Whether anything is limited at all.
    pub(crate) fn is_on(&self) -> bool {
        self.policies.values().any(|policies| !policies.is_empty())
    }

    /// Whether anything is limited in a scope.
    pub(crate) fn counts(&self, scope: Scope) -> bool {
        !self.of(scope).is_empty()
    }

    /// Counts a request of `whom` in each scope, up to the first that refuses it.
    pub(crate) async fn take(&self, scopes: &[Scope], whom: &str) -> Verdict {
        let all = scopes.iter().flat_map(|scope| {
            let policies = self.of(*scope).iter();
            policies.map(move |policy| (*scope, policy))
        });
        let all: Vec<(Scope, &Policy)> = all.collect();
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX / 4);
        let together = match &self.shared {
            Some(shared) if !all.is_empty() => shared.take(&self.named(&all, whom), now).await,
            Some(_) | None => None,
        };
        // Without the others' numbers our own are the next best: they let through too many, not too few.
        let outcomes = together.unwrap_or_else(|| self.alone(&all, whom, now));
        verdict(&all, &outcomes)
    }

    fn of(&self, scope: Scope) -> &[Policy] {
        self.policies.get(&scope).map_or(&[], Vec::as_slice)
    }

    fn alone(&self, all: &[(Scope, &Policy)], whom: &str, now: u64) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(all.len());
        for (_, policy) in all {
            let outcome = self.table.take((&policy.name, whom), policy.bucket, now);
            outcomes.push(outcome);
            if !outcome.taken {
                break;
            }
        }
        outcomes
    }

    fn named(&self, all: &[(Scope, &Policy)], whom: &str) -> Vec<(String, Bucket)> {
        let mut hash = Sha256::new();
        hash.update(b"rate\0");
        hash.update(self.pepper.reveal().as_bytes());
        hash.update(b"\0");
        hash.update(whom.as_bytes());
        let mut name = String::with_capacity(32);
        for byte in &hash.finalize()[..16] {
            let _ = write!(name, "{byte:02x}");
        }
        let each = all.iter();
        each.map(|(_, policy)| (format!("{}:{name}", policy.name), policy.bucket))
            .collect()
    }
}

fn policies(rates: &Rates, scope: Scope) -> Vec<Policy> {
    let quotas = rates.of(scope);
    let one = |quota: &process::settings::Quota| {
        let seconds = quota.within.as_secs();
        let name = match quotas.len() {
            1 => scope.word().to_owned(),
            _ => format!("{}-{seconds}s", scope.word()),
        };
        Policy {
            described: format!("\"{name}\";q={};w={seconds}", quota.most),
            bucket: Bucket::of(*quota),
            name,
        }
    };
    quotas.iter().map(one).collect()
}

fn verdict(all: &[(Scope, &Policy)], outcomes: &[Outcome]) -> Verdict {
    let mut verdict = Verdict {
        told: Vec::with_capacity(outcomes.len()),
        refused: None,
    };
    for ((scope, policy), outcome) in all.iter().zip(outcomes) {
        let seconds = whole(outcome.wait);
        verdict.told.push(Told {
            policy: policy.described.clone(),
            limit: format!("\"{}\";r={};t={seconds}", policy.name, outcome.remaining),
        });
        if !outcome.taken {
            counter!("chorus_rate_limited_total", "scope" => scope.word()).increment(1);
            verdict.refused = Some((policy.name.clone(), outcome.wait));
        }
    }
    verdict
}

/// Whole seconds, rounded up: whoever comes then is not too early.
pub(crate) fn whole(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
