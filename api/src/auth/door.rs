//! Recognises callers, and remembers for seconds what the store said of them.

use super::caller::{By, Caller};
use super::credentials::Credentials;
use super::issuers::{Issuers, Refused, Stated};
use super::secrets;
use crate::keyed;
use crate::problem::{Code, Problem};
use crate::token::{Rejected, Verified, Verifier};
use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::identities::{self, Identity};
use domain::accounts::permissions::{Granted, of_scopes};
use domain::accounts::store::{self, Account};
use domain::accounts::{erased_identities, keys, roles, sessions};
use moka::future::Cache;
use process::Secret;
use saga_core::db::{Db, Durability};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Tokens whose signature need not be checked again.
const KNOWN_MAX: u64 = 10_000;
const KNOWN_FOR: Duration = Duration::from_mins(10);
/// How long what the store said of a caller is taken as it was. A session that ends, a role that goes, an
/// account that is disabled: in the process where that was decided it counts at once, in others after this.
const STANDING_FOR: Duration = Duration::from_secs(2);
/// How exactly the last use of a session or a key is noted.
const USED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// Recognises callers by what they show.
pub(crate) struct Door {
    db: Db,
    verifier: Verifier,
    issuers: Issuers,
    pepper: Secret,
    bootstrap: Option<[u8; 32]>,
    known: Cache<[u8; 32], Said>,
    standing: Cache<Who, Arc<Caller>>,
}

/// What a token says, its signature being good.
#[derive(Clone)]
enum Said {
    Ours(Verified),
    Theirs(Arc<Stated>),
}

/// Of whom the store is asked.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    Session(Uuid),
    Identity(String, String),
    Key([u8; 32]),
}

impl Door {
    pub(crate) fn new(
        db: Db,
        verifier: Verifier,
        issuers: Issuers,
        pepper: Secret,
        bootstrap: Option<&Secret>,
    ) -> Self {
        Self {
            db,
            verifier,
            issuers,
            pepper,
            bootstrap: bootstrap.map(|key| secrets::hash(key.reveal())),
            known: remembering(KNOWN_FOR),
            standing: remembering(STANDING_FOR),
        }
    }

    /// The issuers whose tokens are believed.
    pub(crate) fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Forgets what the store said of a session that has ended.
    pub(crate) async fn forget(&self, session: Uuid) {
        self.standing.invalidate(&Who::Session(session)).await;
    }

    /// Forgets what the store said of everybody: an admin decided something that must count at once.
    pub(crate) fn look_again(&self) {
        self.standing.invalidate_all();
    }

    /// Who calls.
    pub(crate) async fn recognise(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
        match Credentials::of(headers)? {
            Credentials::Bearer(token) => self.of_token(token).await,
            Credentials::ApiKey(key) => self.of_key(key).await,
        }
    }

    async fn of_token(&self, token: &str) -> Result<Arc<Caller>, Problem> {
        let now = Utc::now();
        // Only its hash is kept: a copy of this process's memory is no bunch of keys.
        let hash = secrets::hash(token);
        let said = if let Some(said) = self.known.get(&hash).await {
            said
        } else {
            let said = self.check(token, now).await?;
            self.known.insert(hash, said.clone()).await;
            said
        };
        if now >= said.until() {
            return Err(expired());
        }
        let (who, loading) = match said {
            Said::Ours(verified) => (Who::Session(verified.session), Said::Ours(verified)),
            Said::Theirs(stated) => {
                let identity = &stated.identity;
                let who = Who::Identity(identity.issuer.clone(), identity.subject.clone());
                (who, Said::Theirs(stated))
            }
        };
        let load = async {
            match &loading {
                Said::Ours(verified) => self.session(verified, now).await,
                Said::Theirs(stated) => self.identity(stated).await,
            }
        };
        self.standing(who, load).await
    }

    async fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Said, Problem> {
        if let Some(checked) = self.issuers.opens(token, now).await {
            let stated = checked.map_err(refused)?;
            return Ok(Said::Theirs(Arc::new(stated)));
        }
        let verified = self.verifier.verify(token, now).map_err(rejected)?;
        Ok(Said::Ours(verified))
    }

