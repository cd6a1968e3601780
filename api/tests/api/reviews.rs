//! The inbox: who sees a review, who decides it, and that it is decided once.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const REVIEWS: &str = "/api/v1/reviews";

/// A job that asks, and what it asks first.
async fn asked(app: &App, me: &Person, input: &Value) -> (Uuid, String) {
    let body = json!({"kind": "demo.draft", "input": input});
    let job = app.post("/api/v1/jobs", me, &body).await.is(202).id();
    (job, pending(app, me, job).await)
}

/// The address of the review that a job waits for.
async fn pending(app: &App, me: &Person, job: Uuid) -> String {
    let of_job = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        let ours = items.filter(|item| item["job_id"] == json!(job));
        ours.map(|item| item["links"]["self"].as_str().unwrap().to_owned())
            .next()
    };
    let path = format!("{REVIEWS}?status=pending&limit=100");
    let page = app
        .until(&path, me, |answer| of_job(&answer.body).is_some())
        .await;
    of_job(&page.body).unwrap()
}

#[tokio::test]
async fn what_a_job_asks_is_sent_back_and_approved_by_whoever_may() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["curator"]));
        let stranger = app.person(&["member"]);
        let (job, first) = asked(app, &me, &Value::Null).await;
        let told = app.get(&format!("/api/v1/jobs/{job}"), &me).await.is(200);
        assert_eq!(told.body["status"], "waiting");
        assert_eq!(told.body["waiting_for"]["type"], "review");
        assert_eq!(told.body["waiting_for"]["name"], "look");

        let mine = app.get(&first, &me).await.is(200);
        assert_eq!(mine.body["may_decide"], false);
        assert_eq!(
            mine.body["subject"],
            json!({"kind": "draft", "id": "first"})
        );
        assert_eq!(mine.body["requested_by"], json!(me.account));
        let approve = format!("{first}/approve");
        let refused = app.post(&approve, &me, &json!({})).await;
        refused.is_problem(403, "forbidden");
        app.get(&first, &stranger)
            .await
            .is_problem(404, "not_found");
        let refused = app.post(&approve, &stranger, &json!({})).await;
        refused.is_problem(404, "not_found");
        let none = app.get(REVIEWS, &stranger).await.is(200);
        assert_eq!(none.body["items"], json!([]));

        let revise = format!("{first}/revise");
        let silent = app.post(&revise, &ana, &json!({})).await;
        let silent = silent.is_problem(422, "validation_failed");
        assert_eq!(silent.body["errors"][0]["pointer"], "/notes");
        let long = json!({"notes": "x".repeat(2_001)});
        let long = app.post(&revise, &ana, &long).await;
        long.is_problem(422, "validation_failed");
        let notes = json!({"notes": "shorter"});
        let back = app.post(&revise, &ana, &notes).await.is(200);
        assert_eq!(back.body["status"], "changes_requested");

        let second = pending(app, &ana, job).await;
        let seen = app.get(&second, &ana).await.is(200);
        assert_eq!(seen.body["revision"], 1);
        assert_eq!(seen.body["revisions_left"], 2);
        assert_eq!(seen.body["may_decide"], true);
        let fine = json!({"notes": "fine"});
        let decided = app.post(&format!("{second}/approve"), &ana, &fine).await;
        let decided = decided.is(200);
        assert_eq!(decided.body["status"], "approved");
        assert_eq!(decided.body["notes"], "fine");
        let email = format!("{}@example.org", ana.account.simple());
        assert_eq!(decided.text("decided_by"), email);
        let done = app.until_status(job, &me, "succeeded").await;
        assert_eq!(done.body["result"], "shorter");
        let mine = app.get(&second, &me).await.is(200);
        assert_eq!(mine.body["decided_by"], Value::Null, "not for members");

        let late = app.post(&format!("{second}/reject"), &ana, &fine).await;
        let late = late.is_problem(409, "already_resolved");
        assert_eq!(
            (late.text("state"), late.text("resolved_by")),
            ("approved".to_owned(), email)
        );
        let admin = app.person(&["admin"]);
        let audit = app
            .get("/api/v1/admin/audit?verb=review.approve", &admin)
            .await;
        assert_eq!(audit.is(200).body["items"][0]["reason"], "fine");
    })
    .await;
}

