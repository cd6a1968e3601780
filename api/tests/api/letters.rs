//! Dead letters: who may judge them, and that it happens once.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A job that stands before the closed gate, and its letter.
async fn parked(app: &App, me: &Person) -> (Uuid, String) {
    let job = app.start("demo.gate", me).await;
    let letter = app
        .until_status(job, me, "parked")
        .await
        .text("dead_letter");
    (job, format!("/api/v1/admin/dead-letters/{letter}"))
}

#[tokio::test]
async fn a_letter_is_listed_and_told_in_full() {
    on_each(async |app| {
        app.work();
        let (me, admin, operator) = (
            app.person(&["member"]),
            app.person(&["admin"]),
            app.person(&["operator"]),
        );
        let (job, path) = parked(app, &me).await;
        let (_, other) = parked(app, &me).await;
        let list = app
            .get(
                "/api/v1/admin/dead-letters?state=open&kind=demo.gate&limit=1",
                &admin,
            )
            .await
            .is(200);
        assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(list.body["items"][0]["links"]["self"], other);
        let next = list.text("next_cursor");
        let rest = app
            .get(
                &format!("/api/v1/admin/dead-letters?status=open&cursor={next}"),
                &admin,
            )
            .await
            .is(200);
        assert_eq!(rest.body["items"][0]["job"], job.to_string());
        assert_eq!(rest.body["next_cursor"], Value::Null);
        for (text, found) in [("GATE%20is", 2), ("spoon", 0)] {
            let path = format!("/api/v1/admin/dead-letters?q={text}");
            let list = app.get(&path, &admin).await.is(200).body;
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{text}");
        }
        let none = app
            .get("/api/v1/admin/dead-letters?state=discarded", &admin)
            .await
            .is(200);
        assert_eq!(none.body["items"], json!([]));
        let told = app.get(&path, &admin).await.is(200);
        assert_eq!(
            (&told.body["message"], &told.body["class"]),
            (&json!("the gate is closed"), &json!("transient"))
        );
        assert_eq!(
            (&told.body["input"], &told.body["job_state"]),
            (&json!({}), &json!("parked"))
        );
        let tries = told.body["tries"].as_array().unwrap();
        assert_eq!(tries.len(), 1);
        assert_eq!(
            (&tries[0]["outcome"], &tries[0]["message"]),
            (&json!("failed"), &json!("the gate is closed"))
        );
        assert!(tries[0]["worker"].is_string() && tries[0]["ended_at"].is_string());
        assert_eq!(told.body["calls"], json!([]));
        assert!(told.body["history"].as_array().unwrap().len() > 2);
        assert_eq!(
            app.get(&path, &operator).await.is(200).body["input"],
            Value::Null,
            "an operator sees no data"
        );
        app.get(&path, &me).await.is_problem(403, "forbidden");
        app.get(
            &format!("/api/v1/admin/dead-letters/{}", Uuid::now_v7()),
            &admin,
        )
        .await
        .is_problem(404, "not_found");
        app.get("/api/v1/admin/dead-letters?state=odd", &admin)
            .await
            .is_problem(400, "bad_parameter");
    })
    .await;
}

