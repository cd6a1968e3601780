//! Callers who take their time hold nobody up, and are sent away.

use crate::support::App;
use chorus_api::Patience;
use reqwest::Method;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Many times what any of it takes here.
const LATEST: Duration = Duration::from_secs(30);
const SOCKETS: usize = 500;

fn hasty() -> Patience {
    Patience {
        head: Duration::from_secs(2),
        body: Duration::from_secs(2),
        answer: Duration::from_secs(1),
    }
}

/// Sends one byte after the other, so long as anybody listens; says what was answered, at its end.
async fn dribble(address: String, first: &'static str, each: &'static [u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let dribbling = tokio::spawn(async move {
        while write.write_all(each).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
    let mut told = vec![];
    let ended = tokio::time::timeout(LATEST, read.read_to_end(&mut told)).await;
    dribbling.abort();
    drop(ended.expect("it is sent away"));
    String::from_utf8(told).unwrap()
}

/// Five hundred who take their time over this, beside somebody who asks twenty times.
async fn five_hundred(first: &'static str, each: &'static [u8]) {
    let app = App::new(None, |settings| settings.patience = hasty()).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    let slow = (0..SOCKETS).map(|_| tokio::spawn(dribble(address.clone(), first, each)));
    let slow: Vec<_> = slow.collect();
    let me = app.person(&["member"]);
    let began = Instant::now();
    for _ in 0..20 {
        app.get("/api/v1/jobs", &me).await.is(200);
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    for one in slow {
        let told = one.await.unwrap();
        assert!(
            told.is_empty() || told.starts_with("HTTP/1.1 408"),
            "{told}"
        );
    }
    app.end().await;
}

#[tokio::test]
async fn five_hundred_slow_heads_hold_nobody_up() {
    five_hundred("GET / HTTP/1.1\r\nX-Slow: ", b"x").await;
}

#[tokio::test]
async fn five_hundred_slow_bodies_hold_nobody_up() {
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{";
    five_hundred(head, b" ").await;
}

#[tokio::test]
async fn a_body_that_dribbles_is_refused() {
    let app = App::new(None, |settings| settings.patience = hasty()).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    let id = uuid::Uuid::now_v7();
    let head = format!(
        "POST /api/v1/surveys/{id}/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    );
    let plain: &'static str = format!("{head}Content-Length: 1000\r\n\r\n").leak();
    let chunked: &'static str = format!("{head}Transfer-Encoding: chunked\r\n\r\n").leak();
    for (head, each) in [(plain, &b" "[..]), (chunked, b"1\r\n \r\n")] {
        let told = dribble(address.clone(), head, each).await;
        assert!(told.starts_with("HTTP/1.1 408"), "{told}");
        assert!(told.contains("\"code\":\"slow_request\""), "{told}");
    }
    app.end().await;
}

#[tokio::test]
async fn whoever_asks_nothing_more_is_sent_away() {
    let app = App::new(None, |settings| settings.patience = hasty()).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    for asked in ["", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut told = String::new();
        let ended = tokio::time::timeout(LATEST, stream.read_to_string(&mut told)).await;
        ended.expect("it is sent away").unwrap();
        assert_eq!(
            told.starts_with("HTTP/1.1 200"),
            !asked.is_empty(),
            "{told}"
        );
    }
    app.end().await;
}

#[tokio::test]
async fn whoever_takes_no_answers_is_cut_off() {
    let app = App::new(None, |settings| settings.patience = hasty()).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Answers by the megabyte, none of which is read: the kernel's memory for them is full soon.
    let began = Instant::now();
    let asked = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000);
    while stream.write_all(asked.as_bytes()).await.is_ok() {
        assert!(began.elapsed() < LATEST, "it is served for ever");
    }
    app.send(app.request(Method::GET, "/livez", None))
        .await
        .is(200);
    app.end().await;
}
