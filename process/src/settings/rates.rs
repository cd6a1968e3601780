//! How many requests the API takes from whom, as the operator writes it down.

use super::reader::{Reader, text};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "RATE_LIMITS";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const UNITS: [(&str, Duration); 4] = [("s", SECOND), ("min", MINUTE), ("h", HOUR), ("day", DAY)];
/// More than any machine answers, and still far from what sums of nanoseconds can hold.
const REQUESTS_MAX: u32 = 1_000_000_000;
/// Limits of one scope at once.
const QUOTAS_MAX: usize = 3;

/// What is counted together, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All requests from one address, before anybody asks who calls.
    Address,
    /// Attempts to sign in from one address.
    Auth,
    /// What friends send to surveys from one address.
    Responses,
    /// An account's commands.
    Commands,
    /// What an account looks up.
    Reads,
    /// The surveys that an account makes.
    Surveys,
    /// The streams of events that an account opens.
    Streams,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Address,
        Self::Auth,
        Self::Responses,
        Self::Commands,
        Self::Reads,
        Self::Surveys,
        Self::Streams,
    ];

    /// Its name in settings, headers and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Auth => "auth",
            Self::Responses => "responses",
            Self::Commands => "commands",
            Self::Reads => "reads",
            Self::Surveys => "surveys",
            Self::Streams => "streams",
        }
    }

    fn quotas(self) -> Vec<Quota> {
        match self {
            Self::Address => vec![Quota::new(6_000, MINUTE)],
            Self::Auth | Self::Streams => vec![Quota::new(10, MINUTE)],
            Self::Responses => vec![Quota::new(30, MINUTE)],
            Self::Commands => vec![Quota::new(100, MINUTE), Quota::new(1_000, HOUR)],
            Self::Reads => vec![Quota::new(1_200, MINUTE)],
            Self::Surveys => vec![Quota::new(5, HOUR)],
        }
    }
}

/// So many requests in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many; they may come all at once.
    pub most: u32,
    /// After how long of silence all of them may come again.
    pub within: Duration,
}

impl Quota {
    /// A quota.
    #[must_use]
    pub fn new(most: u32, within: Duration) -> Self {
        Self { most, within }
    }
}

/// How many requests are taken from whom. A scope without quotas has no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(BTreeMap<Scope, Vec<Quota>>);

impl Default for Rates {
    fn default() -> Self {
        let all = Scope::ALL.into_iter();
        Self(all.map(|scope| (scope, scope.quotas())).collect())
    }
}

impl Rates {
    /// No limits at all.
    #[must_use]
    pub fn off() -> Self {
        Self(BTreeMap::new())
    }
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
    /// The same, with these quotas for one scope.
    #[must_use]
    pub fn with(mut self, scope: Scope, quotas: Vec<Quota>) -> Self {
        self.0.insert(scope, quotas);
        self
    }
    /// What holds in a scope.
    #[must_use]
    pub fn of(&self, scope: Scope) -> &[Quota] {
        self.0.get(&scope).map_or(&[], Vec::as_slice)
    }
}

impl Reader {
    /// The limits. Where nobody but this machine can call, nobody has to be kept off.
    pub(super) fn rates(&mut self, given: Option<&str>, alone: bool) -> Rates {
        match text(given) {
            None if alone => Rates::off(),
            None => Rates::default(),
            Some(word) if word.eq_ignore_ascii_case("off") => Rates::off(),
            Some(word) if word.eq_ignore_ascii_case("on") => Rates::default(),
            Some(list) => match list.split(',').try_fold(Rates::default(), changed) {
                Ok(rates) => rates,
                Err(fix) => {
                    self.problem(NAME, format!("{list:?}"), fix);
                    Rates::default()
                }
            },
        }
    }
}

fn changed(rates: Rates, part: &str) -> Result<Rates, String> {
    let looks = "write off, on, or what differs, as commands=200/min+2000/h,reads=off";
    let (name, quotas) = part
        .split_once('=')
        .ok_or_else(|| format!("{:?} has no `=`; {looks}", part.trim()))?;
    let (name, quotas) = (name.trim(), quotas.trim());
    let scope = Scope::ALL.into_iter().find(|scope| scope.word() == name);
    let scope = scope.ok_or_else(|| {
        let words = Scope::ALL.map(Scope::word).join(", ");
        format!("there is no {name:?}; one of: {words}")
    })?;
    if quotas.eq_ignore_ascii_case("off") {
        return Ok(rates.with(scope, vec![]));
    }
    let read: Option<Vec<Quota>> = quotas.split('+').map(quota).collect();
    let read = read.filter(|quotas| quotas.len() <= QUOTAS_MAX);
    read.map(|quotas| rates.with(scope, quotas))
        .ok_or_else(|| format!("{quotas:?} cannot be read, its units are s, min, h, day; {looks}"))
}

fn quota(text: &str) -> Option<Quota> {
    let (most, unit) = text.trim().split_once('/')?;
    let (_, within) = UNITS.iter().find(|(word, _)| *word == unit.trim())?;
    let most = most.trim().parse().ok()?;
    (1..=REQUESTS_MAX)
        .contains(&most)
        .then(|| Quota::new(most, *within))
}
