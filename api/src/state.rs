//! Everything that handlers share. Cheap to clone.

use crate::auth::passwords::Passwords;
use crate::auth::{Door, Issuers};
use crate::feed::Feed;
use crate::idempotency::InFlight;
use crate::jobs::Jobs;
use crate::problem::Problem;
use crate::rate::Limiter;
use crate::rate::streams::{Place, Streams};
use crate::reference::Reference;
use crate::server::crowd::Crowd;
use crate::settings::ApiSettings;
use crate::token::{Verifier, WeakSecret};
use process::Probe;
use process::settings::Scope;
use saga_core::Store;
use saga_core::client::Client;
use saga_core::db::{Db, Durability, Tx};
use std::sync::{Arc, OnceLock};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Everything that handlers share.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    client: Client,
    settings: ApiSettings,
    door: Door,
    jobs: Jobs,
    feed: Feed,
    in_flight: InFlight,
    passwords: Passwords,
    limiter: Limiter,
    crowd: Crowd,
    streams: Streams,
    probe: Probe,
    reference: OnceLock<Reference>,
    closing: CancellationToken,
}

/// Why there can be no API with these settings.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Its tokens could be guessed.
    #[error("the secret of tokens is too short")]
    Secret(#[from] WeakSecret),
    /// There is no Redis to be asked at this address.
    #[error("REDIS_URL cannot be used")]
    Redis(#[from] redis::RedisError),
    /// Issuers could not be asked.
    #[error("no client for issuers' keys")]
    Issuers(#[from] reqwest::Error),
    /// Passwords could not be hashed.
    #[error("the cost of passwords is out of bounds: {0}")]
    Passwords(argon2::Error),
}

impl From<argon2::Error> for StateError {
    fn from(error: argon2::Error) -> Self {
        Self::Passwords(error)
    }
}

impl State {
    /// The state of one API. It spawns the loops that jobs and events are read and watched by; they end with
    /// [`crate::serve`], and with the last clone. `probe` tells what `/readyz` and `/health` answer.
    pub fn new(client: Client, settings: ApiSettings, probe: Probe) -> Result<Self, StateError> {
        let sign_in = &settings.sign_in;
        let door = Door::new(
            client.store().db().clone(),
            Verifier::new(settings.jwt_secret.reveal().as_bytes())?,
            Issuers::of(sign_in)?,
            settings.pepper.clone(),
            sign_in.bootstrap_key.as_ref(),
        );
        let passwords = Passwords::new(sign_in.cost)?;
        let pepper = settings.pepper.clone();
        let limiter = Limiter::new(&settings.rates, settings.shared_rates.as_ref(), pepper)?;
        let crowd = Crowd::new(settings.connections_per_address);
        let closing = CancellationToken::new();
        let jobs = Jobs::start(client.store().clone(), closing.clone());
        let (feed, looks) = Feed::start(client.store().db().clone(), closing.clone());
        TaskTracker::new().spawn(looks);
        let in_flight = InFlight::default();
        Ok(Self(Arc::new(Inner {
            client,
            settings,
            door,
            jobs,
            feed,
            in_flight,
            passwords,
            limiter,
            crowd,
            streams: Streams::default(),
            probe,
            reference: OnceLock::new(),
            closing,
        })))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }
    pub(crate) fn store(&self) -> &Store {
        self.0.client.store()
    }
    pub(crate) fn db(&self) -> &Db {
        self.store().db()
    }
    pub(crate) fn settings(&self) -> &ApiSettings {
        &self.0.settings
    }
    pub(crate) fn door(&self) -> &Door {
        &self.0.door
    }
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }
    pub(crate) fn feed(&self) -> &Feed {
        &self.0.feed
    }
    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }
    /// The document and its pages, made when somebody first asks.
    pub(crate) fn reference(&self) -> &Reference {
        let made = || Reference::new(&self.0.settings.public_url);
        self.0.reference.get_or_init(made)
    }
    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.0.crowd
    }
    /// A place for another stream of an account, where their number has a limit.
    pub(crate) fn place(&self, account: Uuid) -> Result<Option<Place>, Problem> {
        let limited = self.limiter().counts(Scope::Streams);
        limited.then(|| self.0.streams.enter(account)).transpose()
    }
    pub(crate) fn probe(&self) -> &Probe {
        &self.0.probe
    }
    /// Cancelled when the server begins to stop: what would last must end.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }
    /// Begins a command's transaction: once it is committed, it survives the power cord.
    pub(crate) async fn begin(&self) -> sqlx::Result<Tx> {
        self.db().begin(Durability::Full).await
    }
}
