//! The audit: every decision, who took it, when and why, and that nothing else is there.

use crate::support::{App, Person, on_each};
use serde_json::{Value, json};
use uuid::Uuid;

/// The letter of a job that stands before the closed gate.
async fn letter(app: &App, me: &Person) -> (Uuid, String) {
    let job = app.start("demo.gate", me).await;
    let letter = app.until_status(job, me, "parked").await;
    (job, letter.text("dead_letter"))
}

async fn audit(app: &App, by: &Person, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/api/v1/admin/audit{query}"), by).await;
    page.is(200).body["items"].as_array().unwrap().clone()
}

fn email(person: &Person) -> String {
    format!("{}@example.org", person.account.simple())
}

#[tokio::test]
async fn every_decision_is_written_down_once() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let (job, first) = letter(app, &me).await;
        let (other_job, second) = letter(app, &me).await;
        let at = "/api/v1/admin/dead-letters";
        let why = json!({"reason": "the provider is back"});
        let replay = format!("{at}/{first}/replay");
        app.post(&replay, &ana, &why).await.is(202);
        app.post(&replay, &ana, &why).await.is(409);
        let discard = format!("{at}/{second}/discard");
        app.post(&discard, &ana, &json!({"note": "no use"}))
            .await
            .is(200);
        app.until_status(other_job, &me, "failed").await;
        app.gate.open();
        let again = app.post(&format!("{at}/{second}/replay"), &ana, &why).await;
        let new = again.is(202).text("job_id");
        let patient = app.start("demo.patient", &me).await;
        app.until_status(patient, &me, "waiting").await;
        let cancel = format!("/api/v1/jobs/{patient}/cancel");
        app.post(&cancel, &me, &json!({})).await.is(200);
        app.post(&cancel, &me, &json!({})).await.is(200);

        let all = audit(app, &ana, "").await;
        let told: Vec<_> = all
            .iter()
            .map(|one| (&one["verb"], &one["target_id"], &one["actor"]))
            .collect();
        let (mine, anas) = (json!("its owner"), json!(email(&ana)));
        let replayed = json!("letter.replay");
        assert_eq!(
            told,
            [
                (&json!("saga.cancel"), &json!(patient), &mine),
                (&replayed, &json!(second), &anas),
                (&json!("letter.discard"), &json!(second), &anas),
                (&replayed, &json!(first), &anas),
            ],
            "newest first, and what was refused is no decision"
        );
        assert_eq!(all[0]["detail"]["was"], "waiting");
        assert_eq!(all[1]["detail"]["started"], new);
        assert_eq!(all[2]["reason"], "no use");
        assert_eq!(
            (&all[3]["reason"], &all[3]["detail"]["saga"]),
            (&json!("the provider is back"), &json!(job))
        );
        assert_eq!(all[3]["target_kind"], "letter");
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_searched_and_paged() {
    on_each(async |app| {
        let (ana, ben) = (app.person(&["operator"]), app.person(&["admin"]));
        let mut letters = vec![];
        for person in [&ana, &ben, &ana] {
            let poison = app.store.poison("image", b"junk", "no ticket").await;
            let letter = poison.unwrap();
            let path = format!("/api/v1/admin/dead-letters/{letter}/discard");
            app.post(&path, person, &json!({})).await.is(200);
            letters.push(letter);
        }
        let found = audit(app, &ben, &format!("?actor={}", email(&ana))).await;
        assert_eq!(found.len(), 2);
        let found = audit(app, &ben, &format!("?target={}", letters[1])).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["actor"], email(&ben));
        let since = found[0]["at"].as_str().unwrap().to_owned();
        let found = audit(app, &ben, &format!("?verb=letter.discard&since={since}")).await;
        assert_eq!(found.len(), 2, "that one, and the newer");
        assert_eq!(audit(app, &ben, "?verb=saga.cancel").await.len(), 0);

        let (mut told, mut query) = (vec![], "?limit=2".to_owned());
        loop {
            let page = app.get(&format!("/api/v1/admin/audit{query}"), &ana).await;
            let page = page.is(200).body;
            let items = page["items"].as_array().unwrap();
            told.extend(items.iter().map(|one| one["target_id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            query = format!("?limit=2&cursor={next}");
        }
        letters.reverse();
        assert_eq!(told, letters.iter().map(|id| json!(id)).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn only_staff_reads_the_audit() {
    let app = App::new(None, |_| {}).await;
    let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
    let path = "/api/v1/admin/audit";
    app.get(path, &me).await.is_problem(403, "forbidden");
    for wrong in ["?since=yesterday", "?limit=0", "?cursor=x", "?who=ana"] {
        app.get(&format!("{path}{wrong}"), &ana)
            .await
            .is_problem(400, "bad_parameter");
    }
    app.end().await;
}
