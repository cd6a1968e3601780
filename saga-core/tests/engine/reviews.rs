//! Reviews: a saga asks people and waits as a row; they decide once, send it back, or let it expire.

use crate::doer::Doer;
use crate::sagas::{back, deed};
use crate::stories::{Hurried, Story, Told};
use crate::support::{World, combinations};
use saga_core::db::Durability;
use saga_core::rehearsal::Rehearsal;
use saga_core::review::{Decision, OnExpiry, REVISIONS_MAX};
use saga_core::run::{Outside, Why};
use saga_core::state::SagaState;
use saga_core::store::{ReviewError, ReviewFilter, ReviewRow, Verdict, audit::AuditFilter};
use saga_core::{Flow, Halt, Review, Saga};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Makes something, as often as people want it changed.
const DRAFT: Story = |flow| {
    let made = flow.reviewed("look", |flow, notes| {
        let made = flow.step(deed(notes.unwrap_or("first")))?;
        Ok((
            made,
            Review::of("draft", 7, "drafts.review").titled("A draft"),
        ))
    })?;
    Ok(made.unwrap_or_else(|said| format!("not: {}", said.decision.as_str())))
};

fn soon(on_expiry: OnExpiry) -> Review {
    let review = Review::of("draft", 7, "drafts.review").on_expiry(on_expiry);
    review.within(Duration::from_millis(30))
}

/// Asks once, and says what it was told.
fn asks(flow: &mut Flow, review: Review) -> Result<String, Halt> {
    flow.undo_with(back("a"));
    flow.step(deed("a"))?;
    Ok(match flow.review("gate", review)? {
        Ok(said) => format!("yes: {:?}", said.notes),
        Err(said) => format!("no: {}", said.decision.as_str()),
    })
}

async fn open(world: &World, saga: Uuid) -> ReviewRow {
    let found = std::sync::Mutex::new(None);
    let asked = async || {
        let filter = ReviewFilter {
            state: Some("pending".to_owned()),
            limit: 100,
            ..ReviewFilter::default()
        };
        let reviews = world.store.reviews(&filter).await.unwrap();
        let ours = reviews.into_iter().find(|review| review.saga_id == saga);
        *found.lock().unwrap() = ours;
        found.lock().unwrap().is_some()
    };
    world.wait("somebody is asked", asked, saga).await;
    found.into_inner().unwrap().unwrap()
}

