//! The store's own trouble is not the step's: what fails by it is tried again, and no attempt is counted.

use crate::doer::Doer;
use crate::sagas::{deed, far, near};
use crate::stories::Told;
use crate::support::{StoreKind, World, stores};
use saga_core::db::Durability;
use saga_core::state::SagaState;
use saga_core::{Saga, StepError};
use std::sync::atomic::{AtomicU32, Ordering};

const SAGAS: usize = 12;
/// As PostgreSQL does when two transactions meet, or when one takes too long.
const TROUBLE: &str = "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF random() < 0.06 THEN
            RAISE EXCEPTION 'trouble' USING ERRCODE = (ARRAY['40001', '40P01', '57014'])[1 + floor(random() * 3)::int];
        END IF;
        RETURN NULL;
    END $$";
/// Where it comes.
const TABLES: [&str; 5] = [
    "CREATE TRIGGER trouble AFTER INSERT OR UPDATE ON sagas FOR EACH STATEMENT EXECUTE FUNCTION trouble()",
    "CREATE TRIGGER trouble AFTER INSERT OR UPDATE ON steps FOR EACH STATEMENT EXECUTE FUNCTION trouble()",
    "CREATE TRIGGER trouble AFTER INSERT OR UPDATE ON effects FOR EACH STATEMENT EXECUTE FUNCTION trouble()",
    "CREATE TRIGGER trouble AFTER INSERT OR UPDATE ON charges FOR EACH STATEMENT EXECUTE FUNCTION trouble()",
    "CREATE TRIGGER trouble AFTER INSERT OR UPDATE ON test_effects FOR EACH STATEMENT EXECUTE FUNCTION trouble()",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_the_store_does_not_answer_is_not_charged_for_it() {
    for combination in stores() {
        // More often than a step is tried.
        let left = AtomicU32::new(5);
        let world = World::new(
            combination,
            Doer::new(move |what, attempt| {
                assert_eq!(attempt, 1, "{what} was charged");
                let another = |left: u32| left.checked_sub(1);
                match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, another) {
                    Ok(_) => Err(StepError::retry(sqlx::Error::PoolTimedOut)),
                    Err(_) => Ok(()),
                }
            }),
        )
        .await;
        world.worker("one");
        let saga = world.tell(Told::KIND, |flow| flow.step(far("a"))).await;
        world.until(saga, SagaState::Succeeded).await;
        let step = &world.run(saga).await.steps[0];
        assert_eq!((step.attempt, step.crashes), (1, 0), "{}", world.label);
        assert_eq!(world.doer.attempted("do a"), 6, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_the_store_breaks_off_are_made_again_and_nothing_else_is() {
    for combination in stores().filter(|(store, _)| *store == StoreKind::Postgres) {
        let world = World::new(combination, Doer::well()).await;
        let mut sagas = vec![];
        for _ in 0..SAGAS {
            let saga = world.tell(Told::KIND, |flow| {
                Ok(flow.step(deed("a"))? + &flow.step(near("pay"))? + &flow.step(far("b"))?)
            });
            sagas.push(saga.await);
        }
        let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
        for sql in std::iter::once(TROUBLE).chain(TABLES) {
            tx.query(sql).execute().await.unwrap();
        }
        tx.commit().await.unwrap();
        world.worker("one");
        world.worker("two");
        for saga in &sagas {
            world.until(*saga, SagaState::Succeeded).await;
            for step in &world.run(*saga).await.steps {
                assert_eq!((step.attempt, step.crashes), (1, 0), "{}", step.key);
            }
            assert_eq!(world.effects(*saga).await.len(), 3);
        }
        let paid = usize::try_from(world.doer.attempted("paid")).unwrap();
        assert_eq!(paid, SAGAS, "{}: a stored answer is kept", world.label);
        world.end().await;
    }
}
