//! Who does the deeds of this suite: by rule, and noting every attempt.

use crate::sagas::{Deed, FarDeed, NearDeed, TakeBack};
use saga_core::db::Tx;
use saga_core::{
    Handler, Handlers, Provider, Reach, RecordOf, Reply, StepContext, StepError, Usage,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// How a deed goes, by its name and attempt.
type Behaviour = Arc<dyn Fn(&str, i64) -> Result<(), StepError> + Send + Sync>;
/// How the writing of its row goes, by the row.
type Recording = Arc<dyn Fn(&str) -> Result<(), StepError> + Send + Sync>;

/// Does deeds: by rule, and noting every attempt.
#[derive(Clone)]
pub(crate) struct Doer {
    behaviour: Behaviour,
    recording: Recording,
    held: watch::Sender<BTreeSet<String>>,
    attempts: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Doer {
    pub(crate) fn new(
        behaviour: impl Fn(&str, i64) -> Result<(), StepError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            behaviour: Arc::new(behaviour),
            recording: Arc::new(|_| Ok(())),
            held: watch::Sender::default(),
            attempts: Arc::default(),
        }
    }

    /// Everything goes well.
    pub(crate) fn well() -> Self {
        Self::new(|_, _| Ok(()))
    }

    /// What is named here fails for good, as long as it is named.
    pub(crate) fn without(broken: &'static str) -> (Self, Broken) {
        let out = Broken(Arc::new(Mutex::new(broken)));
        let seen = out.clone();
        let behaviour = move |what: &str, _| {
            if what == *seen.0.lock().unwrap() {
                Err(StepError::fail("broken"))
            } else {
                Ok(())
            }
        };
        (Self::new(behaviour), out)
    }

    /// As it is, but rows are written by this rule.
    pub(crate) fn recording(
        self,
        recording: impl Fn(&str) -> Result<(), StepError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            recording: Arc::new(recording),
            ..self
        }
    }

    /// From now on whoever begins this deed stays at it.
    pub(crate) fn hold(&self, what: &str) {
        self.held.send_modify(|held| held.extend([what.to_owned()]));
    }

    /// Lets everybody go on.
    pub(crate) fn let_go(&self) {
        self.held.send_modify(BTreeSet::clear);
    }

    async fn go(&self, verb: &str, name: &str, cx: &StepContext) -> Result<String, StepError> {
        let what = format!("{verb} {name}");
        self.count(&what);
        let mut held = self.held.subscribe();
        drop(held.wait_for(|held| !held.contains(&what)).await);
        (self.behaviour)(&what, cx.attempt)?;
        Ok(name.to_owned())
    }

    fn count(&self, what: &str) {
        let mut attempts = self.attempts.lock().unwrap();
        *attempts.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn attempted(&self, what: &str) -> u32 {
        self.attempts
            .lock()
            .unwrap()
            .get(what)
            .copied()
            .unwrap_or(0)
    }

    pub(crate) fn handlers(&self) -> Handlers {
        Handlers::default()
            .with::<Deed>(self.clone())
            .with::<FarDeed>(self.clone())
            .with::<NearDeed>(self.clone())
            .with::<TakeBack>(self.clone())
    }

    async fn note(
        &self,
        verb: &str,
        output: String,
        of: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        let row = format!("{verb} {output}");
        tx.query("INSERT INTO test_effects (saga_id, name) VALUES ($1, $2)")
            .bind(of.saga)
            .bind(row.clone())
            .execute()
            .await
            .map_err(StepError::retry)?;
        (self.recording)(&row)
    }
}

/// See [`Doer::without`].
#[derive(Clone)]
pub(crate) struct Broken(Arc<Mutex<&'static str>>);

impl Broken {
    /// From now on nothing fails.
    pub(crate) fn mend(&self) {
        self.now("");
    }
    /// From now on this fails, and nothing else.
    pub(crate) fn now(&self, what: &'static str) {
        *self.0.lock().unwrap() = what;
    }
}

impl Handler<Deed> for Doer {
    async fn run(&self, step: Deed, cx: &StepContext) -> Result<String, StepError> {
        self.go("do", &step.name, cx).await
    }
    async fn record(&self, output: String, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        self.note("did", output, of, tx).await
    }
}
impl Handler<FarDeed> for Doer {
    async fn run(&self, step: FarDeed, cx: &StepContext) -> Result<String, StepError> {
        self.go("do", &step.name, cx).await
    }
    async fn record(&self, output: String, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        self.note("did", output, of, tx).await
    }
}
impl Handler<NearDeed> for Doer {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: NearDeed, cx: &StepContext) -> Result<String, StepError> {
        if ["pay", "look up", "use up"].contains(&step.name.as_str()) {
            let provider = Provider {
                name: "bank",
                model: "bank",
                purpose: "persona",
                request_hash: String::new(),
                most: Usage::default(),
                idempotent: step.name == "look up",
            };
            let call = |_| async {
                self.count("paid");
                Ok(Reply {
                    raw: b"thanks".to_vec(),
                    usage: Usage::default(),
                    patience: (step.name == "use up").then_some(Duration::from_hours(1)),
                })
            };
            cx.effect("charge", provider, call).await?;
        }
        self.go("do", &step.name, cx).await
    }
    async fn record(&self, output: String, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        self.note("did", output, of, tx).await
    }
}
impl Handler<TakeBack> for Doer {
    async fn run(&self, step: TakeBack, cx: &StepContext) -> Result<String, StepError> {
        self.go("undo", &step.name, cx).await
    }
    async fn record(&self, output: String, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        self.note("undid", output, of, tx).await
    }
}