    async fn of_key(&self, key: &str) -> Result<Arc<Caller>, Problem> {
        let hash = secrets::hash(key);
        if self
            .bootstrap
            .is_some_and(|ours| secrets::same(&ours, &hash))
        {
            return Ok(Arc::new(bootstrap()));
        }
        let prefix = secrets::prefix(key).ok_or_else(no_key)?;
        self.standing(Who::Key(hash), self.key(prefix, hash)).await
    }

    /// What is known of them, or else what the store says; of many who ask at once, one does.
    async fn standing(
        &self,
        who: Who,
        load: impl Future<Output = Result<Arc<Caller>, Problem>>,
    ) -> Result<Arc<Caller>, Problem> {
        if let Some(caller) = self.standing.get(&who).await {
            return Ok(caller); // the usual case, without what it takes to be the only one who asks
        }
        let found = self.standing.try_get_with(who, load).await;
        found.map_err(|problem| (*problem).clone())
    }

    async fn session(&self, token: &Verified, now: DateTime<Utc>) -> Result<Arc<Caller>, Problem> {
        let id = token.session;
        let found = sessions::standing(&self.db, id).await?;
        let standing = found
            .filter(|found| found.account_id == token.account && found.revoked_at.is_none())
            .ok_or_else(over)?;
        if standing.expires_at <= now {
            return Err(expired());
        }
        enabled(standing.disabled_at)?;
        let rights = if standing.own_roles {
            roles::of_session(&self.db, id).await?
        } else {
            roles::of_account(&self.db, standing.account_id).await?
        };
        if now - standing.last_used_at > USED_EVERY {
            noted(sessions::used(&self.db, id, now).await);
        }
        Ok(Arc::new(Caller {
            by: By::Session(id),
            account: Some(standing.account_id),
            email: store::address(&standing.email).map(str::to_owned),
            roles: rights.roles,
            rights: rights.permissions,
            bounds: None,
        }))
    }

    async fn identity(&self, stated: &Stated) -> Result<Arc<Caller>, Problem> {
        let account = match self.known_to(stated).await? {
            Some(account) => account,
            None if self.was_erased(stated).await? => return Err(gone()),
            None => self.account_of(stated).await?,
        };
        let rights = roles::of_account(&self.db, account.id).await?;
        Ok(Arc::new(Caller {
            by: By::Issuer,
            account: Some(account.id),
            email: account.address().map(str::to_owned),
            roles: rights.roles,
            rights: rights.permissions,
            bounds: None,
        }))
    }

    /// The account of whoever an issuer's token speaks for; made, if they are new.
    pub(crate) async fn account_of(&self, stated: &Stated) -> Result<Account, Problem> {
        if let Some(account) = self.known_to(stated).await? {
            return Ok(account);
        }
        let mut tx = self.db.begin(Durability::Full).await?;
        let made = identities::find_or_create(&mut tx, Uuid::now_v7(), &stated.identity).await?;
        tx.commit().await?;
        enabled(made.disabled_at)?;
        Ok(made)
    }

    async fn known_to(&self, stated: &Stated) -> Result<Option<Account>, Problem> {
        let Identity {
            issuer, subject, ..
        } = &stated.identity;
        let found = identities::find(&self.db, issuer, subject).await?;
        if let Some(account) = &found {
            enabled(account.disabled_at)?;
        }
        Ok(found)
    }

    /// Whether they had their account erased a while ago. Their token may outlive it by a day, and what a page
    /// in a forgotten tab asks with it is no wish for another account.
    async fn was_erased(&self, stated: &Stated) -> Result<bool, Problem> {
        let identity = &stated.identity;
        let hash = self.identity_hash(&identity.issuer, &identity.subject);
        Ok(erased_identities::is_known(&self.db, hash).await?)
    }

