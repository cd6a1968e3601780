//! The keys of an issuer: fetched once for everybody, seldom, and never because somebody invents key ids.

use super::discovery::{Discovery, get};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use process::settings::Algorithm;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long keys are taken as they are: so long may a key that the issuer withdrew still count.
const FRESH_FOR: Duration = Duration::from_hours(1);
/// How long they do while the issuer does not answer.
const STALE_MAX: Duration = Duration::from_hours(24);
/// Between two looks for a key id that is not there.
const SEARCH_PAUSE: Duration = Duration::from_mins(5);
/// After a fetch that failed.
const FAILURE_PAUSE: Duration = Duration::from_secs(10);
const ANSWER_MAX: Duration = Duration::from_secs(3);
const KEYS_MAX: usize = 20;
/// The modulus of an RSA key of 2048 bits, in base64.
const MODULUS_CHARS_MIN: usize = 341;

type ByName = HashMap<String, DecodingKey>;

/// Where the keys of an issuer are.
pub(super) enum Place {
    /// There.
    Known(String),
    /// Where its own document says.
    Told(Discovery),
}

/// The keys of one issuer.
pub(super) struct Keys {
    place: Place,
    algorithm: Algorithm,
    http: reqwest::Client,
    held: Mutex<Held>,
    /// Whoever fetches has it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    keys: Arc<ByName>,
    fetched: Option<Instant>,
    failed: Option<Instant>,
    searched: Option<Instant>,
}

/// What to do about a key id.
enum Look {
    Take(DecodingKey),
    Fetch,
    Unknown,
    Away,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The issuer has none of that id.
    Unknown,
    /// The issuer does not answer.
    Away,
}

impl Held {
    fn look(&self, id: &str, now: Instant) -> Look {
        let since = |then: Option<Instant>| then.map(|then| now.saturating_duration_since(then));
        let rested = |then, pause| since(then).is_none_or(|since| since >= pause);
        let (may_fetch, age) = (rested(self.failed, FAILURE_PAUSE), since(self.fetched));
        let fresh = age.is_some_and(|age| age < FRESH_FOR);
        match self.keys.get(id) {
            Some(key) if fresh => Look::Take(key.clone()),
            None if fresh && !rested(self.searched, SEARCH_PAUSE) => Look::Unknown,
            Some(_) | None if may_fetch => Look::Fetch,
            Some(key) if age.is_some_and(|age| age < STALE_MAX) => Look::Take(key.clone()),
            None if age.is_some_and(|age| age < STALE_MAX) => Look::Unknown,
            Some(_) | None => Look::Away,
        }
    }

    fn took(&mut self, id: &str, fetched: Option<ByName>, now: Instant) {
        let warm = self.fetched.is_some_and(|then| now - then < FRESH_FOR);
        match fetched {
            Some(keys) => {
                self.keys = Arc::new(keys);
                (self.fetched, self.failed) = (Some(now), None);
            }
            None => self.failed = Some(now),
        }
        let answered = self.failed.is_none();
        if answered && (warm || !self.keys.contains_key(id)) {
            self.searched = Some(now);
        }
    }
}

impl Keys {
    pub(super) fn new(place: Place, algorithm: Algorithm, http: reqwest::Client) -> Self {
        Self {
            place,
            algorithm,
            http,
            held: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Whoever asks issuers: patient for seconds only, and led nowhere else.
    pub(super) fn client(plain_http: bool) -> reqwest::Result<reqwest::Client> {
        reqwest::Client::builder()
            .https_only(!plain_http)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_MAX)
            .build()
    }

    /// The key of this id.
    pub(super) async fn find(&self, id: &str) -> Result<DecodingKey, NoKey> {
        if let Some(found) = self.settled(id) {
            return found;
        }
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have fetched it.
        if let Some(found) = self.settled(id) {
            return found;
        }
        let mut asking = Asking {
            keys: self,
            answered: false,
        };
        let fetched = self.fetch().await;
        asking.answered = true;
        if let Err(error) = &fetched {
            let place = match &self.place {
                Place::Known(url) => url,
                Place::Told(discovery) => discovery.issuer(),
            };
            tracing::warn!(place, %error, "An issuer's keys could not be fetched");
        }
        self.held().took(id, fetched.ok(), Instant::now());
        self.settled(id).unwrap_or(Err(NoKey::Unknown))
    }

    /// What is known without asking; `None` where the issuer may be asked.
    fn settled(&self, id: &str) -> Option<Result<DecodingKey, NoKey>> {
        match self.held().look(id, Instant::now()) {
            Look::Take(key) => Some(Ok(key)),
            Look::Unknown => Some(Err(NoKey::Unknown)),
            Look::Away => Some(Err(NoKey::Away)),
            Look::Fetch => None,
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> anyhow::Result<ByName> {
        let body = match &self.place {
            Place::Known(url) => get(&self.http, url).await?,
            Place::Told(discovery) => {
                let url = discovery.place(&self.http).await?;
                let got = get(&self.http, &url).await;
                got.inspect_err(|_| discovery.forget())?
            }
        };
        read(&body, self.algorithm)
    }
}

/// A fetch under way. Whoever hangs up meanwhile leaves it as one that failed: else anybody could have us ask
/// again and again.
struct Asking<'k> {
    keys: &'k Keys,
    answered: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.keys.held().failed = Some(Instant::now());
        }
    }
}

