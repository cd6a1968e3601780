//! Every example of the OpenAPI document, sent to a running server.

use crate::document::Document;
use crate::mirror::respond;
use crate::support::{App, Person, on_each};
use reqwest::Method;
use saga_core::store::{Beat, Share};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn every_example_does_what_the_document_says() {
    let answers = played().await;
    if std::env::var_os("CHORUS_RECORD").is_some() {
        let text = serde_json::to_string_pretty(&answers).unwrap();
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/answers.json"),
            text + "\n",
        )
        .unwrap();
    }
}

/// Plays them, and tells what the last store answered.
async fn played() -> Value {
    let kept = std::sync::Mutex::new(Value::Null);
    on_each(async |app| {
        app.work();
        let mut document = Document::of(app).await;
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        jobs(app, &mut document, &me).await;
        personas(app, &mut document, &me).await;
        letters(app, &mut document, &me, &admin).await;
        replays(app, &mut document, &me, &admin).await;
        sagas(app, &mut document, &me, &admin).await;
        fleet(app, &mut document, &admin).await;
        service(app, &mut document).await;
        let left: Vec<String> = document
            .ids()
            .difference(&document.played)
            .cloned()
            .collect();
        assert!(left.is_empty(), "nobody sends the examples of {left:?}");
        *kept.lock().unwrap() = recorded(app, &document);
    })
    .await;
    kept.into_inner().unwrap()
}

async fn jobs(app: &App, document: &mut Document, me: &Person) {
    let me = Some(me);
    let made = document.play(app, "createJob", &[], me).await.is(202);
    let id = made.id().to_string();
    document.play(app, "getJob", &[("id", &id)], me).await;
    app.until_status(made.id(), me.unwrap(), "succeeded").await;
    document.play(app, "listJobs", &[], me).await;
    document
        .play(app, "listJobEvents", &[("id", &id)], me)
        .await;
    let path = format!("/api/v1/jobs/{id}/events");
    let request = app
        .request(Method::GET, &path, me)
        .header("accept", "text/event-stream");
    document.check("listJobEvents", &app.send(request).await);
    let other = app.start("demo.patient", me.unwrap()).await;
    app.until_status(other, me.unwrap(), "waiting").await;
    document
        .play(app, "cancelJob", &[("id", &other.to_string())], me)
        .await;
    let late = document
        .send(app, "cancelJob", &[("id", &id)], me, Some(&json!({})))
        .await;
    late.is_problem(409, "job_finished");
}

async fn personas(app: &App, document: &mut Document, me: &Person) {
    let (me, nobody) = (Some(me), None);
    document.play(app, "getMyPersona", &[], me).await;
    let made = document.play(app, "createSurvey", &[], me).await.is(201);
    let (survey, slug) = (made.text("survey_id"), made.text("slug"));
    document.play(app, "listSurveys", &[], me).await;
    document
        .play(app, "getSurvey", &[("name", &slug)], nobody)
        .await;
    document
        .play(app, "respond", &[("name", &slug)], nobody)
        .await
        .is(201);
    let twice = document.example("respond");
    let twice = document
        .send(app, "respond", &[("name", &slug)], nobody, twice.as_ref())
        .await;
    twice.is_problem(409, "duplicate_response");
    document
        .send(app, "forgePersona", &[], me, None)
        .await
        .is(422);
    for friend in 1..3 {
        respond(app, &survey, friend).await.is(201);
    }
    document
        .play(app, "getSurveyStatus", &[("name", &survey)], me)
        .await;
    let ready = |answer: &crate::support::Answer| answer.body["status"] == "ready";
    app.until("/api/v1/personas/me", me.unwrap(), ready).await;
    document.answers.remove("getMyPersona");
    let mine = document.play(app, "getMyPersona", &[], me).await;
    let persona = mine.text("persona_id");
    document.play(app, "listPersonas", &[], me).await;
    document
        .play(app, "getPersona", &[("id", &persona)], me)
        .await;
    document
        .play(app, "getCardPage", &[("id", &persona)], nobody)
        .await;
    let nobodys = Uuid::now_v7().to_string();
    let gone = app
        .request(Method::GET, &format!("/p/{nobodys}"), nobody)
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 404);
    let picture = mine.text("illustration_url");
    let picture = picture.split('/').nth(6).unwrap();
    document
        .play(app, "getPicture", &[("id", picture)], me)
        .await;
    document.play(app, "forgePersona", &[], me).await;
    app.until("/api/v1/personas/me", me.unwrap(), ready).await;
    document
        .play(app, "closeSurvey", &[("name", &survey)], me)
        .await;
    let closed = document
        .send(app, "getSurvey", &[("name", &slug)], nobody, None)
        .await;
    closed.is_problem(410, "survey_closed");
}

