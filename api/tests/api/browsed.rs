//! Our pages in a browser: whatever is written in them, nothing of it runs, and they fetch nothing of others.

use crate::browser::{Browser, Seen};
use crate::share::{payloads, persona};
use crate::support::App;
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Serves one page to whoever comes, and says where.
async fn serve(policy: &'static str, body: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let page = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{policy}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            drop(stream.read(&mut asked).await);
            drop(stream.write_all(page.as_bytes()).await);
            drop(stream.shutdown().await);
        }
    });
    url
}

/// Nothing ran, nothing was kept from running, and nobody else was asked.
#[track_caller]
fn is_calm(seen: &Seen, base: &str, what: &str) {
    assert!(
        seen.dialogs.is_empty() && seen.reports.is_empty(),
        "{what}: {seen:#?}"
    );
    let foreign = seen.asked.iter().find(|url| !url.starts_with(base));
    assert_eq!(foreign, None, "{what}");
    assert!(!seen.asked.is_empty(), "{what}: nothing was opened");
}

#[tokio::test]
async fn a_browser_tells_what_a_page_that_escapes_nothing_does() {
    let Some(mut browser) = Browser::start("what a browser would tell").await else {
        return;
    };
    let mut ran = 0;
    for words in payloads() {
        let page = serve(
            "",
            format!("<!doctype html><title>x</title><h1>{words}</h1>"),
        )
        .await;
        let seen = browser.open(&page).await;
        ran += usize::from(!seen.dialogs.is_empty());
    }
    assert!(ran > 30, "the words have teeth: {ran} of them");
    let strict = "Content-Security-Policy: default-src 'none'\r\n";
    for words in ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"] {
        let page = serve(strict, format!("<!doctype html>{words}")).await;
        let seen = browser.open(&page).await;
        assert!(
            seen.dialogs.is_empty() && !seen.reports.is_empty(),
            "{words}: {seen:#?}"
        );
    }
}

#[tokio::test]
async fn whatever_a_persona_is_called_nothing_of_it_runs_in_a_browser() {
    let Some(mut browser) = Browser::start("pages with names that would run").await else {
        return;
    };
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let told = persona(&app, &me).await;
    let card = format!("{}/p/{}", app.base, told["persona_id"].as_str().unwrap());
    for words in payloads() {
        let named = "UPDATE personas SET name = $1, title = $1, persona_prompt = $1, greeting = $1";
        let named = app.store.db().query(named).bind(words.to_owned());
        named.execute().await.unwrap();
        let seen = browser.open(&card).await;
        is_calm(&seen, &app.base, words);
        assert!(seen.title.ends_with("· Chorus"), "{words}: {seen:#?}");
        // What is refused is told with the address that was asked for.
        let mut nowhere = Url::parse(&app.base).unwrap();
        nowhere.path_segments_mut().unwrap().push(words);
        nowhere.set_query(Some(words));
        is_calm(&browser.open(nowhere.as_str()).await, &app.base, words);
    }
    for page in ["/docs", "/docs/errors", "/p/nobody"] {
        let seen = browser.open(&format!("{}{page}", app.base)).await;
        is_calm(&seen, &app.base, page);
    }
    app.end().await;
}
