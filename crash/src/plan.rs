//! What each saga of a run is sent to do, and how it must end.

use crate::dice::Dice;
use serde::Serialize;

/// How a saga is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// To its end.
    Succeed,
    /// A deed fails for good and the operator gives it up.
    Discard,
    /// Its last deed fails past the point of no return until somebody mends what broke it.
    Mend,
    /// It does without an optional deed.
    Degrade,
    /// Its owner cancels it on the way.
    Cancel,
    /// A deed fails for good, and so does an undo until somebody looks.
    Stick,
}

/// The input of `demo.drill`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trip {
    /// Which fail for good.
    pub fail: Vec<String>,
    /// Which fail until their gate is opened.
    pub gated: Vec<String>,
    /// Which fail the first time.
    pub flaky: Vec<String>,
    /// Which take all the memory that there is.
    pub hungry: Vec<String>,
    /// Whether `e` may fail.
    pub optional: bool,
    /// Whether there is only forward before `f`.
    pub pivot: bool,
    /// How long each deed takes.
    pub work_ms: u64,
}

/// A saga's input, and its course.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How it is to go.
    pub course: Course,
    /// What it is sent.
    pub trip: Trip,
}

/// The deeds, in the order in which they are armed.
pub const DEEDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Each deed's key in the journal.
pub fn key(deed: &str) -> &'static str {
    match deed {
        "a" => "drill.deed#1",
        "b" => "drill.pay#1",
        "c" => "drill.paint#1",
        "d" => "drill.deed#2",
        "e" => "drill.paint#2",
        _ => "drill.deed#3",
    }
}

impl Plan {
    /// The plain way to the end.
    pub fn succeed(work_ms: u64) -> Self {
        Self {
            course: Course::Succeed,
            trip: Trip {
                pivot: true,
                work_ms,
                ..Trip::default()
            },
        }
    }

    /// A plan by chance: half succeed, the rest go every other way.
    pub fn by_chance(dice: &mut Dice, work_ms_max: usize) -> Self {
        let course = match dice.below(100) {
            0..50 => Course::Succeed,
            50..64 => Course::Discard,
            64..68 => Course::Mend,
            68..80 => Course::Degrade,
            80..94 => Course::Cancel,
            _ => Course::Stick,
        };
        let one = |dice: &mut Dice, of: &[&str]| vec![(*dice.pick(of)).to_owned()];
        let mut trip = Trip {
            work_ms: dice.below(work_ms_max) as u64,
            pivot: dice.percent(50),
            ..Trip::default()
        };
        if dice.percent(30) {
            trip.flaky = one(dice, &DEEDS);
        }
        match course {
            Course::Succeed => {}
            // Past the point of no return nothing can be given up, so something else fails.
            Course::Discard if trip.pivot => trip.fail = one(dice, &DEEDS[..5]),
            Course::Discard => trip.fail = one(dice, &DEEDS),
            Course::Mend => (trip.pivot, trip.gated) = (true, vec!["f".to_owned()]),
            Course::Degrade => (trip.optional, trip.fail) = (true, vec!["e".to_owned()]),
            // Slow enough to be met on the way.
            Course::Cancel => (trip.work_ms, trip.pivot) = (trip.work_ms * 2, false),
            Course::Stick => {
                trip.pivot = false;
                trip.fail = one(dice, &["d", "e", "f"]);
                trip.gated = one(dice, &["undo a", "undo b"]);
            }
        }
        Self { course, trip }
    }
}
