//! Whole applications to test: a fresh store, workers when wanted, and the API over real HTTP.

use crate::canaries::Canaries;
use crate::people::Newcomers;
use crate::sagas::{Gatekeeper, kinds};
use chorus_api::{ApiSettings, Origins, Patience, State};
use chorus_workers::Deps;
use chorus_workers::blobs::Blobs;
use chorus_workers::providers::{TextModel, local};
use process::settings::{PasswordCost, Proxies, Rates, SignIn};
use process::{Probe, Secret};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use saga_core::client::Client;
use saga_core::relay::Relay;
use saga_core::store::Store;
use saga_core::transport::{InProcess, Transport};
use saga_core::worker::{Busy, Worker, WorkerSettings};
use saga_core::{Price, Prices};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testing::Fresh;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

const MEDIA: &str = "media";
const QUEUES: [&str; 3] = ["synthesis", "image", "delivery"];
/// Ready steps of one queue; only who looks at the depths turns anybody away.
pub(crate) const DEPTH_MAX: u64 = 3;
const PEPPER: &str = "a pepper that only tests have";
/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct App {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) store: Store,
    pub(crate) gate: Gatekeeper,
    pub(crate) secret: String,
    /// Stops the API alone.
    pub(crate) closing: CancellationToken,
    newcomers: Newcomers,
    canaries: Canaries,
    settings: ApiSettings,
    client: Client,
    relay: Relay,
    transport: Transport,
    stop: CancellationToken,
    serving: TaskTracker,
    tracker: TaskTracker,
    fresh: Fresh,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) account: Uuid,
    pub(crate) token: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The same, if its status is this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }
    /// The same, if it is this problem.
    #[track_caller]
    pub(crate) fn is_problem(self, status: u16, code: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.body["code"], code, "{answer:#?}");
        answer
    }
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {self:#?}"));
        value.to_str().unwrap()
    }
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}: {self:#?}"))
            .to_owned()
    }
    #[track_caller]
    pub(crate) fn id(&self) -> Uuid {
        self.text("id").parse().unwrap()
    }
}

/// Plays a test once on every database; says which are left out.
pub(crate) async fn on_each(test: impl AsyncFn(&App)) {
    for server in testing::servers() {
        let app = App::new(server, |_| {}).await;
        test(&app).await;
        app.end().await;
    }
}

impl App {
    pub(crate) async fn new(server: Option<String>, adjust: impl FnOnce(&mut ApiSettings)) -> Self {
        crate::log::keep();
        let fresh = Fresh::on(server, "api", 8).await;
        let price = Price {
            input: 1_000_000,
            output: 1_000_000,
            image: 0,
        };
        let prices = Prices::default()
            .free(local::PROVIDER)
            .with("openai", "priced", price)
            .with("openai", "unwilling", price);
        let store = Store::new(fresh.db.clone(), Arc::new(kinds())).with_prices(prices);
        let store = store.with_depth_max(DEPTH_MAX);
        let transport = Transport::InProcess(InProcess::new(QUEUES));
        let (stop, tracker, serving) = (
            CancellationToken::new(),
            TaskTracker::new(),
            TaskTracker::new(),
        );
        let (relay, relaying) = Relay::new(store.clone(), transport.clone());
        let (client, accepting) = Client::new(store.clone(), relay.clone());
        tracker.spawn(relaying.run(stop.clone()));
        tracker.spawn(accepting);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let secret = "a secret of tests, of forty bytes or so..".to_owned();
        let mut settings = ApiSettings {
            jwt_secret: Secret::new(&secret),
            pepper: Secret::new(PEPPER),
            public_url: base.clone(),
            media_dir: fresh.dir.path().join(MEDIA),
            demo_kinds: true,
            metrics_token: None,
            origins: Origins::None,
            sign_in: SignIn {
                plain_http: true,
                cost: PasswordCost {
                    memory_kib: 64,
                    passes: 1,
                    at_once: 2,
                },
                ..SignIn::default()
            },
            proxies: Proxies::default(),
            rates: Rates::off(),
            shared_rates: None,
            connections_per_address: None,
            patience: Patience::default(),
        };
        adjust(&mut settings);
        let closing = CancellationToken::new();
        let probe = Probe::new(closing.clone());
        tracker.spawn(
            probe
                .clone()
                .run(store.clone(), transport.clone(), stop.clone()),
        );
        let state = State::new(client.clone(), settings.clone(), probe).unwrap();
        let ended = closing.clone();
        serving.spawn(async move { chorus_api::serve(listener, state, ended).await.unwrap() });
        let (http, gate) = (reqwest::Client::new(), Gatekeeper::default());
        Self {
            base,
            http,
            store,
            gate,
            secret,
            closing,
            newcomers: Newcomers::default(),
            canaries: Canaries::of([PEPPER, settings.jwt_secret.reveal()]),
            settings,
            client,
            relay,
            transport,
            stop,
            serving,
            tracker,
            fresh,
        }
    }

    /// Adds a worker for every queue.
    pub(crate) fn work(&self) {
        self.work_with(Arc::new(local::Writer));
    }

