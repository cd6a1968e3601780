//! Sagas that the suite plays: a trip with deeds that can be taken back.

use crate::stories::{Hurried, Impatient, Told};
use saga_core::{Flow, Halt, Kinds, Queue, Retry, Saga, Signal, SingletonKey, Step};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const LEFT: Queue = Queue("left");
pub(crate) const RIGHT: Queue = Queue("right");

const QUICK: Retry = Retry {
    attempts_max: 3,
    delay_first: Duration::from_millis(30),
    delay_max: Duration::from_millis(200),
};

/// Does something, and leaves a row that says so.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deed {
    pub(crate) name: String,
}
impl Step for Deed {
    const NAME: &'static str = "deed";
    const QUEUE: Queue = LEFT;
    const RETRY: Retry = QUICK;
    type Output = String;
}
/// As [`Deed`], on the other queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FarDeed {
    pub(crate) name: String,
}
impl Step for FarDeed {
    const NAME: &'static str = "far_deed";
    const QUEUE: Queue = RIGHT;
    const RETRY: Retry = QUICK;
    type Output = String;
}
/// As [`Deed`], by a handler that reaches no further than the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NearDeed {
    pub(crate) name: String,
}
impl Step for NearDeed {
    const NAME: &'static str = "near_deed";
    const QUEUE: Queue = LEFT;
    const RETRY: Retry = QUICK;
    type Output = String;
}
/// Takes a deed back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TakeBack {
    pub(crate) name: String,
}
impl Step for TakeBack {
    const NAME: &'static str = "take_back";
    const QUEUE: Queue = RIGHT;
    const RETRY: Retry = QUICK;
    type Output = String;
}
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct News(pub(crate) String);
impl Signal for News {
    const NAME: &'static str = "news";
}

pub(crate) fn deed(name: &str) -> Deed {
    Deed {
        name: name.to_owned(),
    }
}
pub(crate) fn far(name: &str) -> FarDeed {
    FarDeed {
        name: name.to_owned(),
    }
}
pub(crate) fn near(name: &str) -> NearDeed {
    NearDeed {
        name: name.to_owned(),
    }
}
pub(crate) fn back(name: &str) -> TakeBack {
    TakeBack {
        name: name.to_owned(),
    }
}

/// One deed after the other, each with its undo, over both queues.
pub(crate) struct Line;
impl Saga for Line {
    const KIND: &'static str = "test.line";
    type Input = ();
    type Output = String;
    fn run(flow: &mut Flow, (): ()) -> Result<String, Halt> {
        flow.phase("first");
        flow.undo_with(back("a"));
        let a = flow.step(deed("a"))?;
        flow.undo_with(back("b"));
        let b = flow.step(far("b"))?;
        flow.phase("last");
        flow.undo_with(back("c"));
        let c = flow.step(deed("c"))?;
        Ok(format!("{a}{b}{c}"))
    }
}

/// Two branches side by side, a pivot, and one more deed.
pub(crate) struct Fork;
impl Saga for Fork {
    const KIND: &'static str = "test.fork";
    type Input = ();
    type Output = String;
    fn run(flow: &mut Flow, (): ()) -> Result<String, Halt> {
        flow.undo_with(back("a"));
        flow.step(deed("a"))?;
        flow.undo_with(back("b"));
        let b = flow.start(deed("b"))?;
        flow.undo_with(back("c"));
        let c = flow.start(far("c"))?;
        let (b, c) = (flow.wait(b)?, flow.wait(c)?);
        flow.pivot();
        let d = flow.step(deed("d"))?;
        Ok(format!("{b}{c}{d}"))
    }
}

/// Does without a deed that gives up.
pub(crate) struct Frugal;
impl Saga for Frugal {
    const KIND: &'static str = "test.frugal";
    type Input = ();
    type Output = String;
    fn run(flow: &mut Flow, (): ()) -> Result<String, Halt> {
        let picture = flow.attempt(far("picture"))?;
        Ok(picture.map_or_else(
            |failure| format!("without: {}", failure.class.as_str()),
            |_| "with".to_owned(),
        ))
    }
}

