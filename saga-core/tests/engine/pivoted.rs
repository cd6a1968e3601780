//! A child that fails after its parent's point of no return: somebody has it begun anew.

use crate::doer::Doer;
use crate::sagas::{Kid, back, deed, kid};
use crate::stories::{Story, Told};
use crate::support::{World, combinations};
use saga_core::run::{Outside, Why, child_id};
use saga_core::state::SagaState;
use saga_core::{Flow, Halt, Key, Saga as _};
use serde_json::json;
use uuid::Uuid;

fn past_the_pivot(flow: &mut Flow) -> Result<(), Halt> {
    flow.undo_with(back("p"));
    flow.step(deed("p"))?;
    flow.pivot();
    Ok(())
}

const JOINS: [Story; 4] = [
    |flow| {
        past_the_pivot(flow)?;
        flow.child::<Kid>(kid("c"))
    },
    |flow| {
        past_the_pivot(flow)?;
        Ok(flow.children::<Kid>([kid("c")])?.all(flow)?.concat())
    },
    |flow| {
        past_the_pivot(flow)?;
        let ends = flow.children::<Kid>([kid("c")])?.settled(flow, 1)?;
        Ok(ends.into_iter().filter_map(Result::ok).collect())
    },
    |flow| {
        past_the_pivot(flow)?;
        Ok(flow.children::<Kid>([kid("c")])?.first(flow)?.1)
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_past_its_pivot_parks_over_a_child_that_failed_until_that_is_begun_anew() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do c");
        let world = World::new(combination, doer).await;
        world.worker("one");
        for story in JOINS {
            broken.now("do c");
            let saga = world.tell(Told::KIND, story).await;
            world.until(saga, SagaState::Waiting).await;
            let first = child_id(saga, &Key::stored("test.kid#1"));
            give_up(&world, first, saga).await;
            let second = begin_anew(&world, saga).await;
            assert_ne!(second, first, "{}", world.label);
            give_up(&world, second, saga).await;
            broken.mend();
            let third = begin_anew(&world, saga).await;
            world.until(saga, SagaState::Succeeded).await;
            let run = world.run(saga).await;
            assert_eq!(run.saga.output, Some(json!("c")), "{}", world.label);
            assert_eq!(run.children().collect::<Vec<_>>(), [first, second, third]);
            assert_eq!(world.effects(saga).await, ["did p"], "{}", world.label);
            assert_eq!(world.effects(third).await, ["did c"], "{}", world.label);
        }
        world.end().await;
    }
}

/// Has the child fail for good, and sees that its parent asks somebody.
async fn give_up(world: &World, child: Uuid, saga: Uuid) {
    world.until(child, SagaState::Parked).await;
    world.discard(child).await.unwrap();
    world.until(saga, SagaState::Parked).await;
    let run = world.run(saga).await;
    assert_eq!(run.saga.parked_until, None, "{}", world.label);
    let why = run.why(world.now().await, &Outside::default());
    assert_eq!(why[0].code, Why::Parked, "{why:?}");
    assert!(world.discard(saga).await.is_err(), "there is only forward");
}

async fn begin_anew(world: &World, saga: Uuid) -> Uuid {
    world.replay(saga).await;
    let run = world.run(saga).await;
    assert_eq!(run.saga.state, SagaState::Waiting, "{}", world.label);
    run.children().last().unwrap()
}
