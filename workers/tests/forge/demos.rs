//! The sagas that do nothing.

use crate::support::on_each;
use saga_core::state::SagaState;

#[tokio::test]
async fn each_step_of_a_demo_leaves_one_row() {
    on_each(async |world| {
        world.work();
        for kind in ["demo.pair", "demo.relay"] {
            let saga = world.start(kind).await;
            world.until(saga, SagaState::Succeeded).await;
            let rows: Vec<(String,)> = world
                .db
                .query("SELECT step_key FROM demo_effects WHERE saga_id = $1 ORDER BY at")
                .bind(saga)
                .all()
                .await
                .unwrap();
            assert_eq!(rows.len(), 2, "{kind}: {rows:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_failing_demo_parks_with_a_letter() {
    on_each(async |world| {
        world.work();
        let saga = world.start("demo.fail").await;
        world.until(saga, SagaState::Parked).await;
        assert_eq!(world.letter().await.step, "demo.stumble");
    })
    .await;
}
