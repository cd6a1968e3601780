//! The examples of those who run the fleet.

use crate::document::Document;
use crate::support::{App, Person};
use saga_core::store::{Beat, Share};
use serde_json::json;

/// A job that gave up, and its letter.
async fn parked(app: &App, me: &Person) -> (String, String) {
    let job = app.start("demo.gate", me).await;
    let letter = app
        .until_status(job, me, "parked")
        .await
        .text("dead_letter");
    (job.to_string(), letter)
}

pub(super) async fn letters(app: &App, document: &mut Document, me: &Person, admin: &Person) {
    let admin = Some(admin);
    let (_, letter) = parked(app, me).await;
    document.play(app, "listDeadLetters", &[], admin).await;
    let groups = document.play(app, "listDeadLetterGroups", &[], admin).await;
    let group = groups.body["items"][0]["key"].as_str().unwrap().to_owned();
    document
        .play(app, "noteDeadLetterGroup", &[("name", &group)], admin)
        .await;
    document
        .play(app, "getDeadLetter", &[("id", &letter)], admin)
        .await;
    let look = json!({"dry_run": true, "reason": "only a look", "output": "yes"});
    let mut plain = look.clone();
    plain.as_object_mut().unwrap().remove("output");
    for (verb, look) in [
        ("replayDeadLetter", &plain),
        ("skipDeadLetter", &look),
        ("discardDeadLetter", &plain),
    ] {
        document
            .send(app, verb, &[("id", &letter)], admin, Some(look))
            .await
            .is(200);
        document.answers.remove("discardDeadLetter");
        let (_, letter) = parked(app, me).await;
        document.play(app, verb, &[("id", &letter)], admin).await;
        if verb == "discardDeadLetter" {
            document
                .send(app, verb, &[("id", &letter)], admin, Some(&json!({})))
                .await
                .is_problem(409, "already_resolved");
            document
                .send(
                    app,
                    "restoreDeadLetter",
                    &[("id", &letter)],
                    admin,
                    Some(&plain),
                )
                .await
                .is(200);
            document
                .play(app, "restoreDeadLetter", &[("id", &letter)], admin)
                .await;
        }
    }
}

pub(super) async fn replays(app: &App, document: &mut Document, me: &Person, admin: &Person) {
    for _ in 0..3 {
        parked(app, me).await;
    }
    let admin = Some(admin);
    let look = json!({"select": {"all": true}, "dry_run": true});
    document
        .send(app, "beginReplay", &[], admin, Some(&look))
        .await
        .is(200);
    let replay = document
        .play(app, "beginReplay", &[], admin)
        .await
        .is(202)
        .text("id");
    let names: &[(&str, &str)] = &[("id", &replay)];
    for id in [
        "getReplay",
        "listReplayedLetters",
        "pauseReplay",
        "resumeReplay",
        "stopReplay",
    ] {
        document.play(app, id, names, admin).await;
    }
    document.play(app, "listReplays", &[], admin).await;
}

pub(super) async fn sagas(app: &App, document: &mut Document, me: &Person, admin: &Person) {
    let by = Some(admin);
    let patient = app.start("demo.patient", me).await;
    app.until_status(patient, me, "waiting").await;
    let patient = patient.to_string();
    let names: &[(&str, &str)] = &[("id", &patient)];
    document.play(app, "listSagas", &[], by).await;
    document.play(app, "listSagaEvents", names, by).await;
    let look = json!({"dry_run": true, "reason": "only a look"});
    for verb in ["pauseSaga", "resumeSaga", "cancelSaga"] {
        document
            .send(app, verb, names, by, Some(&look))
            .await
            .is(200);
        document.play(app, verb, names, by).await.is(202);
    }
    let (saga, _) = parked(app, me).await;
    document.play(app, "getSaga", &[("id", &saga)], by).await;
    for verb in ["retryStep", "skipStep"] {
        let (saga, _) = parked(app, me).await;
        document.play(app, verb, &[("id", &saga)], by).await.is(202);
    }
}

pub(super) async fn fleet(app: &App, document: &mut Document, person: &Person) {
    let beat = Beat {
        id: "text-1".to_owned(),
        host: "far".to_owned(),
        version: "0.1.0".to_owned(),
        shares: vec![Share {
            queue: "synthesis".to_owned(),
            slots: 10,
            busy: 3,
            paused: false,
            done: 40,
            spent_ms: 80_000,
        }],
        draining: false,
    };
    app.store.beat(&beat).await.unwrap();
    let admin = Some(person);
    let image: &[(&str, &str)] = &[("name", "image")];
    document.play(app, "pauseQueue", image, admin).await;
    document
        .send(app, "pauseQueue", image, admin, None)
        .await
        .is_problem(409, "state_conflict");
    document.play(app, "listSchedules", &[], admin).await;
    document.play(app, "listQueues", &[], admin).await;
    document.play(app, "getQueue", image, admin).await;
    document.play(app, "getQueueScale", image, admin).await;
    document.play(app, "resumeQueue", image, admin).await;
    document.play(app, "listWorkers", &[], admin).await;
    // The last worker of one process that is all there is would stay.
    let other = Beat {
        id: "text-2".to_owned(),
        ..beat
    };
    app.store.beat(&other).await.unwrap();
    document
        .play(app, "drainWorker", &[("name", "text-1")], admin)
        .await;
    kinds(app, document, person).await;
    let wanted = json!({"kinds": {"demo.pair": {"running_max": 5, "per_minute": null}}});
    document
        .send(app, "setLimits", &[], admin, Some(&wanted))
        .await
        .is(200);
    document.answers.remove("setLimits"); // the one to its example is shown
    for id in [
        "setLimits",
        "getLimits",
        "listAiRequests",
        "listDecisions",
        "getCosts",
    ] {
        document.play(app, id, &[], admin).await;
    }
    let by_account = app.get("/api/v1/admin/costs?by=account", person).await;
    document.check("getCosts", &by_account);
}

async fn kinds(app: &App, document: &mut Document, person: &Person) {
    let (admin, pair) = (Some(person), [("name", "demo.pair")]);
    for verb in ["pauseKind", "drainKind", "resumeKind"] {
        document.play(app, verb, &pair, admin).await;
        document
            .send(app, verb, &pair, admin, Some(&json!({"reason": "again"})))
            .await
            .is_problem(409, "state_conflict");
    }
    let look = json!({"reason": "only a look", "dry_run": true});
    let foreseen = document
        .send(app, "pauseKind", &pair, admin, Some(&look))
        .await;
    assert_eq!(foreseen.is(200).body["dry_run"], true);
    document.play(app, "listKinds", &[], admin).await;
    document.play(app, "getKind", &pair, admin).await;
}

/// What jobs ask, and each answer to it.
pub(super) async fn reviews(app: &App, document: &mut Document, me: &Person, admin: &Person) {
    let admin = Some(admin);
    for verb in ["reviseReview", "rejectReview", "approveReview"] {
        let job = app.start("demo.draft", me).await;
        app.until_status(job, me, "waiting").await;
        let inbox = document.play(app, "listReviews", &[], admin).await;
        let review = inbox.body["items"][0]["id"].as_str().unwrap().to_owned();
        document
            .play(app, "getReview", &[("id", &review)], admin)
            .await;
        document.play(app, verb, &[("id", &review)], admin).await;
        let example = document.example(verb);
        document
            .send(app, verb, &[("id", &review)], admin, example.as_ref())
            .await
            .is_problem(409, "already_resolved");
    }
}
