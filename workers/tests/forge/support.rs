//! Worlds to test in: a store, a folder for files, and workers.

use crate::friends::{friends, submission};
use crate::models::{Brush, Pen, Ruler};
use crate::wrapped::{Mischief, handlers};
use chorus_workers::Deps;
use chorus_workers::blobs::Blobs;
use domain::accounts::store as accounts;
use domain::mirror::archetype::Mode;
use domain::mirror::questions::DEFAULT_SET;
use domain::mirror::standing::PersonaStatus;
use domain::mirror::store::forges::{ForgeAgain, forge_again};
use domain::mirror::store::mine::{Mine, mine};
use domain::mirror::store::responses::submit_response;
use domain::mirror::store::surveys::{self, NewSurvey, Survey, slug};
use saga_core::client::Client;
use saga_core::db::{Db, Durability};
use saga_core::relay::Relay;
use saga_core::state::SagaState;
use saga_core::store::{Cancel, LetterFilter, NewSaga, Store};
use saga_core::sweeper::Sweeper;
use saga_core::transport::{InProcess, Names, RabbitMq, Transport};
use saga_core::worker::{Busy, Worker, WorkerSettings};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testing::Fresh;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

const QUEUES: [&str; 3] = ["synthesis", "image", "delivery"];

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) client: Client,
    pub(crate) blobs: Blobs,
    pub(crate) pen: Arc<Pen>,
    pub(crate) brush: Arc<Brush>,
    pub(crate) mischief: Mischief,
    ruler: Mutex<Option<Arc<Ruler>>>,
    pub(crate) fresh: Fresh,
    transport: Transport,
    relay: Relay,
    stop: CancellationToken,
    tracker: TaskTracker,
}

/// Plays a test once on every database; says which are left out.
pub(crate) async fn on_each(test: impl AsyncFn(&World)) {
    for server in testing::servers() {
        let world = World::new(server, None).await;
        test(&world).await;
        world.end().await;
    }
}

impl World {
    /// A fresh world; with the address of a broker and a prefix, tickets leave this process.
    pub(crate) async fn new(server: Option<String>, broker: Option<(&str, &str)>) -> Self {
        let fresh = Fresh::on(server, "forge", 8).await;
        let db = fresh.db.clone();
        let store = Store::new(db.clone(), Arc::new(domain::catalog::kinds()));
        let transport = match broker {
            None => Transport::InProcess(InProcess::new(QUEUES)),
            Some((url, prefix)) => {
                let queues = QUEUES.map(str::to_owned).to_vec();
                Transport::RabbitMq(RabbitMq::new(url, Names::under(prefix), "test", queues))
            }
        };
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (relay, relaying) = Relay::new(store.clone(), transport.clone());
        let (client, accepting) = Client::new(store.clone(), relay.clone());
        tracker.spawn(relaying.run(stop.clone()));
        tracker.spawn(accepting);
        tracker.spawn(transport.clone().run(store, stop.clone()));
        Self {
            db,
            client,
            blobs: Blobs::new(fresh.dir.path().join("media")),
            pen: Arc::default(),
            brush: Arc::default(),
            mischief: Mischief::default(),
            ruler: Mutex::default(),
            fresh,
            transport,
            relay,
            stop,
            tracker,
        }
    }

