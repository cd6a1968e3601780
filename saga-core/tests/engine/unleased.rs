//! Steps that reach no further than the store run before they are claimed, on PostgreSQL: whatever
//! others do meanwhile, they count once or not at all. On SQLite the same holds under a lease.

use crate::doer::Doer;
use crate::sagas::{News, deed, near};
use crate::stories::{Story, Told};
use crate::support::{World, combinations};
use saga_core::Saga;
use saga_core::db::Db;
use saga_core::handler::StepError;
use saga_core::state::SagaState;
use serde_json::json;
use uuid::Uuid;

const NEAR: Story = |flow| flow.step(near("a"));
const NEAR_TWICE: Story = |flow| Ok(flow.step(near("a"))? + &flow.step(near("b"))?);
const NEAR_AND_NEWS: Story = |flow| {
    flow.step(near("a"))?;
    Ok(flow.signal::<News>()?.0)
};

impl World {
    fn on_postgres(&self) -> bool {
        matches!(self.store.db(), Db::Postgres(_))
    }

    /// What became true in each transaction.
    async fn pages(&self, saga: Uuid) -> Vec<String> {
        let pages: Vec<(String,)> = self
            .store
            .db()
            .query("SELECT page FROM events WHERE saga_id = $1 ORDER BY seq")
            .bind(saga)
            .all()
            .await
            .unwrap();
        pages.into_iter().map(|(page,)| page).collect()
    }

    async fn until_attempted(&self, what: &str, times: u32, saga: Uuid) {
        let enough = async || self.doer.attempted(what) >= times;
        self.wait(what, enough, saga).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claim_and_answer_are_one_commit() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("w").await;
        let saga = world.tell(Told::KIND, NEAR).await;
        world.until(saga, SagaState::Succeeded).await;
        let pages = world.pages(saga).await;
        let at_once = pages
            .iter()
            .any(|page| page.contains("step.started") && page.contains("step.succeeded"));
        assert_eq!(at_once, world.on_postgres(), "{}: {pages:?}", world.label);
        let run = world.run(saga).await;
        assert_eq!((run.steps[0].attempt, run.steps[0].epoch), (1, 1));
        assert!(run.saga.started_at.is_some() && run.steps[0].started_at.is_some());
        assert_eq!(world.effects(saga).await, ["did a"], "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_them_is_done_in_order_and_once() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        world.worker_at_work("two").await;
        let mut sagas = vec![];
        for _ in 0..20 {
            let (saga, tickets) = world.tell_quietly(Told::KIND, NEAR_TWICE).await;
            // The same ticket for both of them.
            world.client.publish([tickets.clone(), tickets].concat());
            sagas.push(saga);
        }
        for saga in sagas {
            world.until(saga, SagaState::Succeeded).await;
            let effects = world.effects(saga).await;
            assert_eq!(effects, ["did a", "did b"], "{}", world.label);
            let run = world.run(saga).await;
            assert!(run.steps.iter().all(|step| step.epoch == 1), "{run:#?}");
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_are_at_it_at_once_one_counts() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        if !world.on_postgres() {
            world.end().await;
            continue;
        }
        world.worker_at_work("one").await;
        world.doer.hold("do a");
        let (saga, tickets) = world.tell_quietly(Told::KIND, NEAR).await;
        world.client.publish(tickets.clone());
        world.until_attempted("do a", 1, saga).await;
        world.client.publish(tickets);
        world.until_attempted("do a", 2, saga).await;
        world.doer.let_go();
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a"], "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_is_cancelled_meanwhile_has_none_of_it() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("w").await;
        world.doer.hold("do a");
        let saga = world.tell(Told::KIND, NEAR).await;
        world.until_attempted("do a", 1, saga).await;
        world.cancel(saga).await.unwrap();
        if world.on_postgres() {
            world.until(saga, SagaState::Undone).await; // it waits for nobody
        }
        world.doer.let_go();
        world.until(saga, SagaState::Undone).await;
        // The slot is free again, so the answer has been judged.
        let after = world
            .tell(Told::KIND, |flow| flow.step(deed("after")))
            .await;
        world.until(after, SagaState::Succeeded).await;
        let effects = world.effects(saga).await;
        assert_eq!(effects.is_empty(), world.on_postgres(), "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_that_comes_meanwhile_costs_a_second_run_and_nothing_else() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("w").await;
        world.doer.hold("do a");
        let saga = world.tell(Told::KIND, NEAR_AND_NEWS).await;
        world.until_attempted("do a", 1, saga).await;
        world.tell_news(saga).await;
        world.doer.let_go();
        world.until(saga, SagaState::Succeeded).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.output, Some(json!("hear, hear")));
        assert_eq!(run.steps[0].attempt, 1, "{}", world.label);
        assert_eq!(world.effects(saga).await, ["did a"], "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_judged_under_a_lease_and_counted_once() {
    let fickle = |what: &str, attempt: i64| match (what, attempt) {
        ("do a", 1) => Err(StepError::retry("not yet")),
        ("do b", _) => Err(StepError::fail("never")),
        ("do c", 1) => panic!("at the disco"),
        _ => Ok(()),
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::new(fickle)).await;
        world.worker_at_work("w").await;
        let fickle = world.tell(Told::KIND, NEAR).await;
        let panics = world.tell(Told::KIND, |flow| flow.step(near("c"))).await;
        for saga in [fickle, panics] {
            world.until(saga, SagaState::Succeeded).await;
            assert_eq!(world.run(saga).await.steps[0].attempt, 2);
            assert_eq!(world.effects(saga).await.len(), 1, "{}", world.label);
        }
        let hopeless = world.tell(Told::KIND, |flow| flow.step(near("b"))).await;
        world.until(hopeless, SagaState::Parked).await;
        assert_eq!(world.open_letter(hopeless).await.message, "never");
        assert_eq!(world.run(hopeless).await.steps[0].attempt, 1);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_rows_are_refused_takes_nobody_along() {
    let refuse = |row: &str| match row {
        "did bad" => Err(StepError::fail("this row never")),
        _ => Ok(()),
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well().recording(refuse)).await;
        world.worker_at_work("w").await;
        // Both are answered at the same moment, and settled together.
        world.doer.hold("do bad");
        world.doer.hold("do a");
        let bad = world.tell(Told::KIND, |flow| flow.step(near("bad"))).await;
        let good = world.tell(Told::KIND, NEAR).await;
        world.until_attempted("do bad", 1, bad).await;
        world.until_attempted("do a", 1, good).await;
        world.doer.let_go();
        world.until(bad, SagaState::Parked).await;
        world.until(good, SagaState::Succeeded).await;
        assert_eq!(world.effects(good).await, ["did a"], "{}", world.label);
        assert_eq!(world.effects(bad).await, [""; 0], "{}", world.label);
        assert_eq!(world.run(bad).await.steps[0].attempt, 1);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_call_waits_for_the_lease() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("w").await;
        let saga = world.tell(Told::KIND, |flow| flow.step(near("pay"))).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.doer.attempted("paid"), 1, "{}", world.label);
        assert_eq!(world.effects(saga).await, ["did pay"], "{}", world.label);
        world.end().await;
    }
}