    /// What is kept of an identity whose account is erased.
    pub(crate) fn identity_hash(&self, issuer: &str, subject: &str) -> [u8; 32] {
        let parts = [issuer.as_bytes(), subject.as_bytes()];
        keyed::hash(&self.pepper, "erased identity", &parts)
    }

    async fn key(&self, prefix: &str, hash: [u8; 32]) -> Result<Arc<Caller>, Problem> {
        let now = Utc::now();
        let found = keys::shown(&self.db, prefix).await?;
        let key = found
            .filter(|key| secrets::same(&key.key_hash, &hash) && key.revoked_at.is_none())
            .filter(|key| key.expires_at.is_none_or(|expires| expires > now))
            .ok_or_else(no_key)?;
        enabled(key.disabled_at)?;
        let rights = roles::of_account(&self.db, key.account_id).await?;
        if key.last_used_at.is_none_or(|used| now - used > USED_EVERY) {
            noted(keys::used(&self.db, key.id, now).await);
        }
        Ok(Arc::new(Caller {
            by: By::Key(prefix.to_owned()),
            account: Some(key.account_id),
            email: store::address(&key.email).map(str::to_owned),
            roles: rights.roles,
            rights: rights.permissions,
            bounds: Some(of_scopes(key.scopes.split(' '))),
        }))
    }
}

impl Said {
    fn until(&self) -> DateTime<Utc> {
        match self {
            Self::Ours(verified) => verified.until,
            Self::Theirs(stated) => stated.until,
        }
    }
}

fn remembering<K, V>(life: Duration) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(KNOWN_MAX)
        .time_to_live(life)
        .build()
}

/// What the key of the settings is for: the first accounts and keys, and the rounds of an older script.
fn bootstrap() -> Caller {
    let may = [
        "accounts.read",
        "accounts.write",
        "keys.read",
        "keys.write",
        "rounds.start",
    ];
    Caller {
        by: By::Bootstrap,
        account: None,
        email: None,
        roles: vec![],
        rights: may.into_iter().map(Granted::all).collect(),
        bounds: None,
    }
}

/// That a use could not be noted is no reason to turn anybody away.
fn noted(done: sqlx::Result<()>) {
    if let Err(error) = done {
        tracing::debug!(%error, "The use of a session or key could not be noted");
    }
}

fn enabled(disabled_at: Option<DateTime<Utc>>) -> Result<(), Problem> {
    match disabled_at {
        None => Ok(()),
        Some(_) => Err(disabled()),
    }
}

/// Answers whoever may do nothing any more.
pub(crate) fn disabled() -> Problem {
    let how = "The account is disabled; ask whoever looks after this server.";
    Problem::new(Code::AccountDisabled, how)
}

fn gone() -> Problem {
    let how = "This account was erased, as its owner asked; sign in by /auth/* to have another.";
    Problem::new(Code::InvalidToken, how)
}

fn no_key() -> Problem {
    let how = "The key is none of ours, or over; ask an admin for another.";
    Problem::new(Code::InvalidApiKey, how)
}

fn over() -> Problem {
    Problem::new(
        Code::InvalidToken,
        "The session of this token is over; sign in again.",
    )
}

fn expired() -> Problem {
    rejected(Rejected::Expired)
}

fn rejected(why: Rejected) -> Problem {
    match why {
        Rejected::Invalid => Problem::new(
            Code::InvalidToken,
            "The token is none of ours; get a new one.",
        ),
        Rejected::Expired => Problem::new(
            Code::TokenExpired,
            "Tokens live for 24 hours at most; get a new one.",
        ),
    }
}

/// Answers whoever shows an issuer's token that does not do.
pub(crate) fn refused(why: Refused) -> Problem {
    match why {
        Refused::Invalid => Problem::new(
            Code::InvalidToken,
            "The token is not one of this issuer's for us; get a new one.",
        ),
        Refused::Expired => Problem::new(
            Code::TokenExpired,
            "The issuer's token has expired; get a new one.",
        ),
        Refused::Away => Problem::new(
            Code::Unavailable,
            "The issuer does not answer, so its tokens cannot be checked; try again in a moment.",
        )
        .retry_after(10),
    }
}