    /// Adds a worker for every queue.
    pub(crate) fn work(&self) {
        let deps = Deps {
            text: Arc::clone(&self.pen) as _,
            image: Arc::clone(&self.brush) as _,
            embed: self.ruler.lock().unwrap().clone().map(|ruler| ruler as _),
            blobs: self.blobs.clone(),
            public_base_url: "https://chorus.example".to_owned(),
        };
        let worker = Worker {
            store: self.client.store().clone(),
            handlers: Arc::new(handlers(&deps, &self.mischief)),
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

    /// Adds a sweeper with a store of its own, as every process with a worker has one.
    pub(crate) fn sweep(&self, store: Store) {
        let (relay, transport) = (self.relay.clone(), self.transport.clone());
        let sweeper = Sweeper::new(store, relay, transport, Duration::from_millis(40));
        self.tracker.spawn(sweeper.run(self.stop.clone()));
    }

    /// Has workers that are added from now on compare ideas by a model's vectors.
    pub(crate) fn measure(&self) -> Arc<Ruler> {
        let ruler = Arc::new(Ruler::default());
        *self.ruler.lock().unwrap() = Some(Arc::clone(&ruler));
        ruler
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        drop((self.client, self.relay));
        self.tracker.close();
        tokio::time::timeout(Duration::from_secs(20), self.tracker.wait())
            .await
            .expect("everything stops");
        self.fresh.end().await;
    }

    /// An owner with a survey.
    pub(crate) async fn survey(&self) -> Survey {
        self.survey_of("robin@example.org").await
    }

    pub(crate) async fn survey_of(&self, email: &str) -> Survey {
        let mut tx = self.db.begin(Durability::Full).await.unwrap();
        let owner = accounts::find_or_create(&mut tx, Uuid::now_v7(), email, "Robin")
            .await
            .unwrap();
        let id = Uuid::now_v7();
        let new = NewSurvey {
            id,
            owner_id: owner.id,
            slug: slug(id.as_bytes()[6..].try_into().unwrap()),
            title: None,
            question_set_id: DEFAULT_SET.to_owned(),
            min_responses: 3,
        };
        let survey = surveys::create(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        survey
    }

    pub(crate) async fn answer(
        &self,
        survey: &Survey,
        responder: u8,
        answers: &Value,
    ) -> Option<Uuid> {
        let submission = submission(survey, responder, answers);
        let mut tx = self.db.begin(Durability::Full).await.unwrap();
        let submitted = submit_response(&mut tx, &self.client, submission)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.client.publish(submitted.tickets);
        submitted.forge
    }

    /// Three friends answer, the third of whom is refused: in which words.
    pub(crate) async fn refused_third(&self, survey: &Survey) -> String {
        for responder in 1..=2 {
            let answers = friends().into_iter().next().unwrap();
            assert_eq!(self.answer(survey, responder, &answers).await, None);
        }
        let answers = friends().into_iter().next().unwrap();
        let mut tx = self.db.begin(Durability::Full).await.unwrap();
        let third = submission(survey, 3, &answers);
        let refused = submit_response(&mut tx, &self.client, third).await;
        refused.unwrap_err().to_string()
    }

    /// Three friends answer: the forge that this starts.
    pub(crate) async fn three_answers(&self, survey: &Survey) -> Uuid {
        let mut forge = None;
        for (responder, answers) in (1..).zip(friends()) {
            forge = self.answer(survey, responder, &answers).await.or(forge);
        }
        forge.expect("the third answer starts the forge")
    }

    pub(crate) async fn forge_again(&self, survey: &Survey) -> Uuid {
        let wish = ForgeAgain {
            saga: Uuid::now_v7(),
            owner: survey.owner_id,
            survey: None,
            mode: Mode::Fated,
            archetype: None,
            request_id: "test".to_owned(),
        };
        let mut tx = self.db.begin(Durability::Full).await.unwrap();
        let (started, tickets) = forge_again(&mut tx, &self.client, wish).await.unwrap();
        tx.commit().await.unwrap();
        self.client.publish(tickets);
        started.id
    }

    pub(crate) async fn start(&self, kind: &str) -> Uuid {
        self.start_of(kind, json!({}), None).await
    }

    /// Begins to erase an account.
    pub(crate) async fn erase(&self, account: Uuid) -> Uuid {
        let input = json!({"account": account});
        self.start_of("account.erase", input, Some(account)).await
    }

    pub(crate) async fn start_of(&self, kind: &str, input: Value, owner: Option<Uuid>) -> Uuid {
        let new = NewSaga {
            id: Uuid::now_v7(),
            kind: kind.to_owned(),
            input,
            owner_id: owner,
            request_id: "test".to_owned(),
            trace: None,
            singleton: None,
            replay_of: None,
        };
        self.client.start(new).await.unwrap().id
    }

    pub(crate) async fn mine(&self, survey: &Survey) -> Mine {
        mine(&self.db, survey.owner_id).await.unwrap().unwrap()
    }

    pub(crate) async fn again(&self, survey: &Survey) -> Survey {
        surveys::find(&self.db, survey.id).await.unwrap().unwrap()
    }

    pub(crate) async fn state(&self, saga: Uuid) -> SagaState {
        self.client.store().view(&[saga]).await.unwrap()[&saga]
            .saga
            .state
    }

    pub(crate) async fn until(&self, saga: Uuid, state: SagaState) {
        let began = Instant::now();
        while self.state(saga).await != state {
            if began.elapsed() > Duration::from_secs(20) {
                let run = self.client.store().view(&[saga]).await.unwrap();
                panic!(
                    "{}: gave up waiting until {saga} is {state:?}: {run:#?}",
                    self.db.name()
                );
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Every status that an owner who polls sees, up to `last`.
    pub(crate) async fn statuses_until(
        &self,
        survey: &Survey,
        last: PersonaStatus,
    ) -> Vec<PersonaStatus> {
        let (mut seen, began) = (vec![], Instant::now());
        loop {
            let status = self.mine(survey).await.standing.status;
            if seen.last() != Some(&status) {
                seen.push(status);
            }
            if status == last {
                return seen;
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "gave up waiting for {last:?}: {seen:?}"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The one open letter.
    pub(crate) async fn letter(&self) -> saga_core::store::Letter {
        let filter = LetterFilter {
            state: Some("open".to_owned()),
            limit: 10,
            ..LetterFilter::default()
        };
        let mut letters = self.client.store().letters(&filter).await.unwrap();
        assert_eq!(letters.len(), 1, "{letters:#?}");
        letters.remove(0)
    }

    pub(crate) async fn replay(&self) {
        let (_, tickets) = self
            .client
            .store()
            .replay(self.letter().await.id, "test", "mended")
            .await
            .unwrap();
        self.client.publish(tickets);
    }

    pub(crate) async fn discard(&self) {
        let tickets = self
            .client
            .store()
            .discard(self.letter().await.id, "test", "hopeless")
            .await
            .unwrap();
        self.client.publish(tickets);
    }

    pub(crate) async fn cancel(&self, saga: Uuid) {
        let cancel = Cancel {
            by: "test",
            actor: "test",
            reason: "",
        };
        let (_, tickets) = self.client.store().cancel(saga, &cancel).await.unwrap();
        self.client.publish(tickets);
    }

    /// The sagas that this one began.
    pub(crate) async fn children(&self, saga: Uuid) -> Vec<Uuid> {
        let children = self
            .db
            .query("SELECT id FROM sagas WHERE parent_id = $1 ORDER BY id")
            .bind(saga);
        let rows: Vec<(Uuid,)> = children.all().await.unwrap();
        rows.into_iter().map(|(id,)| id).collect()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.db.query(sql).scalar().await.unwrap()
    }

    /// Every file below the media folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = vec![];
        let Ok(folders) = std::fs::read_dir(self.fresh.dir.path().join("media")) else {
            return files;
        };
        for folder in folders {
            let folder = folder.unwrap().path();
            for file in std::fs::read_dir(&folder).unwrap() {
                files.push(file.unwrap().file_name().into_string().unwrap());
            }
        }
        files.sort();
        files
    }

    /// Nothing of a forge is left, and another can begin.
    pub(crate) async fn assert_unwound(&self, survey: &Survey, why: &str) {
        let why = format!("{}: {why}", self.db.name());
        assert_eq!(
            self.count("SELECT count(*) FROM personas").await,
            0,
            "{why}"
        );
        assert_eq!(self.count("SELECT count(*) FROM media").await, 0, "{why}");
        assert_eq!(self.files(), Vec::<String>::new(), "{why}");
        assert_eq!(
            self.again(survey).await.status,
            surveys::SurveyStatus::Ready,
            "{why}"
        );
    }
}
