//! The page behind a card's QR code.

use crate::mirror::survey;
use crate::support::{App, Person, answers, on_each};
use reqwest::{Method, Response};
use saga_core::db::Sql;
use serde_json::{Value, json};

const XSS: &str = include_str!("xss.txt");
const XSS_MIN: usize = 100;

/// What is written to run in a page that escapes nothing.
pub(crate) fn payloads() -> Vec<&'static str> {
    let payloads: Vec<&str> = XSS.lines().filter(|line| !line.is_empty()).collect();
    assert!(payloads.len() >= XSS_MIN, "{}", payloads.len());
    payloads
}

async fn page(app: &App, id: &str) -> Response {
    let request = app.request(Method::GET, &format!("/p/{id}"), None);
    request.send().await.unwrap()
}

/// Somebody's persona, whose friends wrote something that nobody else may read.
pub(crate) async fn persona(app: &App, me: &Person) -> Value {
    let path = format!("/api/v1/surveys/{}/responses", survey(app, me).await);
    let mut told = answers();
    told["m1"] = json!("canary-missed");
    told["h1"] = json!("canary-laughs");
    for friend in ["a", "b", "c"] {
        let body = json!({"answers": told, "fingerprint": friend});
        let request = app.request(Method::POST, &path, None);
        app.send(request.json(&body)).await.is(201);
    }
    app.work();
    let ready = |answer: &crate::support::Answer| answer.body["status"] == "ready";
    app.until("/api/v1/personas/me", me, ready).await.body
}

#[tokio::test]
async fn a_card_leads_to_a_page_that_shows_what_the_card_shows() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let told = persona(app, &me).await;
        let text = |name: &str| told[name].as_str().unwrap();
        let answer = page(app, text("persona_id")).await;
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; img-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        let html = answer.text().await.unwrap();
        for name in ["name", "title", "archetype"] {
            assert!(html.contains(text(name)), "no {name}: {html}");
        }
        let card = text("card_url").replace('&', "&amp;");
        assert!(html.contains(&format!("property=\"og:image\" content=\"{card}\"")));
        assert!(html.contains(&format!("<img src=\"{card}\"")));
        let email = format!("{}", me.account.simple());
        for secret in [
            "canary",
            "<script",
            text("persona_prompt"),
            text("greeting"),
            &email,
        ] {
            assert!(!html.contains(secret), "{secret}: {html}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_escapes_what_it_shows() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let told = persona(app, &me).await;
        let odd = Sql {
            postgres: "UPDATE personas SET name = $1, title = $2",
            sqlite: "UPDATE personas SET name = $1, title = $2",
        };
        let (name, title) = ("<script>x</script>", "\"><img onerror='x'>");
        let query = app.store.db().query(odd);
        query.bind(name).bind(title).execute().await.unwrap();
        let answer = page(app, told["persona_id"].as_str().unwrap()).await;
        let html = answer.text().await.unwrap();
        assert!(html.contains("&lt;script&gt;x&lt;/script&gt;"), "{html}");
        assert!(
            !html.contains("<script") && !html.contains("<img onerror"),
            "{html}"
        );
    })
    .await;
}

/// The tags of a page, each with the names of its attributes: what a browser makes of it, whatever its texts.
fn structure(html: &str) -> Vec<String> {
    let (mut tags, mut rest) = (vec![], html);
    while let Some((_, after)) = rest.split_once('<') {
        let (mut tag, mut quote, mut end) = (String::new(), None, after.len());
        for (at, letter) in after.char_indices() {
            match (quote, letter) {
                (None, '>') => {
                    end = at;
                    break;
                }
                (None, '"' | '\'') => quote = Some(letter),
                (Some(open), close) if open == close => quote = None,
                (None, letter) => tag.push(letter),
                (Some(_), _) => {}
            }
        }
        tags.push(tag);
        rest = &after[end..];
    }
    tags
}

#[tokio::test]
async fn whatever_a_persona_is_called_its_page_is_the_same_but_for_the_words() {
    let payloads = payloads();
    on_each(async |app| {
        let me = app.person(&["member"]);
        let told = persona(app, &me).await;
        let id = told["persona_id"].as_str().unwrap();
        let shown = async |words: &str| {
            let named =
                "UPDATE personas SET name = $1, title = $1, persona_prompt = $1, greeting = $1";
            let named = app.store.db().query(named).bind(words.to_owned());
            named.execute().await.unwrap();
            let answer = page(app, id).await;
            assert_eq!(answer.status(), 200, "{words}");
            let policy = answer.headers()["content-security-policy"]
                .to_str()
                .unwrap();
            let policy = policy.to_owned();
            (policy, answer.text().await.unwrap())
        };
        let (policy, plain) = shown("Robin").await;
        let tags = structure(&plain);
        assert!(tags.len() > 15, "{tags:?}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("script-src"),
            "{policy}"
        );
        for words in &payloads {
            let (of_words, html) = shown(words).await;
            assert_eq!(structure(&html), tags, "{words}: {html}");
            assert_eq!(of_words, policy, "{words}");
            // Programs are told it as it is, as what no browser takes for a page.
            let mine = app.get("/api/v1/personas/me", &me).await.is(200);
            assert_eq!(mine.text("name"), **words);
            assert_eq!(mine.header("content-type"), "application/json");
            assert!(
                mine.header("content-security-policy")
                    .starts_with("default-src 'none'")
            );
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_is_shown_who_is_not_ready() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let told = persona(&app, &me).await;
    let id = told["persona_id"].as_str().unwrap();
    let back = Sql {
        postgres: "UPDATE personas SET status = 'generating_image', is_current = FALSE",
        sqlite: "UPDATE personas SET status = 'generating_image', is_current = FALSE",
    };
    app.store.db().query(back).execute().await.unwrap();
    for id in [id, "01890000-0000-7000-8000-000000000000", "nobody"] {
        let answer = page(&app, id).await;
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        let html = answer.text().await.unwrap();
        assert!(html.contains("Nobody here"), "{html}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_picture_whose_file_is_gone_is_told_to_be_gone() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let card = persona(&app, &me).await["card_url"]
        .as_str()
        .unwrap()
        .replace(&app.base, "");
    let shown = app.request(Method::GET, &card, None).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    std::fs::remove_dir_all(app.media_dir()).unwrap();
    let gone = app.send(app.request(Method::GET, &card, None)).await;
    gone.is_problem(404, "not_found");
    app.end().await;
}
