//! Children side by side, and the three ways to wait for them.

use crate::doer::Doer;
use crate::sagas::{Endless, Errand, Kid, Race, back, deed, failing, kid, patient};
use crate::stories::{Story, Told};
use crate::support::{World, combinations};
use saga_core::rehearsal::{Rehearsal, Story as Played};
use saga_core::run::{CHILDREN_MAX, Outside, Why, child_id};
use saga_core::state::SagaState;
use saga_core::{Flow, Halt, Key, Saga};
use serde_json::json;
use uuid::Uuid;

/// Begins the children that its input says, and waits for them as it says.
struct Brood;
impl Saga for Brood {
    const KIND: &'static str = "test.brood";
    type Input = (String, Vec<Errand>);
    type Output = Vec<String>;
    fn run(flow: &mut Flow, (join, errands): Self::Input) -> Result<Vec<String>, Halt> {
        flow.undo_with(back("nest"));
        flow.step(deed("nest"))?;
        let children = flow.children::<Kid>(errands)?;
        match join.as_str() {
            "all" => children.all(flow),
            "first" => Ok(vec![children.first(flow)?.1]),
            _ => {
                let ends = children.settled(flow, 1)?;
                Ok(ends.into_iter().filter_map(Result::ok).collect())
            }
        }
    }
}

fn brood(join: &str, errands: Vec<Errand>) -> Rehearsal<Brood> {
    Rehearsal::of((join.to_owned(), errands))
        .answer(|deed: crate::sagas::Deed| Ok(deed.name))
        .answer(|undo: crate::sagas::TakeBack| Ok(undo.name))
        .child::<Kid>(|errand| {
            if errand.fails {
                Err("not_today".to_owned())
            } else {
                Ok(errand.name)
            }
        })
}

fn ended(played: &Played, state: SagaState, lines: &[&str]) {
    assert_eq!(played.lines, lines);
    assert_eq!(played.state, state);
}

#[test]
fn all_of_them_are_waited_for() {
    ended(
        &brood("all", vec![kid("x"), kid("y")]).play(),
        SagaState::Succeeded,
        &[
            "did     deed#1 -> \"nest\"",
            "did     test.kid#1 -> \"x\"",
            "did     test.kid#2 -> \"y\"",
            "succeeded",
        ],
    );
}

#[test]
fn one_that_fails_has_the_others_called_back_before_anything_is_undone() {
    ended(
        &brood("all", vec![failing("x"), kid("y")]).play(),
        SagaState::Undone,
        &[
            "did     deed#1 -> \"nest\"",
            "failed  test.kid#1: not_today",
            "called back test.kid#2",
            "undid   take_back#1 -> \"nest\"",
            "undone",
        ],
    );
}

#[test]
fn the_first_that_succeeds_is_enough() {
    ended(
        &brood("first", vec![failing("x"), kid("y"), kid("z")]).play(),
        SagaState::Succeeded,
        &[
            "did     deed#1 -> \"nest\"",
            "failed  test.kid#1: not_today",
            "did     test.kid#2 -> \"y\"",
            "called back test.kid#3",
            "succeeded",
        ],
    );
    assert_eq!(
        brood("first", vec![failing("x")]).play().state,
        SagaState::Undone,
        "none is left"
    );
    assert_eq!(brood("first", vec![]).play().state, SagaState::Undone);
}

