//! `/metrics`, where not everybody may read it.

use crate::document::Document;
use crate::support::App;
use process::Secret;
use reqwest::Method;

#[tokio::test]
async fn numbers_are_told_to_whoever_shows_the_token() {
    let token = "a token that only Prometheus knows";
    let app = App::new(None, |settings| {
        settings.metrics_token = Some(Secret::new(token));
    })
    .await;
    let asked = async |shown: Option<&str>| {
        let request = app.request(Method::GET, "/metrics", None);
        let request = match shown {
            Some(shown) => request.header("authorization", shown),
            None => request,
        };
        request.send().await.unwrap()
    };
    for wrong in [None, Some("Bearer "), Some(token), Some("Bearer a token")] {
        let refused = asked(wrong).await;
        assert_eq!(refused.status(), 401, "{wrong:?}");
        let how = refused.headers()["www-authenticate"].to_str().unwrap();
        assert!(how.starts_with("Bearer"), "{how}");
        let said = refused.text().await.unwrap();
        assert!(!said.contains("chorus_"), "{said}");
    }
    let told = asked(Some(&format!("Bearer {token}"))).await;
    assert_eq!(told.status(), 200);
    let told = told.text().await.unwrap();
    assert!(told.contains("chorus_build_info"), "{told}");
    let document = Document::of(&app).await;
    let refused = app.send(app.request(Method::GET, "/metrics", None)).await;
    document.check("getMetrics", &refused);
    let refused = refused.is_problem(401, "missing_credentials");
    assert!(refused.text("detail").contains("METRICS_TOKEN"));
    app.end().await;
}
