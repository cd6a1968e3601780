//! A saga that another one began: linked both ways, waited for, called back, and never forgotten.

use crate::acts::LONG;
use crate::doer::Doer;
use crate::sagas::{Kid, back, deed, failing, kid, patient};
use crate::stories::{Story, Told, deploy};
use crate::support::{StoreKind, World, combinations};
use saga_core::db::Durability;
use saga_core::run::{Answer, Outside, Parent, Why, child_id};
use saga_core::state::SagaState;
use saga_core::store::SagaVerb;
use saga_core::{Key, Saga};
use serde_json::json;
use uuid::Uuid;

const ONE_CHILD: Story = |flow| {
    flow.undo_with(back("p"));
    flow.step(deed("p"))?;
    flow.child::<Kid>(patient("c"))
};

/// Brings a saga to where it waits for its child, and the child to where it waits for news.
async fn waiting(world: &World) -> (Uuid, Uuid) {
    let saga = world.tell(Told::KIND, ONE_CHILD).await;
    world.until(saga, SagaState::Waiting).await;
    let child = child_id(saga, &Key::stored("test.kid#1"));
    world.until(child, SagaState::Waiting).await;
    (saga, child)
}

async fn decide(world: &World, saga: Uuid, verb: &SagaVerb) {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let who = ("ana", "to see");
    let done = world.store.decide(&mut tx, saga, verb, who).await.unwrap();
    tx.commit().await.unwrap();
    world.client.publish(done.tickets);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_goes_on_with_what_its_child_leaves_behind() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let (saga, child) = waiting(&world).await;
        let run = world.run(saga).await;
        assert_eq!(run.children().collect::<Vec<_>>(), [child]);
        let parent = Parent {
            id: saga,
            key: Key::stored("test.kid#1"),
        };
        assert_eq!(world.run(child).await.saga.parent, Some(parent));
        world.tell_news(child).await;
        world.until(saga, SagaState::Succeeded).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.output, Some(json!("c")), "{}", world.label);
        let ended = world.run(child).await.saga.finished_at;
        assert!(ended <= run.saga.finished_at, "{}", world.label);
        assert_eq!(world.effects(child).await, ["did c"]);
        assert!(world.store.abandoned().await.unwrap().is_empty());
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_fails_fails_its_saga_which_takes_back_its_own_deeds() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world
            .tell(Told::KIND, |flow| {
                flow.undo_with(back("p"));
                flow.step(deed("p"))?;
                flow.child::<Kid>(failing("c"))
            })
            .await;
        world.until(saga, SagaState::Undone).await;
        assert_eq!(world.effects(saga).await, ["did p", "undid p"]);
        let error = world.run(saga).await.saga.error.unwrap();
        assert!(error.message.ends_with("not_today: c"), "{error:?}");
        assert!(
            world.letters(saga).await.is_empty(),
            "nobody is asked twice"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_saga_takes_nothing_back_before_its_child_has_ended() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.doer.hold("do c");
        world.worker("one");
        let saga = world.tell(Told::KIND, ONE_CHILD).await;
        let child = child_id(saga, &Key::stored("test.kid#1"));
        let begun = async || world.doer.attempted("do c") > 0;
        world.wait("the child is at work", begun, saga).await;
        let foreseen = world.store.foresee_cancel(saga).await.unwrap();
        assert_eq!(foreseen.cancels, [child], "{}", world.label);
        world.cancel(saga).await.unwrap();
        world.until(child, SagaState::Undoing).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Undoing);
        let why = run.why(world.now().await, &Outside::default());
        let codes: Vec<Why> = why.iter().map(|reason| reason.code).collect();
        assert_eq!(codes, [Why::Undoing, Why::WaitingForChild]);
        assert_eq!(world.doer.attempted("undo p"), 0, "{}", world.label);
        world.doer.let_go();
        world.until(saga, SagaState::Undone).await;
        assert_eq!(world.effects(child).await, ["did c", "undid c"]);
        assert_eq!(world.effects(saga).await, ["did p", "undid p"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_parks_keeps_its_saga_waiting_which_says_so() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do c");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, ONE_CHILD).await;
        let child = child_id(saga, &Key::stored("test.kid#1"));
        world.until(saga, SagaState::Waiting).await;
        world.until(child, SagaState::Parked).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Waiting, "{}", world.label);
        let mut outside = Outside::default();
        outside.children.insert(child, SagaState::Parked);
        let why = run.why(world.now().await, &outside);
        assert_eq!(why.len(), 1);
        assert_eq!(why[0].code, Why::WaitingForChild);
        assert!(why[0].message.contains("parked") && why[0].remedy.contains(&child.to_string()));
        broken.mend();
        world.replay(child).await;
        world.until(child, SagaState::Waiting).await;
        world.tell_news(child).await;
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_stands_still_takes_note_of_the_end_of_its_child() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let (saga, child) = waiting(&world).await;
        decide(&world, saga, &SagaVerb::Pause).await;
        world.tell_news(child).await;
        world.until(child, SagaState::Succeeded).await;
        assert_eq!(
            world.state(saga).await,
            SagaState::Paused,
            "{}",
            world.label
        );
        decide(&world, saga, &SagaVerb::Resume).await;
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_is_not_asked_for_again_parks_its_saga() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let (saga, child) = waiting(&world).await;
        deploy(saga, |flow| {
            flow.undo_with(back("p"));
            flow.step(deed("p"))
        });
        world.tell_news(child).await;
        world.until(saga, SagaState::Parked).await;
        let letter = world.open_letter(saga).await;
        assert!(
            letter
                .message
                .contains("orphaned: the journal has test.kid#1")
        );
        deploy(saga, |flow| {
            flow.undo_with(back("p"));
            flow.step(deed("p"))?;
            flow.child::<Kid>(kid("another"))
        });
        world.replay(saga).await;
        world.until(saga, SagaState::Parked).await;
        let letter = world.open_letter(saga).await;
        assert!(
            letter.message.contains("diverged at test.kid#1"),
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_an_older_program_told_nobody_of_is_found_by_the_sweeper() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world
            .tell_quietly(Told::KIND, |flow| flow.child::<Kid>(kid("c")))
            .await;
        let child = child_id(saga, &Key::stored("test.kid#1"));
        let db = world.store.db();
        let forget = db.query("UPDATE sagas SET parent_id = NULL WHERE id = $1");
        forget.bind(child).execute().await.unwrap();
        let claimed = world.claim(&tickets[0], "w", LONG).await.unwrap();
        world.settle(&claimed, Answer::Done(json!("c"))).await;
        assert_eq!(world.state(child).await, SagaState::Succeeded);
        let recall = db.query("UPDATE sagas SET parent_id = $2 WHERE id = $1");
        recall.bind(child).bind(saga).execute().await.unwrap();
        assert_eq!(
            world.state(saga).await,
            SagaState::Waiting,
            "{}",
            world.label
        );
        let due = db.query("UPDATE steps SET wake_at = $2 WHERE saga_id = $1");
        due.bind(saga)
            .bind(world.now().await)
            .execute()
            .await
            .unwrap();
        world.store.sweep().await.unwrap();
        assert_eq!(
            world.state(saga).await,
            SagaState::Succeeded,
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn families_that_all_end_at_once_wait_for_nobody_in_a_circle() {
    let story: Story = |flow| {
        let names = ["1", "2", "3", "4", "5"].map(kid);
        Ok(flow.children::<Kid>(names)?.all(flow)?.concat())
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        for worker in ["one", "two", "three"] {
            world.worker(worker);
        }
        let many = if combination.0 == StoreKind::Postgres {
            40
        } else {
            15
        };
        let mut sagas = vec![];
        for _ in 0..many {
            sagas.push(world.tell(Told::KIND, story).await);
        }
        for saga in sagas {
            world.until(saga, SagaState::Succeeded).await;
            let run = world.run(saga).await;
            assert_eq!(run.saga.output, Some(json!("12345")), "{}", world.label);
            for child in run.children() {
                assert_eq!(world.effects(child).await.len(), 1, "{}", world.label);
            }
        }
        world.end().await;
    }
}
