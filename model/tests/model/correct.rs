//! The protocol keeps its promises, within budgets that reach everything worth reaching.

use model::step::Step;
use model::world::{RowState, SagaState, Work};
use model::{FREE, Fault, Faults, Graph, Protocol, World};

/// Any `sum` faults, mixed as the limits of each allow; lost tickets do not even count. The death
/// of a whole process is left to the night: it is a few crashes and a loss at once.
pub(crate) fn mixed(sum: u8) -> Faults {
    let (each, retries) = if is_nightly() { (sum, 2) } else { (2, 1) };
    Faults::at_most(sum)
        .with(Fault::Crash, each)
        .with(Fault::Overrun, each)
        .with(Fault::Retry, retries)
        .with(Fault::Fail, each)
        .with(Fault::Loss, FREE)
        .with(Fault::Copy, 1)
        .with(Fault::ProcessDeath, u8::from(is_nightly()))
        .with(Fault::Cancel, 1)
        .with(Fault::Replay, 2)
}

fn is_nightly() -> bool {
    std::env::var_os("CHORUS_MODEL_NIGHTLY").is_some()
}

#[expect(clippy::print_stdout, reason = "how far a search went is its result")]
fn assert_kept(name: &str, protocol: &Protocol) -> Graph {
    let graph = Graph::search(protocol);
    println!(
        "{name}: {} worlds, {} ways",
        graph.worlds().len(),
        graph.edges()
    );
    let violation = graph.violation();
    assert!(violation.is_none(), "{name}: {violation:?}");
    graph
}

#[test]
fn any_mixture_of_faults_is_survived() {
    let sum = if is_nightly() { 5 } else { 4 };
    let graph = assert_kept("mixed", &Protocol::new(mixed(sum)).workers(3));
    for (situation, is_it) in SITUATIONS {
        assert!(graph.worlds().iter().any(is_it), "never seen: {situation}");
    }
}

#[test]
fn steps_without_a_lease_keep_every_promise() {
    let sum = if is_nightly() { 4 } else { 3 };
    let workers = if is_nightly() { 3 } else { 2 };
    let protocol = Protocol::new(mixed(sum)).workers(workers).unleased();
    let graph = assert_kept("without a lease", &protocol);
    let overtaken = |work: &Work| work.is_unleased && work.is_late;
    let mut worlds = graph.worlds().iter();
    assert!(worlds.any(|world| world.workers.iter().flatten().any(overtaken)));
}

/// An operator holds the saga, has it go on, and answers for a step, while the rest goes wrong beside it.
#[test]
fn a_saga_that_is_paused_and_helped_keeps_every_promise() {
    let sum = if is_nightly() { 4 } else { 3 };
    let faults = mixed(sum).with(Fault::Pause, 1).with(Fault::Skip, 2);
    let graph = assert_kept("paused and helped", &Protocol::new(faults).unleased());
    let mut worlds = graph.worlds().iter();
    let situation = |world: &World| {
        world.saga == SagaState::Undone
            && world.skipped.contains(Step::A)
            && world.effects.contains(Step::UndoA)
    };
    assert!(worlds.any(situation), "nobody's deed was undone");
    let mut worlds = graph.worlds().iter();
    let brought =
        |world: &World| world.saga == SagaState::Paused && world.is(Step::B, RowState::Done);
    assert!(worlds.any(brought), "nothing was brought to a paused saga");
}

#[test]
fn any_number_of_crashes_is_survived() {
    let mut faults = Faults::at_most(0)
        .with(Fault::Crash, FREE)
        .with(Fault::Cancel, FREE)
        .with(Fault::Loss, FREE);
    if is_nightly() {
        faults = faults
            .with(Fault::Overrun, FREE)
            .with(Fault::Retry, FREE)
            .with(Fault::Fail, FREE);
    }
    assert_kept("crashes without end", &Protocol::new(faults));
}

#[test]
fn nothing_goes_wrong_when_nothing_goes_wrong() {
    let graph = assert_kept("no faults", &Protocol::new(Faults::at_most(0)).workers(3));
    let ends = graph.worlds().iter().filter(|world| world.is_over());
    assert!(ends.count() > 0, "no end reached");
}

/// The limit of every design with leases: the store is right, and the world outside may not be. A worker that
/// overran its lease may still be at its deed while the undo of that deed runs. It can write nothing and pay nothing
/// new; what it has already sent arrives when it arrives. Hence: deadline of a step well below its lease.
#[test]
fn a_late_worker_may_still_be_busy_beside_the_undo() {
    let faults = Faults::at_most(2)
        .with(Fault::Overrun, 1)
        .with(Fault::Cancel, 1);
    let graph = assert_kept("late worker", &Protocol::new(faults));
    let limit = graph.trace_to(|world| {
        let mut late = world.workers.iter().flatten().filter(|work| work.is_late);
        let is_undone = |step: Step| {
            step.undo()
                .is_some_and(|undo| world.is(undo, RowState::Leased))
        };
        late.any(|work| is_undone(work.step))
    });
    println!("{}", limit.expect("a known limit"));
}

type Situation = (&'static str, fn(&World) -> bool);

/// A search that never met these would prove little.
const SITUATIONS: [Situation; 12] = [
    ("success", |world| world.saga == SagaState::Succeeded),
    ("undone", |world| world.saga == SagaState::Undone),
    ("parked past the pivot", |world| {
        world.saga == SagaState::Parked && world.pivoted
    }),
    ("two letters", |world| {
        world.letters.contains(Step::B) && world.letters.contains(Step::C)
    }),
    ("a replay beside an open letter", |world| {
        world.saga == SagaState::Running && !world.letters.is_empty()
    }),
    ("a letter replayed twice over", |world| {
        world.replayed.contains(Step::C) && world.row(Step::C).turn > 1
    }),
    ("stuck", |world| world.saga == SagaState::Stuck),
    ("a stuck undo replayed", |world| {
        world.saga == SagaState::Undone && world.replayed.contains(Step::UndoA)
    }),
    ("all three undone", |world| {
        Step::UNDO.iter().all(|undo| world.effects.contains(*undo))
    }),
    ("undo waits for a sibling", |world| {
        world.saga == SagaState::Undoing && world.is(Step::C, RowState::Leased)
    }),
    ("undone without having surely happened", |world| {
        world.effects.contains(Step::UndoB) && !world.effects.contains(Step::B)
    }),
    ("paid twice", |world| world.paid == 2),
];
