//! A queue that is full: new jobs are turned away with a word of when to come again.

use crate::document::Document;
use crate::support::{DEPTH_MAX, on_each};
use serde_json::json;

#[tokio::test]
async fn a_job_for_a_full_queue_is_turned_away_and_told_when_to_come_again() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let (path, body) = ("/api/v1/jobs", json!({"kind": "demo.pair", "input": {}}));
        for _ in 0..=DEPTH_MAX {
            app.post(path, &me, &body).await.is(202);
        }
        app.store.look_at_depths().await.unwrap();
        let refused = app.post(path, &me, &body).await;
        assert_eq!(refused.header("retry-after"), "30");
        Document::of(app).await.check("createJob", &refused);
        let refused = refused.is_problem(503, "unavailable").body;
        let why = refused["detail"].as_str().unwrap();
        assert!(why.contains("synthesis"), "{why}");
    })
    .await;
}
