//! Records what sagas ask and are told, for `domain/tests/rows/journals.rs` to play to the code of later days.

use crate::rounds::{begin, hand_in, neighbourhood};
use crate::support::{World, on_each};
use domain::topics::rounds::Params;
use saga_core::record::{End, Record};
use saga_core::state::SagaState;
use std::path::Path;
use uuid::Uuid;

async fn record(world: &World, saga: Uuid, story: &str) -> Record {
    let run = world.client.store().view(&[saga]).await.unwrap();
    let record = Record::of(&run[&saga]);
    record.play(world.client.store().kinds()).unwrap();
    // What is kept already was recorded from older code, which is the point of it.
    let file = format!("../domain/tests/journals/{}-{story}.json", record.kind);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("CHORUS_RECORD").is_some() && !file.exists() {
        let text = serde_json::to_string_pretty(&record).unwrap();
        std::fs::write(file, text + "\n").unwrap();
    }
    record
}

#[tokio::test]
async fn real_runs_leave_records_that_can_be_played() {
    on_each(async |world| {
        world.work();
        for kind in ["demo.pair", "demo.relay"] {
            let saga = world.start(kind).await;
            world.until(saga, SagaState::Succeeded).await;
            record(world, saga, "whole").await;
        }
        let saga = world.start("demo.fail").await;
        world.until(saga, SagaState::Parked).await;
        record(world, saga, "parked").await;

        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;
        let whole = record(world, saga, "whole").await;
        assert!(matches!(whole.end, End::Done(_)), "{whole:#?}");

        let saga = world
            .erase(world.survey_of("sam@example.org").await.owner_id)
            .await;
        world.until(saga, SagaState::Succeeded).await;
        record(world, saga, "whole").await;

        let empty = begin(world, Params::default()).await;
        world.until(empty, SagaState::Succeeded).await;
        record(world, empty, "empty").await;
        hand_in(world, &neighbourhood()).await;
        let round = begin(world, Params::default()).await;
        world.until(round, SagaState::Succeeded).await;
        record(world, round, "whole").await;
        for draft in world.children(round).await {
            record(world, draft, "whole").await;
        }

        world.brush.refuse(true);
        let saga = world.forge_again(&survey).await;
        world.until(saga, SagaState::Succeeded).await;
        let degraded = record(world, saga, "without-portrait").await;
        assert_ne!(degraded.requests, whole.requests);

        world.pen.refuse(true);
        let saga = world.forge_again(&survey).await;
        world.until(saga, SagaState::Parked).await;
        let parked = record(world, saga, "without-words").await;
        assert!(matches!(parked.end, End::Failed(_)), "{parked:#?}");
    })
    .await;
}