#[tokio::test]
async fn it_is_sent_back_three_times_at_most() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["reviewer"]));
        let (job, mut review) = asked(app, &me, &Value::Null).await;
        for notes in ["one", "two", "three"] {
            let body = json!({"notes": notes});
            app.post(&format!("{review}/revise"), &ana, &body)
                .await
                .is(200);
            review = pending(app, &ana, job).await;
        }
        let body = json!({"notes": "four"});
        let refused = app.post(&format!("{review}/revise"), &ana, &body).await;
        refused.is_problem(409, "state_conflict");
        let rejected = app
            .post(&format!("{review}/reject"), &ana, &json!({}))
            .await;
        assert_eq!(rejected.is(200).body["status"], "rejected");
        let done = app.until_status(job, &me, "succeeded").await;
        assert_eq!(done.body["result"], "rejected");
    })
    .await;
}

#[tokio::test]
async fn an_approval_is_another_word_for_a_review() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["curator"]));
        let (_, review) = asked(app, &me, &Value::Null).await;
        let other = review.replace("/reviews/", "/approvals/");
        assert_ne!(other, review);
        let told = app.get(&other, &ana).await.is(200);
        assert_eq!(told.body, app.get(&review, &ana).await.is(200).body);
        let approve = format!("{other}/approve");
        app.post(&approve, &me, &json!({}))
            .await
            .is_problem(403, "forbidden");
        app.post(&approve, &ana, &json!({})).await.is(200);
        let listed = app.get("/api/v1/approvals?status=approved", &ana).await;
        let first = &listed.is(200).body["items"][0]["links"]["self"];
        assert_eq!(first, &json!(review));
    })
    .await;
}

#[tokio::test]
async fn the_same_decision_twice_under_one_key_is_one_and_gets_one_answer() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["curator"]));
        let (_, review) = asked(app, &me, &Value::Null).await;
        let approve = async || {
            let path = format!("{review}/approve");
            let request = app.request(Method::POST, &path, Some(&ana));
            let request = request.header("idempotency-key", "approve-once");
            app.send(request.json(&json!({"notes": "fine"}))).await
        };
        let (first, again) = (approve().await.is(200), approve().await.is(200));
        assert_eq!(first.body, again.body);
        assert_eq!(again.header("idempotency-replayed"), "true");
    })
    .await;
}

#[tokio::test]
async fn whoever_asked_leaves_it_to_others_and_whoever_is_named_decides() {
    on_each(async |app| {
        let ana = app.person(&["member", "curator"]);
        let (job, review) = asked(app, &ana, &json!({"four_eyes": true})).await;
        let approve = format!("{review}/approve");
        let own = app.post(&approve, &ana, &json!({})).await;
        own.is_problem(403, "forbidden");
        let ben = app.person(&["curator"]);
        app.post(&approve, &ben, &json!({})).await.is(200);
        app.until_status(job, &ana, "succeeded").await;

        let (me, named) = (app.person(&["member"]), app.person(&["client"]));
        let input = json!({"decider": named.account});
        let (job, review) = asked(app, &me, &input).await;
        assert_eq!(pending(app, &named, job).await, review);
        let approve = format!("{review}/approve");
        app.post(&approve, &named, &json!({})).await.is(200);
        app.until_status(job, &me, "succeeded").await;
    })
    .await;
}

#[tokio::test]
async fn an_inbox_is_told_page_by_page() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["curator"]));
        let mut all = vec![];
        for _ in 0..3 {
            all.insert(0, asked(app, &me, &Value::Null).await.1);
        }
        let (mut cursor, mut told) = (String::new(), vec![]);
        loop {
            let path = format!("{REVIEWS}?subject_kind=draft&limit=2{cursor}");
            let page = app.get(&path, &ana).await.is(200).body;
            let items = page["items"].as_array().unwrap();
            told.extend(items.iter().map(|item| item["links"]["self"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(told, all);
        let wrong = app.get("/api/v1/reviews?status=open", &ana).await;
        wrong.is_problem(400, "bad_parameter");
    })
    .await;
}

#[tokio::test]
async fn a_job_names_its_children_and_they_name_it() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let job = app.start("demo.family", &me).await;
        let told = app.until_status(job, &me, "waiting").await;
        let children = told.body["children"].as_array().unwrap().clone();
        assert_eq!(children.len(), 2);
        assert_eq!(told.body["waiting_for"]["type"], "children");
        for child in &children {
            let child = child.as_str().unwrap();
            let told = app.get(&format!("/api/v1/jobs/{child}"), &me).await;
            assert_eq!(told.is(200).body["parent"], json!(job));
        }
        let saga = format!("/api/v1/admin/sagas/{job}");
        let saga = app.get(&saga, &ana).await.is(200).body;
        assert_eq!(saga["children"], json!(children));
        assert_eq!(saga["why"][0]["code"], "waiting_for_child");
        let message = saga["why"][0]["message"].as_str().unwrap();
        assert!(message.ends_with("It is waiting."), "{message}");
    })
    .await;
}