async fn decide(
    world: &World,
    id: Uuid,
    decision: Decision,
    notes: &str,
) -> Result<ReviewRow, ReviewError> {
    let verdict = Verdict {
        decision,
        by: "ana",
        notes: Some(notes),
    };
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let (review, tickets) = world.store.decide_review(&mut tx, id, &verdict).await?;
    tx.commit().await.unwrap();
    world.client.publish(tickets);
    Ok(review)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_back_is_made_again_by_the_notes_and_goes_on_once_it_is_approved() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, DRAFT).await;
        let first = open(&world, saga).await;
        let told = (first.point.as_str(), first.subject_id.as_str());
        assert_eq!(told, ("look", "7"), "{}", world.label);
        let left = i64::from(REVISIONS_MAX);
        assert_eq!((first.revision, first.rounds_left), (0, left));
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Waiting);
        let why = run.why(world.now().await, &Outside::default());
        assert_eq!(why[0].code, Why::WaitingForReview);
        assert!(why[0].message.contains("drafts.review"));
        decide(&world, first.id, Decision::ChangesRequested, "shorter")
            .await
            .unwrap();
        let second = open(&world, saga).await;
        assert_eq!((second.revision, second.rounds_left), (1, left - 1));
        let decided = decide(&world, second.id, Decision::Approved, "fine").await;
        let decided = decided.unwrap();
        assert_eq!(decided.state, "approved");
        assert_eq!(decided.decided_by.as_deref(), Some("ana"));
        assert!(decided.decided_at.is_some());
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did first", "did shorter"]);
        let output = world.run(saga).await.saga.output;
        assert_eq!(output, Some(json!("shorter")), "{}", world.label);
        let filter = AuditFilter {
            target: Some(second.id.to_string()),
            limit: 10,
            ..AuditFilter::default()
        };
        let audit = world.store.audit(&filter).await.unwrap();
        let told = (audit[0].verb.as_str(), audit[0].reason.as_str());
        assert_eq!(told, ("review.approve", "fine"));
        assert_eq!(audit[0].actor, "ana");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_three_revisions_it_is_approved_or_rejected() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, DRAFT).await;
        for round in 0..REVISIONS_MAX {
            let review = open(&world, saga).await;
            assert_eq!(review.revision, i64::from(round));
            let again = decide(&world, review.id, Decision::ChangesRequested, "again");
            again.await.unwrap();
        }
        let last = open(&world, saga).await;
        let refused = decide(&world, last.id, Decision::ChangesRequested, "again").await;
        assert!(matches!(refused, Err(ReviewError::NoRoundsLeft)));
        decide(&world, last.id, Decision::Rejected, "no")
            .await
            .unwrap();
        world.until(saga, SagaState::Succeeded).await;
        let output = world.run(saga).await.saga.output;
        assert_eq!(output, Some(json!("not: rejected")), "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_who_decide_at_once_one_does() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, DRAFT).await;
        let id = open(&world, saga).await.id;
        let mut tasks = JoinSet::new();
        for n in 0..20 {
            let store = world.store.clone();
            tasks.spawn(async move {
                let by = format!("person {n}");
                let verdict = Verdict {
                    decision: if n % 2 == 0 {
                        Decision::Approved
                    } else {
                        Decision::Rejected
                    },
                    by: &by,
                    notes: None,
                };
                let mut tx = store.db().begin(Durability::Full).await.unwrap();
                let decided = store.decide_review(&mut tx, id, &verdict).await;
                if decided.is_ok() {
                    tx.commit().await.unwrap();
                }
                decided.map(|(review, _)| review)
            });
        }
        let all = tasks.join_all().await;
        let decided: Vec<&ReviewRow> = all.iter().flatten().collect();
        assert_eq!(decided.len(), 1, "{}", world.label);
        for refused in all.iter().filter_map(|one| one.as_ref().err()) {
            assert!(matches!(refused, ReviewError::Decided(_)), "{refused:?}");
        }
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(
            world.store.review(id).await.unwrap().as_ref(),
            Some(decided[0])
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_decides_ends_as_it_was_asked_to() {
    let stories: [(Story, SagaState, &str); 3] = [
        (
            |flow| asks(flow, soon(OnExpiry::Approve)),
            SagaState::Succeeded,
            "yes: None",
        ),
        (
            |flow| asks(flow, soon(OnExpiry::Reject)),
            SagaState::Succeeded,
            "no: expired",
        ),
        (
            |flow| asks(flow, soon(OnExpiry::Fail)),
            SagaState::Undone,
            "review_expired: nobody decided gate#1 in time",
        ),
    ];
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        for (story, state, told) in stories {
            let saga = world.tell(Told::KIND, story).await;
            world.until(saga, state).await;
            let run = world.run(saga).await.saga;
            let words = if state == SagaState::Undone {
                json!(run.error.unwrap().message)
            } else {
                run.output.unwrap()
            };
            assert_eq!(words, json!(told), "{}", world.label);
            let filter = ReviewFilter {
                limit: 100,
                ..ReviewFilter::default()
            };
            let reviews = world.store.reviews(&filter).await.unwrap();
            let ours = reviews.iter().find(|review| review.saga_id == saga);
            let ours = ours.unwrap();
            assert_eq!((ours.state.as_str(), &ours.decided_by), ("expired", &None));
            let late = decide(&world, ours.id, Decision::Approved, "sorry").await;
            assert!(matches!(late, Err(ReviewError::Decided(state)) if state == "expired"));
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_is_canceled_no_longer_asks() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, DRAFT).await;
        let review = open(&world, saga).await;
        world.cancel(saga).await.unwrap();
        let late = decide(&world, review.id, Decision::Approved, "fine").await;
        assert!(matches!(late, Err(ReviewError::Decided(state)) if state == "closed"));
        world.until(saga, SagaState::Undone).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_a_review_is_not_time_that_its_saga_took() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let story: Story = |flow| {
            let review = Review::of("draft", 7, "drafts.review");
            asks(flow, review)
        };
        let saga = world.tell(Hurried::KIND, story).await;
        let review = open(&world, saga).await;
        let before = world.run(saga).await.saga;
        assert_eq!(before.wake_at, None, "{}: it cannot be late", world.label);
        world.passed(before.deadline_at.unwrap(), saga).await;
        decide(&world, review.id, Decision::Approved, "fine")
            .await
            .unwrap();
        world.until(saga, SagaState::Succeeded).await;
        assert!(world.run(saga).await.saga.deadline_at > before.deadline_at);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_holds_what_concerns_its_account_the_newest_first() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let mut ids = vec![];
        for _ in 0..3 {
            let saga = world.tell(Told::KIND, DRAFT).await;
            ids.insert(0, open(&world, saga).await.id);
        }
        let mut filter = ReviewFilter {
            account: Some(Uuid::now_v7()),
            permissions: vec!["drafts".to_owned(), "other".to_owned()],
            limit: 2,
            ..ReviewFilter::default()
        };
        assert!(world.store.reviews(&filter).await.unwrap().is_empty());
        filter.permissions.push("drafts.review".to_owned());
        let page = world.store.reviews(&filter).await.unwrap();
        let told: Vec<Uuid> = page.iter().map(|review| review.id).collect();
        assert_eq!(told, ids[..2], "{}", world.label);
        filter.before = page.last().map(|last| (last.created_at, last.id));
        let rest = world.store.reviews(&filter).await.unwrap();
        assert_eq!(rest.len(), 1, "{}", world.label);
        assert_eq!(rest[0].id, ids[2]);
        world.end().await;
    }
}

/// As [`DRAFT`], for plays.
struct Drafted;
impl Saga for Drafted {
    const KIND: &'static str = "test.drafted";
    type Input = ();
    type Output = String;
    fn run(flow: &mut Flow, (): ()) -> Result<String, Halt> {
        DRAFT(flow)
    }
}

#[test]
fn a_play_is_decided_or_expires() {
    let play = || Rehearsal::<Drafted>::of(()).answer(|deed: crate::sagas::Deed| Ok(deed.name));
    let played = play()
        .decide(Decision::ChangesRequested, "shorter")
        .decide(Decision::Approved, "fine")
        .play();
    assert_eq!(
        played.lines,
        [
            "did     deed#1 -> \"first\"",
            "decided look#1: changes_requested",
            "did     deed#2 -> \"shorter\"",
            "decided look#2: approved",
            "succeeded",
        ]
    );
    let left = play().play();
    assert_eq!(left.lines[1], "expired look#1");
    assert_eq!(left.state, SagaState::Succeeded, "rejected, which it takes");
}
