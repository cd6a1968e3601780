//! The reference: that it tells of every route, whom each lets in, and that its pages stand alone.

use crate::document::Document;
use crate::support::{App, on_each};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A path whose names are replaced by one that is nobody's.
fn filled(path: &str) -> String {
    let nobody = Uuid::now_v7().to_string();
    let parts = path.split(['{', '}']).enumerate();
    parts
        .map(|(at, part)| if at % 2 == 0 { part } else { &nobody })
        .collect()
}

fn is_protected(told: &Value) -> bool {
    let security = told["security"].as_array().unwrap();
    !security.is_empty() && !security.contains(&json!({}))
}

#[tokio::test]
async fn who_calls_is_asked_before_anything_is_read() {
    on_each(async |app| {
        let document = Document::of(app).await;
        let mut protected = 0;
        for operation in document.operations() {
            let path = filled(operation.path);
            let garbage = || {
                let request =
                    app.request(operation.method.clone(), &format!("{path}?odd=%00"), None);
                request
                    .header("content-type", "text/odd")
                    .body("{\"garbage")
            };
            if !is_protected(operation.told) {
                continue;
            }
            protected += 1;
            app.send(garbage())
                .await
                .is_problem(401, "missing_credentials");
            app.send(garbage().bearer_auth("garbage"))
                .await
                .is_problem(401, "invalid_token");
            if operation.told["x-role"].is_string() {
                let member = app.person(&["member"]);
                app.send(garbage().bearer_auth(&member.token))
                    .await
                    .is_problem(403, "forbidden");
            }
        }
        assert!(protected > 40, "{protected}");
    })
    .await;
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_there_are() {
    let app = App::new(None, |_| {}).await;
    let document = Document::of(&app).await;
    let paths: BTreeSet<&str> = document.operations().iter().map(|one| one.path).collect();
    for path in paths {
        let there = document.operations();
        let there: BTreeSet<Method> = there
            .into_iter()
            .filter(|one| one.path == path)
            .map(|one| one.method)
            .collect();
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            if there.contains(&method) {
                continue;
            }
            let refused = app
                .send(app.request(method.clone(), &filled(path), None))
                .await;
            // A word in the place of an id is an id to the router.
            let refused = refused.is_problem(405, "method_not_allowed");
            let allowed: BTreeSet<Method> = refused
                .header("allow")
                .split(',')
                .map(|word| word.trim().parse().unwrap())
                .filter(|method| *method != Method::HEAD)
                .collect();
            assert_eq!(allowed, there, "{method} {path}");
        }
    }
    app.end().await;
}

async fn page(app: &App, path: &str) -> (String, String, String) {
    let answer = app.request(Method::GET, path, None).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    let (policy, tag) = (header("content-security-policy"), header("etag"));
    (answer.text().await.unwrap(), policy, tag)
}

#[tokio::test]
async fn the_pages_tell_everything_and_fetch_nothing() {
    let app = App::new(None, |_| {}).await;
    let document = Document::of(&app).await;
    let (html, policy, tag) = page(&app, "/docs").await;
    for id in document.ids() {
        assert!(
            html.contains(&format!("<article class=\"operation\" id=\"{id}\">")),
            "no {id}"
        );
    }
    for name in document.told["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(html.contains(&format!("id=\"type-{name}\"")), "no {name}");
    }
    let (errors, ..) = page(&app, "/docs/errors").await;
    let codes = &document.told["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    for code in codes.as_array().unwrap() {
        assert!(errors.contains(&format!("<tr id={code}>")), "no {code}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    for (page, open, close) in [
        (&html, "<style>", "</style>"),
        (&errors, "<script>", "</script>"),
    ] {
        let inner = page
            .split_once(open)
            .unwrap()
            .1
            .split_once(close)
            .unwrap()
            .0;
        let hash = BASE64.encode(Sha256::digest(inner));
        assert!(
            policy.contains(&format!("'sha256-{hash}'")),
            "{open} is not let in by {policy}"
        );
        assert_eq!(page.matches(open).count(), 1);
    }
    for foreign in [
        "src=",
        "href=\"http",
        "@import",
        "url(",
        " onclick",
        " style=",
    ] {
        assert!(
            !html.contains(foreign) && !errors.contains(foreign),
            "{foreign}"
        );
    }
    // Every link within the page leads somewhere.
    for link in html.split("href=\"#").skip(1) {
        let to = link.split_once('"').unwrap().0;
        assert!(
            html.contains(&format!("id=\"{to}\"")),
            "#{to} leads nowhere"
        );
    }
    let known = app
        .request(Method::GET, "/api/v1/docs", None)
        .header("if-none-match", tag);
    assert_eq!(known.send().await.unwrap().status(), 304);
    app.end().await;
}

/// The lines for the shell that name nothing but the token.
fn lines(html: &str) -> Vec<String> {
    let blocks = html.split("<pre class=\"curl\"><code>").skip(1);
    let lines = blocks.map(|block| block.split_once("</code>").unwrap().0);
    let plain = |line: &str| {
        line.replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    lines
        .map(plain)
        .filter(|line| {
            !["$ID", "$NAME", "$PROVIDER"]
                .iter()
                .any(|name| line.contains(name))
        })
        .collect()
}

#[tokio::test]
async fn the_lines_for_the_shell_work_as_they_are_pasted() {
    if std::process::Command::new("curl")
        .arg("--version")
        .output()
        .is_err()
    {
        return; // where there is no curl, nobody pastes
    }
    let app = App::new(None, |_| {}).await;
    let admin = app.person(&["admin"]);
    app.settle().await; // before somebody else sends for them
    let (html, ..) = page(&app, "/docs").await;
    let lines = lines(&html);
    assert!(lines.len() > 20, "{lines:#?}");
    for line in lines {
        // Whoever signs out, or goes altogether, sends nothing more.
        let goes = line.contains("/auth/logout") || line.contains("-X DELETE");
        let by = if goes {
            app.person(&["member"])
        } else {
            admin.clone()
        };
        app.settle().await;
        // A stream goes on for longer than anybody here listens.
        let listens = if line.contains("/events/stream") {
            "-m 1 "
        } else {
            ""
        };
        let line = format!("{line} {listens}-o /dev/null -w '%{{http_code}}'");
        let mut shell = tokio::process::Command::new("sh");
        let run = shell.args(["-c", &line]).env("CHORUS_TOKEN", &by.token);
        let said = String::from_utf8(run.output().await.unwrap().stdout).unwrap();
        // Without answers there is nothing to forge, and for a moment nobody knows how the server is.
        let fits = match line.as_str() {
            line if line.contains("/personas/me/forge") => said == "422",
            // The example's token is nobody's, no issuer is in the settings, and here nobody has a key.
            line if line.contains("/auth/refresh") || line.contains("X-API-Key") => said == "401",
            line if line.contains("/auth/google") => said == "404",
            line if line.contains("/health\"") || line.contains("/readyz") => {
                said == "200" || said == "503"
            }
            _ => said.starts_with('2'),
        };
        assert!(fits, "{said}: {line}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_refusal_leads_to_what_is_said_of_it() {
    let app = App::new(None, |_| {}).await;
    let refused = app
        .send(app.request(Method::GET, "/api/v1/jobs", None))
        .await
        .is(401);
    let (path, code) = refused.body["type"]
        .as_str()
        .unwrap()
        .split_once('#')
        .unwrap();
    let (errors, ..) = page(&app, path).await;
    assert!(errors.contains(&format!("<tr id=\"{code}\">")));
    app.end().await;
}