    /// As [`App::work`], with somebody else who writes.
    pub(crate) fn work_with(&self, text: Arc<dyn TextModel>) {
        let deps = Deps {
            text,
            image: Arc::new(local::Painter),
            embed: None,
            blobs: Blobs::new(self.media_dir()),
            public_base_url: "https://chorus.example".to_owned(),
        };
        let worker = Worker {
            store: self.store.clone(),
            handlers: Arc::new(self.gate.handlers(chorus_workers::handlers(&deps))),
            transport: self.transport.clone(),
            relay: self.relay.clone(),
            settings: WorkerSettings {
                sweep: Duration::from_millis(40),
                drain: Duration::from_secs(5),
                ..WorkerSettings::new("test", QUEUES.map(str::to_owned).to_vec())
            },
            busy: Busy::default(),
        };
        self.tracker.spawn(worker.run(self.stop.clone()));
    }

    /// Serves the same store a second time, as another process would; tells where.
    pub(crate) async fn serve_again(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let settings = self.settings.clone();
        let probe = Probe::new(self.closing.clone());
        let state = State::new(self.client.clone(), settings, probe).unwrap();
        let ended = self.closing.clone();
        self.serving
            .spawn(async move { chorus_api::serve(listener, state, ended).await.unwrap() });
        base
    }

    /// Stops the API and waits until it has.
    pub(crate) async fn stop_serving(&self) {
        self.closing.cancel();
        self.serving.close();
        tokio::time::timeout(PATIENCE, self.serving.wait())
            .await
            .expect("the API stops");
    }

    /// Where pictures are kept.
    pub(crate) fn media_dir(&self) -> std::path::PathBuf {
        self.fresh.dir.path().join(MEDIA)
    }

    pub(crate) async fn end(self) {
        self.stop_serving().await;
        self.stop.cancel();
        drop((self.client, self.relay));
        self.tracker.close();
        tokio::time::timeout(PATIENCE, self.tracker.wait())
            .await
            .expect("everything stops");
        self.canaries.are_not_in(&crate::log::kept());
        self.fresh.end().await;
    }

    /// Somebody new, with a session. They are written down when the next request is sent.
    pub(crate) fn person(&self, roles: &[&str]) -> Person {
        self.newcomers.person(&self.secret, roles)
    }

    /// Writes down whoever is new: before a request that goes past [`App::send`].
    pub(crate) async fn settle(&self) {
        self.newcomers.settle(self.store.db()).await;
    }

    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        by: Option<&Person>,
    ) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match by {
            Some(person) => request.bearer_auth(&person.token),
            None => request,
        }
    }

    /// Sends it. Every refusal must be a problem, and everything must have a request id.
    #[track_caller]
    pub(crate) fn send(
        &self,
        request: RequestBuilder,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let (http, request) = request.build_split();
        let request = request.unwrap();
        let (sent, newcomers) = (self.canaries.sent(&request), self.newcomers.clone());
        let (request, canaries) = (http.execute(request), self.canaries.clone());
        let db = self.store.db().clone();
        async move {
            newcomers.settle(&db).await;
            let response = request.await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let bytes = response.bytes().await.unwrap();
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let answer = Answer {
                status,
                headers,
                body,
            };
            assert!(!answer.header("x-request-id").is_empty());
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; "), "{policy}");
            // Health has a body of its own, whatever it says.
            if status.as_u16() >= 400 && answer.body["service"] != "chorus" {
                assert_eq!(
                    answer.header("content-type"),
                    "application/problem+json",
                    "{answer:#?}"
                );
                assert_eq!(answer.body["status"], status.as_u16());
                assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
                sent.are_not_in(&String::from_utf8_lossy(&bytes));
                for member in ["type", "title", "detail", "instance", "code", "retryable"] {
                    assert!(!answer.body[member].is_null(), "{member}: {answer:#?}");
                }
            }
            canaries.given(&answer.body);
            answer
        }
    }

    pub(crate) async fn get(&self, path: &str, by: &Person) -> Answer {
        self.send(self.request(Method::GET, path, Some(by))).await
    }
    pub(crate) async fn post(&self, path: &str, by: &Person, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path, Some(by)).json(body))
            .await
    }

    /// Starts a job.
    pub(crate) async fn start(&self, kind: &str, by: &Person) -> Uuid {
        self.post("/api/v1/jobs", by, &json!({"kind": kind}))
            .await
            .is(202)
            .id()
    }

    /// Asks until the answer is as it should be.
    pub(crate) async fn until(
        &self,
        path: &str,
        by: &Person,
        ready: impl Fn(&Answer) -> bool,
    ) -> Answer {
        let began = Instant::now();
        loop {
            let answer = self.get(path, by).await;
            if ready(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "gave up waiting: {answer:#?}");
            tokio::task::yield_now().await;
        }
    }

    /// Asks until the job has this status.
    pub(crate) async fn until_status(&self, job: Uuid, by: &Person, status: &str) -> Answer {
        self.until(&format!("/api/v1/jobs/{job}"), by, |answer| {
            answer.body["status"] == status
        })
        .await
    }
}

/// Answers of a friend.
pub(crate) fn answers() -> Value {
    json!({
        "c1": 4, "c2": 3, "i1": 4, "i2": 5, "k1": 5, "k2": 5, "e1": 2, "e2": 1,
        "p1": "calmer", "g1": "listener", "w1": "loyal, funny, stubborn",
        "h1": "Terrible puns, delivered completely deadpan.",
        "m1": "The voice notes on my walk to work."
    })
}