/// A job that gave up, and its letter.
async fn parked(app: &App, me: &Person) -> (String, String) {
    let job = app.start("demo.gate", me).await;
    let letter = app
        .until_status(job, me, "parked")
        .await
        .text("dead_letter");
    (job.to_string(), letter)
}

async fn letters(app: &App, document: &mut Document, me: &Person, admin: &Person) {
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

async fn replays(app: &App, document: &mut Document, me: &Person, admin: &Person) {
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

async fn sagas(app: &App, document: &mut Document, me: &Person, admin: &Person) {
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

async fn fleet(app: &App, document: &mut Document, admin: &Person) {
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
    let admin = Some(admin);
    let image: &[(&str, &str)] = &[("name", "image")];
    document.play(app, "pauseQueue", image, admin).await;
    document
        .send(app, "pauseQueue", image, admin, None)
        .await
        .is_problem(409, "state_conflict");
    document.play(app, "listQueues", &[], admin).await;
    document.play(app, "getQueue", image, admin).await;
    document.play(app, "getQueueScale", image, admin).await;
    document.play(app, "resumeQueue", image, admin).await;
    document.play(app, "listWorkers", &[], admin).await;
    document
        .play(app, "drainWorker", &[("name", "text-1")], admin)
        .await;
    for id in [
        "setLimits",
        "getLimits",
        "listAiRequests",
        "listDecisions",
        "getCosts",
    ] {
        document.play(app, id, &[], admin).await;
    }
    let by_account = app
        .get("/api/v1/admin/costs?by=account", admin.unwrap())
        .await;
    document.check("getCosts", &by_account);
}

async fn service(app: &App, document: &mut Document) {
    let ready = "/readyz";
    let began = std::time::Instant::now();
    while !app
        .http
        .get(format!("{}{ready}", app.base))
        .send()
        .await
        .unwrap()
        .status()
        .is_success()
    {
        assert!(began.elapsed().as_secs() < 30, "it is never ready");
        tokio::task::yield_now().await;
    }
    let open = [
        "getBanner",
        "getOpenApi",
        "getDocs",
        "getApiDocs",
        "getErrorDocs",
        "getHealth",
        "getApiHealth",
        "getLivez",
        "getReadyz",
        "getMetrics",
    ];
    for id in open {
        document.play(app, id, &[], None).await;
    }
}

/// The answers, as the document shows them: short lists, and no address of this machine.
fn recorded(app: &App, document: &Document) -> Value {
    let mut answers = json!(document.answers);
    answers.as_object_mut().unwrap().remove("getOpenApi");
    shorten(&mut answers, &app.base);
    answers
}

fn shorten(value: &mut Value, base: &str) {
    match value {
        Value::Array(all) => {
            all.truncate(2);
            all.iter_mut().for_each(|one| shorten(one, base));
        }
        Value::Object(all) => all.values_mut().for_each(|one| shorten(one, base)),
        Value::String(text) if text.ends_with("@example.org") => {
            *text = "ana@example.org".to_owned()
        }
        Value::String(text) => {
            let link = text
                .split_once("token=")
                .map_or(text.as_str(), |(link, _)| link);
            let token = if link == text.as_str() {
                ""
            } else {
                "token=Qm9yaW5nIG9uIHB1cnBvc2U"
            };
            *text = format!("{link}{token}").replace(base, "https://chorus.example.org");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn every_answer_that_the_document_shows_has_the_shape_that_it_tells() {
    let app = App::new(None, |_| {}).await;
    let document = Document::of(&app).await;
    let mut bare = vec![];
    for operation in document.operations() {
        let id = operation.told["operationId"].as_str().unwrap();
        let responses = operation.told["responses"].as_object().unwrap();
        let contents = responses.iter().filter_map(|(status, told)| {
            Some((status, told.pointer("/content/application~1json")?))
        });
        let good: Vec<_> = contents
            .filter(|(status, _)| status.starts_with('2'))
            .collect();
        let shown = good
            .iter()
            .filter_map(|(status, content)| Some((status, content, content.get("example")?)));
        let shown: Vec<_> = shown.collect();
        if shown.is_empty() && !good.is_empty() && id != "getOpenApi" {
            bare.push(id);
        }
        for (status, content, example) in shown {
            document.fits(&content["schema"], example, &format!("{id} {status}"));
        }
    }
    assert!(
        bare.is_empty(),
        "CHORUS_RECORD=1 records what {bare:?} answer"
    );
    app.end().await;
}
