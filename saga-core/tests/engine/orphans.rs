//! Nothing that is begun again leaves somebody of its family behind.

use crate::doer::Doer;
use crate::sagas::{Kid, deed, kid, patient};
use crate::stories::Told;
use crate::support::{World, combinations};
use saga_core::db::Durability;
use saga_core::run::child_id;
use saga_core::state::SagaState;
use saga_core::store::{Judged, Judgement, VerbError};
use saga_core::{Key, Saga as _};
use serde_json::json;
use uuid::Uuid;

async fn judge(world: &World, saga: Uuid, judgement: &Judgement) -> Result<Judged, VerbError> {
    let letters = world.letters(saga).await;
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let who = ("ana", "again");
    let judged = world.store.judge(&mut tx, letters[0].id, judgement, who);
    judged.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_is_not_begun_again_without_its_parent() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do c");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let saga = world
            .tell(Told::KIND, |flow| {
                let child = flow.attempt_child::<Kid>(kid("c"))?;
                Ok(child.unwrap_or_else(|failure| failure.message))
            })
            .await;
        world.until(saga, SagaState::Waiting).await;
        let child = child_id(saga, &Key::stored("test.kid#1"));
        world.until(child, SagaState::Parked).await;
        let edited = Judgement::ReplayEdited(json!({"name": "d"}));
        for judgement in [Judgement::ReplayFromStart, edited] {
            let refused = judge(&world, child, &judgement).await.unwrap_err();
            assert!(refused.to_string().contains("in place"), "{refused}");
            assert_eq!(world.state(child).await, SagaState::Parked);
        }
        world.discard(child).await.unwrap();
        world.until(saga, SagaState::Succeeded).await;
        let refused = judge(&world, child, &Judgement::Restore).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("begin that saga again"), "{refused}");
        broken.mend();
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_is_not_begun_again_before_its_children_have_ended() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do p");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let saga = world
            .tell(Told::KIND, |flow| {
                let child = flow.start_child::<Kid>(patient("c"))?;
                flow.step(deed("p"))?;
                flow.wait_child(child)
            })
            .await;
        world.until(saga, SagaState::Parked).await;
        let refused = judge(&world, saga, &Judgement::ReplayFromStart).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("still at work"), "{refused}");
        assert_eq!(
            world.state(saga).await,
            SagaState::Parked,
            "{}",
            world.label
        );
        let child = child_id(saga, &Key::stored("test.kid#1"));
        world.until(child, SagaState::Waiting).await;
        world.tell_news(child).await;
        world.until(child, SagaState::Succeeded).await;
        broken.mend();
        let begun = judge(&world, saga, &Judgement::ReplayFromStart).await;
        assert_eq!(begun.unwrap().mode, "new_job", "{}", world.label);
        world.end().await;
    }
}
