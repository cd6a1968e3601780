//! Sagas whose code a test brings along, and changes under way: that is a deploy.

use saga_core::{Flow, Halt, Saga};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use uuid::Uuid;

/// The code of a saga.
pub(crate) type Story = fn(&mut Flow) -> Result<String, Halt>;

/// The code that is out, by the saga's input: tests in one process do not meet.
static OUT: Mutex<BTreeMap<Uuid, Story>> = Mutex::new(BTreeMap::new());

/// From now on this is the code of the sagas with this input.
pub(crate) fn deploy(input: Uuid, story: Story) {
    OUT.lock().unwrap().insert(input, story);
}

/// From now on this input cannot be read any more.
pub(crate) fn withdraw(input: Uuid) {
    OUT.lock().unwrap().remove(&input);
}

/// An input that reads as the code that is out for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub(crate) struct Tale {
    input: Uuid,
    story: Story,
}
impl TryFrom<Uuid> for Tale {
    type Error = &'static str;
    fn try_from(input: Uuid) -> Result<Self, Self::Error> {
        let story = OUT.lock().unwrap().get(&input).copied();
        let story = story.ok_or("missing field `story`")?;
        Ok(Self { input, story })
    }
}
impl From<Tale> for Uuid {
    fn from(tale: Tale) -> Self {
        tale.input
    }
}

/// Has all the time in the world.
pub(crate) struct Told;
impl Saga for Told {
    const KIND: &'static str = "test.told";
    type Input = Tale;
    type Output = String;
    fn run(flow: &mut Flow, tale: Tale) -> Result<String, Halt> {
        (tale.story)(flow)
    }
}

/// Has a deadline.
pub(crate) struct Hurried;
impl Saga for Hurried {
    const KIND: &'static str = "test.hurried";
    const DEADLINE: Option<Duration> = Some(Duration::from_secs(2));
    type Input = Tale;
    type Output = String;
    fn run(flow: &mut Flow, tale: Tale) -> Result<String, Halt> {
        (tale.story)(flow)
    }
}

/// Does not stay parked for long.
pub(crate) struct Impatient;
impl Saga for Impatient {
    const KIND: &'static str = "test.impatient";
    const PARK: Duration = Duration::from_millis(400);
    type Input = Tale;
    type Output = String;
    fn run(flow: &mut Flow, tale: Tale) -> Result<String, Halt> {
        (tale.story)(flow)
    }
}