/// Reads those keys that can sign in this algorithm; others may stand beside them.
fn read(body: &[u8], algorithm: Algorithm) -> anyhow::Result<ByName> {
    #[derive(serde::Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let Set { keys } = serde_json::from_slice(body)?;
    anyhow::ensure!(keys.len() <= KEYS_MAX, "more than {KEYS_MAX} keys");
    let mut by_name = ByName::new();
    for key in keys {
        let Ok(key) = serde_json::from_value::<Jwk>(key) else {
            continue;
        };
        let encrypts = key.common.public_key_use == Some(PublicKeyUse::Encryption);
        let (Some(id), false) = (&key.common.key_id, encrypts || !fits(&key, algorithm)) else {
            continue;
        };
        if let Ok(decoding) = DecodingKey::from_jwk(&key) {
            by_name.entry(id.clone()).or_insert(decoding);
        }
    }
    anyhow::ensure!(!by_name.is_empty(), "no key of {algorithm:?} among them");
    Ok(by_name)
}

fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(rsa), Algorithm::Rs256) => rsa.n.len() >= MODULUS_CHARS_MIN,
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::Es256) => {
            ec.curve == EllipticCurve::P256
        }
        (_, Algorithm::Rs256 | Algorithm::Es256) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, ByName, Held, Keys, Look, NoKey, Place};
    use jsonwebtoken::DecodingKey;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn keys(ids: &[&str]) -> ByName {
        let key = |id: &&str| ((*id).to_owned(), DecodingKey::from_secret(b"x"));
        ids.iter().map(key).collect()
    }

    fn word(held: &Held, id: &str, now: Instant) -> &'static str {
        match held.look(id, now) {
            Look::Take(_) => "take",
            Look::Fetch => "fetch",
            Look::Unknown => "unknown",
            Look::Away => "away",
        }
    }

    #[test]
    fn a_new_key_is_found_by_one_fetch_and_an_invented_one_causes_no_more() {
        let (mut held, start) = (Held::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(word(&held, "one", start), "fetch");
        held.took("one", Some(keys(&["one"])), start);
        assert_eq!(word(&held, "one", at(3599)), "take");

        assert_eq!(word(&held, "two", at(1)), "fetch", "rotated a second later");
        held.took("two", Some(keys(&["one", "two"])), at(1));
        assert_eq!(word(&held, "two", at(1)), "take");
        for invented in 0..10_000 {
            assert_eq!(word(&held, &format!("x{invented}"), at(300)), "unknown");
        }
        assert_eq!(word(&held, "three", at(301)), "fetch");
        held.took("three", Some(keys(&["two"])), at(301));
        assert_eq!(word(&held, "three", at(302)), "unknown");
        assert_eq!(word(&held, "one", at(302)), "unknown", "withdrawn");
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_while_it_fetches_has_asked_all_the_same() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", silent.local_addr().unwrap());
        let http = Keys::client(true).unwrap();
        let keys = Arc::new(Keys::new(Place::Known(url), Algorithm::Rs256, http));
        let asking = Arc::clone(&keys);
        let caller = tokio::spawn(async move { asking.find("one").await.map(drop) });
        let held = silent.accept().await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        // A thousand who do the same find that the issuer is left alone for a while.
        for _ in 0..1_000 {
            let found = keys.find("one").await.map(drop);
            assert_eq!(found, Err(NoKey::Away));
        }
        drop(held);
    }

    #[test]
    fn a_flood_before_the_first_fetch_causes_that_one_alone() {
        let (mut held, start) = (Held::default(), Instant::now());
        held.took("x0", Some(keys(&["one"])), start);
        assert_eq!(word(&held, "x1", start), "unknown");
        assert_eq!(word(&held, "one", start), "take");
    }

    #[test]
    fn an_issuer_that_fails_is_left_alone_for_a_while_and_its_keys_count_for_a_day() {
        let (mut held, start) = (Held::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        held.took("one", None, start);
        assert_eq!(word(&held, "one", at(9)), "away");
        assert_eq!(word(&held, "one", at(10)), "fetch");
        held.took("one", Some(keys(&["one"])), at(10));
        assert_eq!(word(&held, "one", at(3610)), "fetch", "an hour old");
        held.took("one", None, at(3610));
        assert_eq!(word(&held, "one", at(3611)), "take");
        let day_later = at(10 + 24 * 3600);
        held.took("one", None, day_later);
        assert_eq!(word(&held, "one", day_later), "away");
    }
}