/// Waits: for time, for news, for news but not too long.
pub(crate) struct Patient;
impl Saga for Patient {
    const KIND: &'static str = "test.patient";
    type Input = u64;
    type Output = (String, Option<String>);
    fn run(flow: &mut Flow, limit_ms: u64) -> Result<(String, Option<String>), Halt> {
        flow.sleep(Duration::from_millis(20))?;
        let News(first) = flow.signal()?;
        let second = flow.signal_within::<News>(Duration::from_millis(limit_ms))?;
        Ok((first, second.map(|News(words)| words)))
    }
}

/// Decides to fail.
pub(crate) struct Picky;
impl Saga for Picky {
    const KIND: &'static str = "test.picky";
    const DEADLINE: Option<Duration> = Some(Duration::from_secs(4));
    type Input = bool;
    type Output = ();
    fn run(flow: &mut Flow, wait: bool) -> Result<(), Halt> {
        flow.undo_with(back("a"));
        flow.step(deed("a"))?;
        if wait {
            let News(_) = flow.signal()?;
        }
        flow.fail("not_good_enough")
    }
}

/// A saga for others to begin: does its deed, waits for news if it is told to, and fails if it is told to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Errand {
    pub(crate) name: String,
    pub(crate) patient: bool,
    pub(crate) fails: bool,
}
pub(crate) struct Kid;
impl Saga for Kid {
    const KIND: &'static str = "test.kid";
    type Input = Errand;
    type Output = String;
    fn run(flow: &mut Flow, errand: Errand) -> Result<String, Halt> {
        if errand.name.is_empty() {
            return Ok("nothing to do".to_owned());
        }
        flow.undo_with(back(&errand.name));
        let name = flow.step(deed(&errand.name))?;
        if errand.patient {
            let News(_) = flow.signal()?;
        }
        if errand.fails {
            return flow.fail(format!("not_today: {name}"));
        }
        Ok(name)
    }
}

pub(crate) fn kid(name: &str) -> Errand {
    Errand {
        name: name.to_owned(),
        patient: false,
        fails: false,
    }
}
pub(crate) fn patient(name: &str) -> Errand {
    Errand {
        patient: true,
        ..kid(name)
    }
}
pub(crate) fn failing(name: &str) -> Errand {
    Errand {
        fails: true,
        ..kid(name)
    }
}

/// Is content with the first of its children.
pub(crate) struct Race;
impl Saga for Race {
    const KIND: &'static str = "test.race";
    type Input = Vec<Errand>;
    type Output = String;
    fn run(flow: &mut Flow, errands: Vec<Errand>) -> Result<String, Halt> {
        Ok(flow.children::<Kid>(errands)?.first(flow)?.1)
    }
}

/// Begins itself, and so on.
pub(crate) struct Endless;
impl Saga for Endless {
    const KIND: &'static str = "test.endless";
    type Input = ();
    type Output = ();
    fn run(flow: &mut Flow, (): ()) -> Result<(), Halt> {
        flow.child::<Self>(())
    }
}

/// Of those with the same input one is open at a time; with none there is no key.
pub(crate) struct Only;
impl Saga for Only {
    const KIND: &'static str = "test.only";
    const SINGLETON: Option<SingletonKey<Option<String>>> = Some(Clone::clone);
    type Input = Option<String>;
    type Output = ();
    fn run(flow: &mut Flow, _: Option<String>) -> Result<(), Halt> {
        let News(_) = flow.signal()?;
        Ok(())
    }
}

pub(crate) fn kinds() -> Kinds {
    Kinds::default()
        .with::<Told>()
        .with::<Hurried>()
        .with::<Impatient>()
        .with::<Line>()
        .with::<Fork>()
        .with::<Frugal>()
        .with::<Patient>()
        .with::<Picky>()
        .with::<Kid>()
        .with::<Race>()
        .with::<Endless>()
        .with::<Only>()
}
