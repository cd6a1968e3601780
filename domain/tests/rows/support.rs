//! Worlds to test in: a fresh store of each kind, and a client without workers.

use domain::accounts::store::{self as accounts, Account};
use domain::mirror::answers::{Answers, validate};
use domain::mirror::questions::{DEFAULT_SET, QuestionSet};
use domain::mirror::store::responses::{Submission, SubmitError, Submitted, submit_response};
use domain::mirror::store::surveys::{self, NewSurvey, Survey, slug};
use saga_core::client::Client;
use saga_core::db::{Db, Durability, Tx};
use saga_core::relay::Relay;
use saga_core::store::Store;
use saga_core::transport::{InProcess, Transport};
use serde_json::json;
use std::sync::Arc;
use testing::Fresh;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// A store with nothing in it, and what the API calls.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) client: Client,
    stop: CancellationToken,
    tracker: TaskTracker,
    fresh: Fresh,
}

/// Plays a test once on every database; says which are left out.
pub(crate) async fn on_each(test: impl AsyncFn(&World)) {
    for server in testing::servers() {
        let world = World::new(server).await;
        test(&world).await;
        world.end().await;
    }
}

impl World {
    async fn new(server: Option<String>) -> Self {
        let fresh = Fresh::on(server, "domain", 12).await;
        let db = fresh.db.clone();
        let store = Store::new(db.clone(), Arc::new(domain::catalog::kinds()));
        let transport = Transport::InProcess(InProcess::new(["synthesis", "image", "delivery"]));
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (relay, relaying) = Relay::new(store.clone(), transport);
        let (client, accepting) = Client::new(store, relay);
        tracker.spawn(relaying.run(stop.clone()));
        tracker.spawn(accepting);
        Self {
            db,
            client,
            stop,
            tracker,
            fresh,
        }
    }

    async fn end(self) {
        self.stop.cancel();
        drop(self.client);
        self.tracker.close();
        self.tracker.wait().await;
        self.fresh.end().await;
    }

    pub(crate) async fn begin(&self) -> Tx {
        self.db.begin(Durability::Full).await.unwrap()
    }

    pub(crate) async fn account(&self, email: &str) -> Account {
        let mut tx = self.begin().await;
        let account = accounts::find_or_create(&mut tx, Uuid::now_v7(), email, "Robin")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        account
    }

    pub(crate) async fn survey(&self, owner: &Account) -> Survey {
        let mut tx = self.begin().await;
        let survey = surveys::create(&mut tx, new_survey(owner)).await.unwrap();
        tx.commit().await.unwrap();
        survey
    }

    /// The survey as it is now.
    pub(crate) async fn again(&self, survey: &Survey) -> Survey {
        surveys::find(&self.db, survey.id).await.unwrap().unwrap()
    }

    pub(crate) async fn submit(
        &self,
        survey: Uuid,
        responder: u8,
    ) -> Result<Submitted, SubmitError> {
        let mut tx = self.begin().await;
        let submitted =
            submit_response(&mut tx, &self.client, submission(survey, responder)).await?;
        tx.commit().await.unwrap();
        Ok(submitted)
    }

    /// Changes rows in a way that only a test may.
    pub(crate) async fn force(&self, sql: &'static str, id: Uuid) {
        self.db.query(sql).bind(id).execute().await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.db.query(sql).scalar().await.unwrap()
    }
}

pub(crate) fn new_survey(owner: &Account) -> NewSurvey {
    let id = Uuid::now_v7();
    NewSurvey {
        id,
        owner_id: owner.id,
        slug: slug(id.as_bytes()[6..].try_into().unwrap()),
        title: Some("Who am I?".to_owned()),
        question_set_id: DEFAULT_SET.to_owned(),
        min_responses: 3,
    }
}

pub(crate) fn submission(survey: Uuid, responder: u8) -> Submission {
    Submission {
        id: Uuid::now_v7(),
        survey,
        answers: answers(responder % 5 + 1),
        responder_hash: [responder; 32],
        saga: Uuid::now_v7(),
        request_id: "test".to_owned(),
    }
}

pub(crate) fn answers(level: u8) -> Answers {
    let given = json!({"c1": level, "c2": 3, "i1": 4, "i2": level, "k1": 5, "k2": 5, "e1": 2, "e2": 1, "p1": "calmer", "w1": "warm, dry, kind"});
    validate(&QuestionSet::friends(), &given).unwrap()
}