#[tokio::test]
async fn of_two_admins_at_one_letter_one_replays_and_the_other_is_told_fifty_times_over() {
    on_each(async |app| {
        app.work();
        let me = app.person(&["member"]);
        let (ana, ben) = (app.person(&["admin"]), app.person(&["admin"]));
        let mut letters = vec![];
        for _ in 0..50 {
            letters.push(parked(app, &me).await);
        }
        app.gate.open();
        for (job, path) in letters {
            let (path, body) = (format!("{path}/replay"), json!({}));
            let (one, two) =
                tokio::join!(app.post(&path, &ana, &body), app.post(&path, &ben, &body));
            let (won, lost, winner) = if one.status == 202 {
                (one, two, &ana)
            } else {
                (two, one, &ben)
            };
            assert_eq!(won.is(202).text("job_id"), job.to_string());
            let told = lost.is_problem(409, "already_resolved");
            let winner = format!("{}@example.org", winner.account.simple());
            assert_eq!(told.text("resolved_by"), winner);
            told.text("resolved_at");
            app.until_status(job, &me, "succeeded").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_replayed_once() {
    on_each(async |app| {
        app.work();
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        let (job, path) = parked(app, &me).await;
        app.gate.open();
        let replay = format!("{path}/replay");
        let body = json!({"reason": "the gate is open"});
        let all = (0..10).map(|_| app.post(&replay, &admin, &body));
        let mut replayed = 0;
        for answer in futures_util::future::join_all(all).await {
            if answer.status == 202 {
                replayed += 1;
                assert_eq!(
                    (&answer.body["mode"], answer.text("job_id")),
                    (&json!("in_place"), job.to_string())
                );
                continue;
            }
            let told = answer.is_problem(409, "already_resolved");
            assert_eq!(
                (&told.body["state"], &told.body["retryable"]),
                (&json!("replayed"), &json!(false))
            );
            assert_eq!(
                told.text("resolved_by"),
                format!("{}@example.org", admin.account.simple())
            );
            told.text("resolved_at");
        }
        assert_eq!(replayed, 1);
        let done = app.until_status(job, &me, "succeeded").await;
        assert_eq!(
            (&done.body["result"], &done.body["error"]),
            (&json!("passed"), &Value::Null)
        );
        let told = app.get(&path, &admin).await.is(200);
        assert_eq!(
            (&told.body["state"], &told.body["reason"]),
            (&json!("replayed"), &json!("the gate is open"))
        );
        let events = app
            .get(&format!("/api/v1/jobs/{job}/events"), &me)
            .await
            .is(200);
        assert!(
            !events.body.to_string().contains("example.org"),
            "an owner is not told who: {events:#?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_discarded_and_its_input_used_again() {
    on_each(async |app| {
        app.work();
        let (me, admin) = (app.person(&["member"]), app.person(&["operator"]));
        let (job, path) = parked(app, &me).await;
        let discarded = app
            .post(
                &format!("{path}/discard"),
                &admin,
                &json!({"note": "no use"}),
            )
            .await
            .is(200);
        assert_eq!(
            (&discarded.body["state"], &discarded.body["reason"]),
            (&json!("discarded"), &json!("no use"))
        );
        let failed = app.until_status(job, &me, "failed").await;
        assert_eq!(
            (&failed.body["done"], &failed.body["error"]["message"]),
            (&json!(true), &json!("the gate is closed"))
        );
        app.post(&format!("{path}/discard"), &admin, &json!({}))
            .await
            .is_problem(409, "already_resolved");
        app.gate.open();
        let again = app
            .post(&format!("{path}/replay"), &admin, &json!({}))
            .await
            .is(202);
        assert_eq!(
            (&again.body["mode"], again.text("replay_of")),
            (&json!("new_job"), job.to_string())
        );
        let new: Uuid = again.text("job_id").parse().unwrap();
        assert_ne!(new, job);
        app.until_status(new, &me, "succeeded").await;
        app.post(&format!("{path}/replay"), &admin, &json!({}))
            .await
            .is_problem(409, "already_resolved");
    })
    .await;
}

#[tokio::test]
async fn whoever_lost_the_answer_to_a_decision_gets_it_again() {
    on_each(async |app| {
        app.work();
        let (me, admin, other) = (
            app.person(&["member"]),
            app.person(&["admin"]),
            app.person(&["admin"]),
        );
        // Decided, and then the process died: the key is not there.
        let lost = async |verb: &str, status: u16| {
            let (_, path) = parked(app, &me).await;
            let path = format!("{path}/{verb}");
            let body = json!({"reason": "it is time"});
            let first = app.post(&path, &admin, &body).await.is(status);
            let keyed = async |by: &Person, body: &Value| {
                let request = app.request(Method::POST, &path, Some(by)).json(body);
                app.send(request.header("idempotency-key", "k")).await
            };
            let again = keyed(&admin, &body).await.is(status);
            (first, again, keyed(&other, &body).await)
        };
        let (first, again, others) = lost("discard", 200).await;
        assert_eq!(first.body, again.body);
        others.is_problem(409, "already_resolved");
        let (first, again, others) = lost("replay", 202).await;
        assert_eq!(first.body, again.body);
        others.is_problem(409, "already_resolved");
    })
    .await;
}

#[tokio::test]
async fn a_long_history_is_told_from_its_end() {
    let app = App::new(None, |_| {}).await;
    app.work();
    let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
    let (job, mut path) = parked(&app, &me).await;
    let newest = async || {
        let run = app.store.view(&[job]).await.unwrap().remove(&job).unwrap();
        run.saga.seq
    };
    while newest().await <= 210 {
        let replay = format!("{path}/replay");
        app.post(&replay, &admin, &json!({})).await.is(202);
        let letter = app
            .until_status(job, &me, "parked")
            .await
            .text("dead_letter");
        path = format!("/api/v1/admin/dead-letters/{letter}");
    }
    let told = app.get(&path, &admin).await.is(200);
    let history = told.body["history"].as_array().unwrap();
    assert_eq!(history.len(), 200);
    assert_eq!(history[199]["id"], newest().await);
    assert_eq!(history[199]["name"], "saga.parked");
    app.end().await;
}

#[tokio::test]
async fn an_unreadable_message_can_only_be_discarded() {
    on_each(async |app| {
        let admin = app.person(&["admin"]);
        let poison = app.store.poison("synthesis", b"\0junk", "no ticket").await;
        let path = format!("/api/v1/admin/dead-letters/{}", poison.unwrap());
        let refused = app
            .post(&format!("{path}/replay"), &admin, &json!({}))
            .await;
        let detail = refused.is_problem(409, "state_conflict").text("detail");
        assert!(detail.contains("unreadable message"), "{detail}");
        app.post(&format!("{path}/discard"), &admin, &json!({}))
            .await
            .is(200);
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_short_and_known() {
    let app = App::new(None, |_| {}).await;
    let admin = app.person(&["admin"]);
    let path = format!("/api/v1/admin/dead-letters/{}/replay", Uuid::now_v7());
    app.post(&path, &admin, &json!({}))
        .await
        .is_problem(404, "not_found");
    app.post(&path, &admin, &json!({"why": "x"}))
        .await
        .is_problem(400, "unknown_field");
    let long = app
        .post(&path, &admin, &json!({"reason": "x".repeat(501)}))
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(long.body["errors"][0]["pointer"], "/reason");
    app.end().await;
}

#[tokio::test]
async fn letters_that_failed_alike_are_one_group() {
    on_each(async |app| {
        app.work();
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        parked(app, &me).await;
        let (_, newest) = parked(app, &me).await;
        app.store
            .poison("synthesis", b"?", "no ticket")
            .await
            .unwrap();
        let at = "/api/v1/admin/dead-letters/groups";
        let groups = app.get(at, &operator).await.is(200);
        let found = groups.body["items"].as_array().unwrap();
        let counts: Vec<_> = found.iter().map(|group| &group["letters"]).collect();
        assert_eq!(counts, [2, 1], "the largest first: {}", groups.body);
        let gate = &found[0];
        assert_eq!(gate["by"], "error");
        assert_eq!(gate["message"], "the gate is closed");
        assert!(gate["attempts"].as_i64() >= Some(2), "{gate}");
        assert!(
            gate["first_at"].as_str() < gate["last_at"].as_str(),
            "{gate}"
        );

        let letters = gate["links"]["letters"].as_str().unwrap();
        let listed = app.get(letters, &operator).await.is(200);
        let listed = listed.body["items"].as_array().unwrap();
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0]["links"]["self"], newest);
        assert!(listed.iter().all(|letter| letter["group"] == gate["key"]));

        for (by, keys) in [
            ("queue", vec!["synthesis"]),
            ("class", vec!["transient", "poison"]),
            ("kind", vec!["demo.gate", ""]),
        ] {
            let groups = app
                .get(&format!("{at}?by={by}&state=open"), &operator)
                .await;
            let groups = groups.is(200);
            let found = groups.body["items"].as_array().unwrap();
            let told: Vec<_> = found.iter().map(|group| &group["key"]).collect();
            assert_eq!(told, keys, "by {by}");
            let letters = found[0]["links"]["letters"].as_str().unwrap();
            let listed = app.get(letters, &operator).await.is(200);
            let listed = listed.body["items"].as_array().unwrap().len();
            assert_eq!(found[0]["letters"], listed, "by {by}");
        }
        let none = app.get(&format!("{at}?state=expired"), &operator).await;
        assert_eq!(none.is(200).body["items"], json!([]));
        let wrong = app.get(&format!("{at}?by=mood"), &operator).await;
        let told = wrong.is_problem(400, "bad_parameter");
        assert!(
            told.body["detail"].as_str().unwrap().contains("worker"),
            "{}",
            told.body
        );
        app.get(at, &me).await.is_problem(403, "forbidden");
        app.post(
            &format!("{newest}/discard"),
            &operator,
            &json!({"reason": "x"}),
        )
        .await
        .is(200);
        let left = app
            .get(&format!("{at}?state=open"), &operator)
            .await
            .is(200);
        assert_eq!(left.body["items"][0]["letters"], 1);
    })
    .await;
}
