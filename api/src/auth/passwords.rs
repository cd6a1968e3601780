//! Passwords: hashed by Argon2id, away from the async threads, a few at a time, and as much work for everybody.

use crate::problem::{Code, Problem};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::accounts::passwords;
use moka::future::Cache;
use process::Secret;
use process::settings::PasswordCost;
use saga_core::db::Db;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a password waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);
/// Passwords that wait at once; who comes then is sent away.
const WAITING_MAX: usize = 64;
/// How long it is taken as known what imported hashes cost.
const IMPORTS_KNOWN_FOR: Duration = Duration::from_mins(1);
/// The least and the most that a hash of bcrypt may cost; a look at a dearer one would take minutes.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// The salt and the hash of nobody, as PHC strings end: nothing that anybody sends has this hash, and who looks
/// must compute as long as for any other.
const NOBODY: &str = concat!(
    "$AAAAAAAAAAAAAAAAAAAAAA",
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
);

/// Hashes passwords, and checks them.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Inner>);

struct Inner {
    argon: Argon2<'static>,
    /// What the password of nobody is checked against.
    nobody: String,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What the dearest hash of bcrypt costs that is still there.
    imports: Cache<(), Option<u32>>,
    looked: AtomicU64,
    /// Rounds of bcrypt.
    rounds: AtomicU64,
}

/// Hashes one password at this cost, here and now: for commands that end soon after.
pub fn hash_password(
    cost: PasswordCost,
    password: &Secret,
) -> Result<String, argon2::password_hash::Error> {
    let argon = argon(cost)?;
    Ok(argon
        .hash_password(password.reveal().as_bytes())?
        .to_string())
}

fn argon(cost: PasswordCost) -> Result<Argon2<'static>, argon2::Error> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Wrong,
    Right,
    /// Right, by a hash of another cost than today's, or one of bcrypt that was imported.
    RightOutdated,
}

impl Passwords {
    /// At this cost.
    pub(crate) fn new(cost: PasswordCost) -> Result<Self, argon2::Error> {
        let argon = argon(cost)?;
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p=1{NOBODY}",
            cost.memory_kib, cost.passes
        );
        Ok(Self(Arc::new(Inner {
            argon,
            nobody,
            turns: Arc::new(Semaphore::new(cost.at_once)),
            waiting: Arc::new(Semaphore::new(cost.at_once + WAITING_MAX)),
            imports: Cache::builder()
                .max_capacity(1)
                .time_to_live(IMPORTS_KNOWN_FOR)
                .build(),
            looked: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
        })))
    }

    /// Hashes a password, with a salt of its own.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let hash = move |inner: &Inner| {
            let hash = inner.argon.hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
        };
        let hashed = self.in_turn(hash).await?;
        hashed.map_err(|error| Problem::internal(&error))
    }

    /// Checks a password. Without a hash it is wrong, after as much work; and while hashes of bcrypt are
    /// there that were imported, everybody's takes what the dearest of them does, so that the time tells
    /// neither who there is nor who has not come since.
    pub(crate) async fn check(
        &self,
        db: &Db,
        hash: Option<String>,
        password: String,
    ) -> Result<Checked, Problem> {
        let imported = self.0.imports.try_get_with((), dearest_import(db)).await;
        let imported = imported.map_err(|error| Problem::internal(&error))?;
        self.check_beside(imported, hash, password).await
    }

    async fn check_beside(
        &self,
        imported: Option<u32>,
        hash: Option<String>,
        password: String,
    ) -> Result<Checked, Problem> {
        self.in_turn(move |inner: &Inner| inner.check(imported, hash.as_deref(), &password))
            .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || {
            let how = "Too many passwords are being looked at; try again in a moment.";
            Problem::new(Code::Unavailable, how).retry_after(1)
        };
        let place = Arc::clone(&self.0.waiting).try_acquire_owned();
        let place = place.map_err(|_| busy())?;
        let turn = Arc::clone(&self.0.turns).acquire_owned();
        let turn = tokio::time::timeout(TURN_MAX, turn).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let inner = Arc::clone(&self.0);
        // The work goes on when its caller hangs up, and so do its place and its turn.
        let work = move || {
            let _held = (place, turn);
            work(&inner)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::internal(&error))
    }
}