#[test]
fn a_play_breaks_at_each_deed_and_at_each_child() {
    for nth in 0..3 {
        let some = brood("settled", vec![kid("x"), kid("y")]);
        let played = some.breaking_at(nth).play();
        assert_eq!(played.deeds, if nth == 0 { 1 } else { 3 }, "{played:?}");
        let well = if nth == 0 {
            SagaState::Undone
        } else {
            SagaState::Succeeded
        };
        assert_eq!(played.state, well, "{played:?}");
        let all = brood("all", vec![kid("x"), kid("y")])
            .breaking_at(nth)
            .play();
        assert_eq!(all.undid(), ["take_back#1"], "{all:?}");
    }
    let least = brood("settled", vec![failing("x"), failing("y")]).play();
    assert_eq!(least.state, SagaState::Undone, "fewer than it needs");
    assert!(
        brood("all", vec![kid("x")])
            .twice()
            .play()
            .undid()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_ended_are_told_well_or_not() {
    let story: Story = |flow| {
        let children = flow.children::<Kid>([kid("x"), failing("y"), kid("")])?;
        let ends = children.settled(flow, 2)?;
        let told = ends.into_iter().map(|end| match end {
            Ok(output) => output,
            Err(failure) => failure.message,
        });
        Ok(told.collect::<Vec<_>>().join(", "))
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, story).await;
        world.until(saga, SagaState::Succeeded).await;
        let run = world.run(saga).await;
        let children: Vec<Uuid> = run.children().collect();
        let told = format!(
            "x, child_failed: test.kid {}: not_today: y, nothing to do",
            children[1]
        );
        assert_eq!(run.saga.output, Some(json!(told)), "{}", world.label);
        assert!(run.saga.degraded, "it did without one");
        assert_eq!(world.effects(children[0]).await, ["did x"]);
        assert_eq!(world.effects(children[1]).await, ["did y", "undid y"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_the_first_is_canceled_and_takes_back_what_it_did() {
    let story: Story = |flow| {
        let children = flow.children::<Kid>([patient("x"), patient("y")])?;
        let (which, output) = children.first(flow)?;
        Ok(format!("{which} {output}"))
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, story).await;
        let children: Vec<Uuid> = world.run(saga).await.children().collect();
        for child in &children {
            world.until(*child, SagaState::Waiting).await;
        }
        world.tell_news(children[1]).await;
        world.until(saga, SagaState::Succeeded).await;
        world.until(children[0], SagaState::Undone).await;
        assert_eq!(world.effects(children[0]).await, ["did x", "undid x"]);
        assert_eq!(world.effects(children[1]).await, ["did y"]);
        let run = world.run(saga).await;
        assert_eq!(run.saga.output, Some(json!("1 y")), "{}", world.label);
        assert!(!run.saga.degraded, "the other one was not needed");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_has_not_ended_before_those_that_it_called_back_have() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.doer.hold("undo x");
        world.worker("one");
        let saga = world
            .tell(Told::KIND, |flow| {
                flow.child::<Race>(vec![patient("x"), patient("y")])
            })
            .await;
        let race = child_id(saga, &Key::stored("test.race#1"));
        let runners: Vec<Uuid> = world.run(race).await.children().collect();
        for runner in &runners {
            world.until(*runner, SagaState::Waiting).await;
        }
        world.tell_news(runners[1]).await;
        world.until(race, SagaState::Succeeded).await;
        let undoes = async || world.doer.attempted("undo x") > 0;
        world.wait("the other takes back", undoes, saga).await;
        let label = &world.label;
        assert_eq!(world.state(saga).await, SagaState::Waiting, "{label}");
        let why = (world.run(race).await).why(world.now().await, &Outside::default());
        let codes: Vec<Why> = why.iter().map(|reason| reason.code).collect();
        assert_eq!(codes, [Why::Finished, Why::WaitingForChild], "{label}");
        world.doer.let_go();
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.state(runners[0]).await, SagaState::Undone, "{label}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_children_that_end_at_once_are_not_deep_however_they_are_begun() {
    let one_by_one: Story = |flow| {
        for _ in 0..20 {
            flow.child::<Kid>(kid(""))?;
        }
        Ok("all".to_owned())
    };
    // More than begin by one transaction.
    let side_by_side: Story = |flow| {
        flow.children::<Kid>((0..250).map(|_| kid("")))?.all(flow)?;
        Ok("all".to_owned())
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        for (story, count) in [(one_by_one, 20), (side_by_side, 250)] {
            let saga = world.tell(Told::KIND, story).await;
            world.until(saga, SagaState::Succeeded).await;
            let children = world.run(saga).await.children().count();
            assert_eq!(children, count, "{}", world.label);
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_has_so_many_children_at_once_and_no_more() {
    let story: Story = |flow| {
        flow.children::<Kid>((0..=CHILDREN_MAX).map(|_| kid("")))?
            .all(flow)?;
        Ok("all".to_owned())
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let saga = world.tell(Told::KIND, story).await;
        world.until(saga, SagaState::Undone).await;
        let run = world.run(saga).await;
        let error = run.saga.error.as_ref().unwrap();
        let said = format!(
            "too_many_children: {} at once, and a saga has at most {CHILDREN_MAX}",
            CHILDREN_MAX + 1
        );
        assert!(error.message.starts_with(&said), "{error:?}");
        assert_eq!(run.children().count(), 0, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_begins_itself_for_ever_is_stopped_and_says_so() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let saga = world.start(Endless::KIND, json!(null)).await;
        world.until(saga, SagaState::Undone).await;
        let error = world.run(saga).await.saga.error.unwrap();
        assert!(error.message.contains("too_deep: "), "{error:?}");
        world.end().await;
    }
}
