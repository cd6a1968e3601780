//! What else a person may do with a letter: answer in its step's place, change its job's input, take it
//! up again, note what is known of its like.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const LETTERS: &str = "/api/v1/admin/dead-letters";

/// A job that stands before the closed gate, and its letter.
async fn parked(app: &App, me: &Person, input: &Value) -> (Uuid, String) {
    let body = json!({"kind": "demo.gate", "input": input});
    let job = app.post("/api/v1/jobs", me, &body).await.is(202).id();
    let parked = app.until_status(job, me, "parked").await;
    (job, format!("{LETTERS}/{}", parked.text("dead_letter")))
}

async fn job(app: &App, id: Uuid, by: &Person) -> Value {
    let job = app.get(&format!("/api/v1/jobs/{id}"), by).await;
    job.is(200).body
}

async fn decisions(app: &App, by: &Person) -> Vec<Value> {
    let page = app.get("/api/v1/admin/audit?limit=100", by).await;
    page.is(200).body["items"].as_array().unwrap().clone()
}

fn email(person: &Person) -> String {
    format!("{}@example.org", person.account.simple())
}

#[tokio::test]
async fn a_letters_step_is_answered_for() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let (id, letter) = parked(app, &me, &json!({})).await;
        let skip = format!("{letter}/skip");
        for (body, pointer) in [
            (json!({"output": "in"}), "/reason"),
            (json!({"reason": "by hand"}), "/output"),
            (json!({"reason": "by hand", "output": {"in": 1}}), "/output"),
        ] {
            let wrong = app.post(&skip, &ana, &body).await;
            let wrong = wrong.is_problem(422, "validation_failed");
            assert_eq!(wrong.body["errors"][0]["pointer"], pointer);
        }
        let mut body = json!({"reason": "by hand", "output": "in", "dry_run": true});
        let look = app.post(&skip, &ana, &body).await.is(200).body;
        assert_eq!(look["consequence"]["runs"], json!(["demo.pass#2"]));
        assert!(decisions(app, &ana).await.is_empty());
        app.gate.open();
        body["dry_run"] = json!(false);
        let all = (0..5).map(|_| app.post(&skip, &ana, &body));
        let mut skipped = 0;
        for answer in futures_util::future::join_all(all).await {
            if answer.status == 202 {
                skipped += 1;
                assert_eq!(answer.body["job_id"], json!(id));
                continue;
            }
            let late = answer.is_problem(409, "already_resolved");
            assert_eq!(
                (late.text("state"), late.text("resolved_by")),
                ("skipped".to_owned(), email(&ana))
            );
        }
        assert_eq!(skipped, 1);
        let done = app.until_status(id, &me, "succeeded").await;
        assert_eq!(done.body["dead_letter"], Value::Null);
        let decided = decisions(app, &ana).await;
        assert_eq!(decided.len(), 1);
        assert_eq!(decided[0]["verb"], "letter.skip");
        let listed = app.get(&format!("{LETTERS}?state=skipped"), &ana).await;
        assert_eq!(listed.is(200).body["items"][0]["links"]["self"], letter);
    })
    .await;
}

#[tokio::test]
async fn an_edited_replay_begins_another_job_once_and_both_know_it() {
    on_each(async |app| {
        app.work();
        let (me, ana, ben) = (
            app.person(&["member"]),
            app.person(&["operator"]),
            app.person(&["operator"]),
        );
        let input = json!({"tea": "green", "sugar": 2});
        let (old, letter) = parked(app, &me, &input).await;
        let replay = format!("{letter}/replay");
        let edit = |input: Value| json!({"edit": {"input": input}, "reason": "no sugar", "from": "failed_step"});
        let same = app.post(&replay, &ana, &edit(json!({"sugar": 2}))).await;
        let same = same.is_problem(422, "validation_failed");
        assert_eq!(same.body["errors"][0]["pointer"], "/edit/input");
        let mut look = edit(json!({"sugar": null}));
        look["dry_run"] = json!(true);
        let look = app.post(&replay, &ana, &look).await.is(200).body;
        assert_eq!(look["mode"], "edited_copy");
        assert_eq!(look["consequence"]["runs"], json!(["demo.pass#1"]));
        assert_eq!(look["consequence"]["kept"], 0);
        assert_eq!(job(app, old, &me).await["status"], "parked", "nothing was done");
        assert!(decisions(app, &ana).await.is_empty());

        app.gate.open();
        let body = edit(json!({"sugar": null, "milk": true}));
        let (one, two) = tokio::join!(app.post(&replay, &ana, &body), app.post(&replay, &ben, &body));
        let (won, lost, winner) = if one.status == 202 {
            (one, two, &ana)
        } else {
            (two, one, &ben)
        };
        let lost = lost.is_problem(409, "already_resolved");
        assert_eq!(lost.text("resolved_by"), email(winner));
        lost.text("resolved_at");
        let won = won.is(202);
        assert_eq!((&won.body["mode"], &won.body["replay_of"]), (&json!("edited_copy"), &json!(old)));
        let new: Uuid = won.text("job_id").parse().unwrap();
        let done = app.until_status(new, &me, "succeeded").await;
        assert_eq!(done.body["replay_of"], json!(old));
        let failed = app.until_status(old, &me, "failed").await;
        assert_eq!(failed.body["replayed_as"], json!(new));

        let admin = app.person(&["admin"]);
        let saga = app.get(&format!("/api/v1/admin/sagas/{new}"), &admin).await.is(200).body;
        assert_eq!(saga["input"], json!({"tea": "green", "milk": true}));
        assert_eq!((&saga["replay_of"], &saga["owner"]), (&json!(old), &json!(me.account)));
        let saga = app.get(&format!("/api/v1/admin/sagas/{old}"), &ana).await.is(200).body;
        assert_eq!(saga["replayed_as"], json!(new));
        let told = app.get(&letter, &ana).await.is(200).body;
        assert_eq!((&told["state"], &told["replayed_as"]), (&json!("replayed"), &json!(new)));
        let decided = decisions(app, &ana).await;
        assert_eq!(decided.len(), 1, "{decided:#?}");
        assert_eq!(decided[0]["detail"]["edited"], json!(["milk", "sugar"]), "names, not what they hold");
        app.post(&replay, &ana, &json!({})).await.is_problem(409, "already_resolved");
    })
    .await;
}

