//! No machine has all the connections that there are.

use crate::support::App;
use process::settings::Proxies;
use reqwest::Method;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Many times what any of it takes here.
const LATEST: Duration = Duration::from_secs(30);
const MOST: usize = 8;

async fn connect(app: &App, from: &str) -> TcpStream {
    let to: SocketAddr = app.base.trim_start_matches("http://").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Asks something, and reads up to the end of the first answer's head; nothing where it was closed.
async fn ask(stream: &mut TcpStream, request: &str) -> String {
    let (mut told, mut bytes) = (vec![], [0; 1024]);
    drop(stream.write_all(request.as_bytes()).await);
    loop {
        let read = tokio::time::timeout(LATEST, stream.read(&mut bytes));
        match read.await.expect("it is answered, or closed") {
            Ok(0) | Err(_) => break,
            Ok(read) => told.extend_from_slice(&bytes[..read]),
        }
        if told.windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
    }
    String::from_utf8(told).unwrap()
}

const LIVE: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

async fn refused(app: &App) -> u64 {
    let scraped = app.request(Method::GET, "/metrics", None).send().await;
    let scraped = scraped.unwrap().text().await.unwrap();
    let name = "chorus_connections_refused_total ";
    let mut lines = scraped.lines().filter_map(|line| line.strip_prefix(name));
    lines.next().map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_another_its_own() {
    let app = App::new(None, |settings| {
        settings.connections_per_address = Some(MOST);
    })
    .await;
    let before = refused(&app).await;
    let mut held = vec![];
    for _ in 0..MOST {
        let mut stream = connect(&app, "127.0.0.2").await;
        assert!(ask(&mut stream, LIVE).await.starts_with("HTTP/1.1 200"));
        held.push(stream);
    }
    let mut more = connect(&app, "127.0.0.2").await;
    let mut told = ask(&mut more, "GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n").await;
    drop(more.read_to_string(&mut told).await); // it is closed
    assert!(told.starts_with("HTTP/1.1 429"), "{told}");
    for part in [
        "connection: close",
        "retry-after: 1",
        "\"code\":\"rate_limited\"",
        "\"violated-policies\":[\"connections\"]",
        "8 connections from this address",
        "x-request-id",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(refused(&app).await > before);
    let mut other = connect(&app, "127.0.0.3").await;
    assert!(ask(&mut other, LIVE).await.starts_with("HTTP/1.1 200"));
    // Those that it has go on, and one that it closes makes room.
    let last = held.last_mut().unwrap();
    assert!(ask(last, LIVE).await.starts_with("HTTP/1.1 200"));
    held.pop();
    let began = Instant::now();
    loop {
        let mut again = connect(&app, "127.0.0.2").await;
        if ask(&mut again, LIVE).await.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(began.elapsed() < LATEST, "its place is never free again");
    }
    app.end().await;
}

#[tokio::test]
async fn a_flood_of_one_address_holds_nobody_else_up() {
    let app = App::new(None, |settings| {
        settings.connections_per_address = Some(MOST);
    })
    .await;
    let mut flood = vec![];
    for _ in 0..500 {
        flood.push(connect(&app, "127.0.0.2").await);
    }
    let began = Instant::now();
    let mut other = connect(&app, "127.0.0.3").await;
    for _ in 0..20 {
        assert!(ask(&mut other, LIVE).await.starts_with("HTTP/1.1 200"));
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    // Whoever says nothing is sent away in a second, but for as many as may be here.
    let mut left = 0;
    for stream in &mut flood {
        left += usize::from(ask(stream, LIVE).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(left, MOST);
    app.end().await;
}

#[tokio::test]
async fn a_proxy_has_as_many_as_it_likes_and_each_caller_of_it_so_many_under_way() {
    let app = App::new(None, |settings| {
        settings.connections_per_address = Some(MOST);
        settings.proxies = Proxies::Hops(1);
    })
    .await;
    let path = format!("/api/v1/surveys/{}/responses", uuid::Uuid::now_v7());
    let slow = |from: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {from}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        )
    };
    let mut held = vec![];
    for _ in 0..MOST {
        let mut stream = connect(&app, "127.0.0.2").await;
        stream
            .write_all(slow("203.0.113.7").as_bytes())
            .await
            .unwrap();
        held.push(stream);
    }
    let from =
        |address: &str| format!("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n");
    let began = Instant::now();
    loop {
        let mut more = connect(&app, "127.0.0.2").await;
        let told = ask(&mut more, &from("203.0.113.7")).await;
        if told.starts_with("HTTP/1.1 429") {
            break; // all of the slow ones have begun
        }
        assert!(began.elapsed() < LATEST, "{told}");
    }
    let mut other = connect(&app, "127.0.0.2").await;
    let told = ask(&mut other, &from("203.0.113.8")).await;
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    drop(held);
    app.end().await;
}