async fn dearest_import(db: &Db) -> sqlx::Result<Option<u32>> {
    let dearest = passwords::dearest_import(db).await?;
    Ok(dearest.filter(|cost| BCRYPT_COSTS.contains(cost)))
}

impl Inner {
    fn check(&self, imported: Option<u32>, hash: Option<&str>, password: &str) -> Checked {
        let (bcrypt, argon) = match hash {
            Some(hash) if hash.starts_with("$2") => (Some(hash), None),
            Some(_) | None => (None, hash),
        };
        let by_bcrypt = self.by_bcrypt(imported, bcrypt, password);
        let by_argon = self.by_argon(argon, password);
        if bcrypt.is_some() {
            by_bcrypt
        } else {
            by_argon
        }
    }

    fn by_argon(&self, hash: Option<&str>, password: &str) -> Checked {
        self.looked.fetch_add(1, Ordering::Relaxed);
        let Ok(parsed) = PasswordHash::new(hash.unwrap_or(&self.nobody)) else {
            return Checked::Wrong;
        };
        let right = self.argon.verify_password(password.as_bytes(), &parsed);
        match (hash, right) {
            (None, _) | (Some(_), Err(_)) => Checked::Wrong,
            (Some(_), Ok(())) => {
                let today = Params::try_from(&parsed).is_ok_and(|params| {
                    let ours = self.argon.params();
                    (params.m_cost(), params.t_cost()) == (ours.m_cost(), ours.t_cost())
                });
                if today {
                    Checked::Right
                } else {
                    Checked::RightOutdated
                }
            }
        }
    }

    /// Each cost is twice the work of the one below it: what a cheaper hash leaves of the dearest is that
    /// cost once more, and every one between.
    fn by_bcrypt(&self, dearest: Option<u32>, hash: Option<&str>, password: &str) -> Checked {
        let cost = hash.and_then(|hash| hash.get(4..6)?.parse().ok());
        let cost = cost.filter(|cost| BCRYPT_COSTS.contains(cost));
        let checked = match (hash, cost) {
            (Some(hash), Some(cost)) => {
                self.rounds.fetch_add(1 << cost, Ordering::Relaxed);
                match bcrypt::verify(password, hash) {
                    Ok(true) => Checked::RightOutdated,
                    Ok(false) | Err(_) => Checked::Wrong,
                }
            }
            (None, _) | (Some(_), None) => Checked::Wrong,
        };
        let (from, to) = match (cost, dearest) {
            (_, None) => (0, 0),
            (Some(cost), Some(dearest)) => (cost, dearest),
            (None, Some(dearest)) => (dearest, dearest + 1),
        };
        for cost in from..to {
            self.rounds.fetch_add(1 << cost, Ordering::Relaxed);
            let nobody = bcrypt::hash_with_salt("nobody's password", cost, [0; 16]);
            std::hint::black_box(nobody.is_ok());
        }
        checked
    }
}

#[cfg(test)]
mod tests {
    use super::{Checked, PasswordHash, Passwords};
    use process::settings::PasswordCost;
    use std::sync::atomic::Ordering;

    fn passwords(passes: u32) -> Passwords {
        let cost = PasswordCost {
            memory_kib: 64,
            passes,
            at_once: 2,
        };
        Passwords::new(cost).unwrap()
    }