#[tokio::test]
async fn a_replay_from_the_start_begins_another_job_from_the_same_input() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let input = json!({"tea": "green", "sugar": 2});
        let (old, letter) = parked(app, &me, &input).await;
        let replay = format!("{letter}/replay");
        let look = json!({"from": "start", "dry_run": true});
        let look = app.post(&replay, &ana, &look).await.is(200).body;
        assert_eq!(look["mode"], "new_job");
        assert_eq!(look["consequence"]["kept"], 0, "{look}");
        assert_eq!(
            job(app, old, &me).await["status"],
            "parked",
            "nothing was done"
        );

        app.gate.open();
        let body = json!({"from": "start", "reason": "afresh"});
        let told = app.post(&replay, &ana, &body).await.is(202);
        assert_eq!(
            (&told.body["mode"], &told.body["replay_of"]),
            (&json!("new_job"), &json!(old))
        );
        let new: Uuid = told.text("job_id").parse().unwrap();
        assert_ne!(new, old);
        app.until_status(new, &me, "succeeded").await;
        assert_eq!(job(app, new, &me).await["replay_of"], json!(old));
        app.until_status(old, &me, "failed").await;
        assert_eq!(job(app, old, &me).await["replayed_as"], json!(new));
        app.post(&replay, &ana, &body)
            .await
            .is_problem(409, "already_resolved");
        assert_eq!(decisions(app, &ana).await[0]["detail"]["mode"], "new_job");
    })
    .await;
}

