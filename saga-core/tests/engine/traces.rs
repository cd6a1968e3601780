//! The trace of whoever wanted a saga goes with it from step to step, and is found again when a ticket is lost.

use crate::acts::{LONG, SHORT};
use crate::doer::Doer;
use crate::sagas::{deed, far};
use crate::stories::{Told, deploy};
use crate::support::{World, combinations, new_saga};
use saga_core::run::Answer;
use saga_core::store::NewSaga;
use saga_core::trace::Trace;
use saga_core::{Class, Retry, Saga};
use serde_json::json;
use uuid::Uuid;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_with_every_ticket_and_is_kept_for_those_that_are_lost() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, trace) = (Uuid::now_v7(), Trace::parse(TRACE).ok());
        deploy(saga, |flow| {
            flow.step(deed("a"))?;
            flow.step(far("b"))
        });
        let new = NewSaga {
            trace: trace.clone(),
            ..new_saga(saga, Told::KIND, json!(saga))
        };
        let (_, tickets) = world.store.start(&[new]).await.unwrap();
        assert_eq!(tickets[0].trace, trace, "{}", world.label);
        let told = &world.store.events(saga, 0, 1).await.unwrap()[0];
        assert_eq!(told.data, Some(json!({"trace": TRACE})));
        let claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
        assert_eq!(claimed.trace, trace, "{}", world.label);
        let (_, next) = world.settle(&claimed, Answer::Done(json!("a"))).await;
        assert_eq!(next[0].trace, trace, "{}", world.label);
        // The worker dies, and with it everything that knew the trace.
        world.claim(&next[0], "two", SHORT).await.unwrap();
        let again = world.sweep_for(saga).await;
        assert_eq!(again.trace, trace, "{}", world.label);
        // Days later somebody judges what has failed.
        let claimed = world.claim(&again, "three", LONG).await.unwrap();
        let failed = Answer::Failed {
            class: Class::Permanent,
            message: "broken".to_owned(),
            after: None,
            retry: Retry::NEVER,
        };
        world.settle(&claimed, failed).await;
        let letter = world.open_letter(saga).await.id;
        let (_, replayed) = world.store.replay(letter, "ana", "mended").await.unwrap();
        assert_eq!(replayed[0].trace, trace, "{}", world.label);

        let plain = new_saga(Uuid::now_v7(), "test.line", json!(null));
        let (_, tickets) = world
            .store
            .start(std::slice::from_ref(&plain))
            .await
            .unwrap();
        assert_eq!(tickets[0].trace, None);
        world.claim(&tickets[0], "one", SHORT).await.unwrap();
        assert_eq!(world.sweep_for(plain.id).await.trace, None);
        world.end().await;
    }
}