    #[tokio::test]
    async fn nobody_is_looked_at_as_long_as_somebody() {
        let passwords = passwords(1);
        let hash = passwords.hash("right".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        let looked = || passwords.0.looked.swap(0, Ordering::Relaxed);
        for (hash, password, found) in [
            (Some(hash.clone()), "right", Checked::Right),
            (Some(hash.clone()), "wrong", Checked::Wrong),
            (None, "wrong", Checked::Wrong),
            (None, "nobody's password", Checked::Wrong),
        ] {
            let checked = passwords.check_beside(None, hash, password.to_owned());
            assert_eq!(checked.await.unwrap(), found);
            assert_eq!(looked(), 1, "one look, whoever it is");
        }
        // And at the same cost: nobody's hash is one of today's, which can be looked at.
        let nobody = &passwords.0.nobody;
        assert!(
            nobody.starts_with("$argon2id$v=19$m=64,t=1,p=1$"),
            "{nobody}"
        );
        assert_eq!(nobody.len(), hash.len());
        assert!(PasswordHash::new(nobody).is_ok_and(|parsed| parsed.hash.is_some()));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_told_apart() {
        let hash = passwords(1).hash("right".to_owned()).await.unwrap();
        let passwords = passwords(2);
        let checked = passwords.check_beside(None, Some(hash), "right".to_owned());
        assert_eq!(checked.await.unwrap(), Checked::RightOutdated);
    }

    #[tokio::test]
    async fn an_imported_hash_of_bcrypt_is_right_and_outdated() {
        let hash = bcrypt::hash_with_salt("right", 4, [7; 16])
            .unwrap()
            .to_string();
        let passwords = passwords(1);
        for (password, found) in [("right", Checked::RightOutdated), ("wrong", Checked::Wrong)] {
            let checked = passwords.check_beside(Some(4), Some(hash.clone()), password.to_owned());
            assert_eq!(checked.await.unwrap(), found);
        }
    }

    #[tokio::test]
    async fn while_imported_hashes_are_there_everybody_takes_as_long_as_the_dearest() {
        let passwords = passwords(1);
        let ours = passwords.hash("right".to_owned()).await.unwrap();
        let imported = |cost| bcrypt::hash_with_salt("right", cost, [7; 16]).unwrap();
        let (cheap, dear) = (imported(4).to_string(), imported(6).to_string());
        for hash in [None, Some(ours), Some(cheap), Some(dear)] {
            for password in ["right", "wrong"] {
                let checked = passwords.check_beside(Some(6), hash.clone(), password.to_owned());
                let right = checked.await.unwrap() != Checked::Wrong;
                assert_eq!(right, hash.is_some() && password == "right", "{hash:?}");
                let looked = passwords.0.looked.swap(0, Ordering::Relaxed);
                let rounds = passwords.0.rounds.swap(0, Ordering::Relaxed);
                assert_eq!((looked, rounds), (1, 1 << 6), "{hash:?} {password}");
            }
        }
        // Once the last is gone there is nothing to hide.
        let checked = passwords.check_beside(None, None, "right".to_owned());
        assert_eq!(checked.await.unwrap(), Checked::Wrong);
        assert_eq!(passwords.0.rounds.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_leaves_its_turn_taken_until_the_work_is_done() {
        let passwords = passwords(1);
        let free = || passwords.0.turns.available_permits();
        assert_eq!(free(), 2);
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (start, started) = tokio::sync::oneshot::channel();
        let caller = passwords.clone();
        let caller = tokio::spawn(async move {
            let work = move |_: &super::Inner| {
                start.send(()).unwrap();
                wait.recv().unwrap();
            };
            drop(caller.in_turn(work).await);
        });
        started.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert_eq!(
            free(),
            1,
            "or a thousand who hang up would have a thousand hashed at once"
        );
        assert!(passwords.0.waiting.available_permits() < 2 + super::WAITING_MAX);
        go.send(()).unwrap();
        drop(passwords.0.turns.acquire_many(2).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_no_hash_is_no_password() {
        let passwords = passwords(1);
        for hash in [
            "x",
            "$2",
            "$2b$99$x",
            "$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "$argon2id$v=19$m=64",
        ] {
            let checked = passwords.check_beside(Some(4), Some(hash.to_owned()), "x".to_owned());
            assert_eq!(checked.await.unwrap(), Checked::Wrong, "{hash}");
        }
    }
}