#[tokio::test]
async fn an_edit_fits_the_kind_and_leaves_alone_what_is_locked() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let job = app.start("demo.strict", &me).await;
        let letter = app
            .until_status(job, &me, "parked")
            .await
            .text("dead_letter");
        let replay = format!("{LETTERS}/{letter}/replay");
        for (input, pointer, words) in [
            (json!({"owner": "ben"}), "/edit/input/owner", "it stays"),
            (json!({"cups": "many"}), "/edit/input", "expected u32"),
            (json!({"spoons": 1}), "/edit/input", "spoons"),
        ] {
            let body = json!({"edit": {"input": input}});
            let wrong = app.post(&replay, &ana, &body).await;
            let wrong = wrong.is_problem(422, "validation_failed");
            assert_eq!(wrong.body["errors"][0]["pointer"], pointer);
            assert!(wrong.text("detail").contains(words), "{wrong:#?}");
        }
        let nowhere = json!({"from": "the_middle"});
        app.post(&replay, &ana, &nowhere)
            .await
            .is_problem(422, "validation_failed");
        assert!(decisions(app, &ana).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_discarded_letter_is_restored_as_a_new_job_once() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let (old, letter) = parked(app, &me, &json!({"tea": "green"})).await;
        let restore = format!("{letter}/restore");
        let open = app.post(&restore, &ana, &json!({})).await;
        open.is_problem(409, "state_conflict");
        let discard = format!("{letter}/discard");
        let look = app.post(&discard, &ana, &json!({"dry_run": true})).await;
        let look = look.is(200).body;
        assert_eq!(
            (&look["consequence"]["was"], &look["consequence"]["state"]),
            (&json!("parked"), &json!("undone"))
        );
        app.post(&discard, &ana, &json!({"reason": "no use"}))
            .await
            .is(200);
        app.until_status(old, &me, "failed").await;
        app.gate.open();
        let send = async || {
            let request = app.request(Method::POST, &restore, Some(&ana));
            let request = request.header("idempotency-key", "once");
            app.send(request.json(&json!({"reason": "of use after all"})))
                .await
        };
        let restored = send().await.is(202);
        assert_eq!(restored.body["mode"], "new_job");
        let new: Uuid = restored.text("job_id").parse().unwrap();
        app.until_status(new, &me, "succeeded").await;
        assert_eq!(job(app, old, &me).await["replayed_as"], json!(new));
        assert_eq!(send().await.is(202).body, restored.body);
        // What would come of it now is that it is decided, in whose words and under which key it be.
        for key in ["once", "twice"] {
            let request = app.request(Method::POST, &restore, Some(&ana));
            let request = request.header("idempotency-key", key);
            let look = json!({"reason": "of use after all", "dry_run": true});
            let look = app.send(request.json(&look)).await;
            look.is_problem(409, "already_resolved");
        }
        let request = app.request(Method::POST, &restore, Some(&ana));
        let request = request.header("idempotency-key", "twice");
        let other = app.send(request.json(&json!({"reason": "mine"}))).await;
        other.is_problem(409, "already_resolved"); // nothing was kept under it
        let late = app.post(&restore, &ana, &json!({})).await;
        let late = late.is_problem(409, "already_resolved");
        assert_eq!(late.text("resolved_by"), email(&ana));
        let verbs: Vec<_> = decisions(app, &ana).await;
        let verbs: Vec<_> = verbs.iter().map(|one| &one["verb"]).collect();
        assert_eq!(verbs, ["letter.restore", "letter.discard"]);

        let poison = app
            .store
            .poison("image", b"junk", "no ticket")
            .await
            .unwrap();
        let poison = format!("{LETTERS}/{poison}");
        app.post(&format!("{poison}/discard"), &ana, &json!({}))
            .await
            .is(200);
        let again = app
            .post(&format!("{poison}/restore"), &ana, &json!({}))
            .await;
        assert_eq!(again.is(202).body["mode"], "reopened");
        assert_eq!(app.get(&poison, &ana).await.is(200).body["state"], "open");
    })
    .await;
}

#[tokio::test]
async fn letters_that_failed_alike_carry_a_note() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let (_, letter) = parked(app, &me, &json!({})).await;
        let group = app.get(&letter, &ana).await.is(200).text("group");
        let path = format!("{LETTERS}/groups/{group}");
        let send = async |path: &str, by: &Person, body: Value| {
            let request = app.request(Method::PATCH, path, Some(by));
            app.send(request.json(&body)).await
        };
        send(&path, &me, json!({"note": "x"}))
            .await
            .is_problem(403, "forbidden");
        for wrong in [
            json!({"note": " "}),
            json!({"note": "x".repeat(2001)}),
            json!({}),
        ] {
            let wrong = send(&path, &ana, wrong)
                .await
                .is_problem(422, "validation_failed");
            assert_eq!(wrong.body["errors"][0]["pointer"], "/note");
        }
        let nobody = format!("{LETTERS}/groups/fp_0000000000000000");
        send(&nobody, &ana, json!({"note": "x"}))
            .await
            .is_problem(404, "not_found");
        let noted = send(&path, &ana, json!({"note": "ticket 4711"}))
            .await
            .is(200);
        assert_eq!(noted.text("noted_by"), email(&ana));
        let group = async || {
            let groups = app.get(&format!("{LETTERS}/groups"), &ana).await.is(200);
            groups.body["items"][0].clone()
        };
        assert_eq!(
            (&group().await["note"], &group().await["letters"]),
            (&json!("ticket 4711"), &json!(1))
        );
        send(&path, &ana, json!({"note": null})).await.is(200);
        assert_eq!(group().await["note"], Value::Null);
        let decided = decisions(app, &ana).await;
        assert_eq!(
            (decided.len(), &decided[1]["reason"]),
            (2, &json!("ticket 4711"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_tells_which_paid_calls_are_kept() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let shop = app.start("demo.shop", &me).await;
        let parked = app.until_status(shop, &me, "parked").await;
        let replay = format!("{LETTERS}/{}/replay", parked.text("dead_letter"));
        let mut body = json!({"dry_run": true});
        let kept = app.post(&replay, &ana, &body).await.is(200).body;
        let calls = |told: &Value| {
            let told = &told["consequence"];
            (told["calls_kept"].clone(), told["calls_again"].clone())
        };
        assert_eq!(calls(&kept), (json!(1), json!(0)), "its answer is stored");
        body["edit"] = json!({"input": {"sugar": 1}});
        let again = app.post(&replay, &ana, &body).await.is(200).body;
        assert_eq!(calls(&again), (json!(0), json!(1)), "another job pays anew");
    })
    .await;
}
