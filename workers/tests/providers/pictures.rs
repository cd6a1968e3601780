//! Pictures, in the answer or fetched from an address in it.

use crate::scripted::{Act, Reply, Server};
use crate::support::{KEY, assert_permanent, assert_transient, send_picture, settings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chorus_workers::providers::openai::{Painter, Settings};
use chorus_workers::providers::{CallError, Image, ImageModel, Unreadable};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A PNG of one pixel, encoded by libpng.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

fn png() -> Vec<u8> {
    STANDARD.decode(PNG).unwrap()
}

fn in_answer(picture: &[u8]) -> Reply {
    let usage = json!({"input_tokens": 20, "output_tokens": 4000});
    let data = json!([{"b64_json": STANDARD.encode(picture)}]);
    Reply::json(200, json!({"created": 1, "data": data, "usage": usage}))
}

fn at(address: &str) -> Reply {
    Reply::json(200, json!({"created": 1, "data": [{"url": address}]}))
}

fn read(raw: &[u8]) -> Result<Image, Unreadable> {
    let settings = Settings::image("http://localhost/v1", None, "gpt-image-1");
    Painter::new(settings).unwrap().read(raw)
}

async fn paint(reply: Reply) -> Result<Vec<u8>, CallError> {
    let server = Server::start(vec![reply]).await;
    let result = send_picture(settings(&server)).await;
    assert_eq!(server.requests().len(), 1, "asked more or less than once");
    result
}

/// A server whose first answer has an address on itself.
async fn with_address(path: &str, then: Reply) -> (Server, Settings) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}{path}", listener.local_addr().unwrap());
    let server = Server::on(listener, vec![at(&address), then]);
    let settings = settings(&server);
    (server, settings)
}

#[tokio::test]
async fn a_picture_comes_within_the_answer() {
    let server = Server::start(vec![in_answer(&png())]).await;
    let raw = send_picture(settings(&server)).await.unwrap();
    let image = read(&raw).unwrap();
    assert_eq!((image.png, image.width, image.height), (png(), 1, 1));
    assert_eq!((image.usage.output_tokens, image.usage.images), (4000, 1));
    let seen = server.requests().remove(0);
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(seen.line, "POST /v1/images/generations");
    assert_eq!(body["size"], "1024x1024");
    assert_eq!(body["response_format"], "b64_json");
}

#[tokio::test]
async fn a_picture_is_fetched_before_it_is_stored_and_without_the_key() {
    let (server, settings) =
        with_address("/files/1.png?token=t", Reply::new(200, "image/png", png())).await;
    let raw = send_picture(settings).await.unwrap();
    assert_eq!(read(&raw).unwrap().png, png());
    assert!(!String::from_utf8(raw).unwrap().contains("token=t"));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].line, "GET /files/1.png?token=t");
    assert!(!format!("{:?}", requests[1]).contains(KEY));
    assert!(!format!("{:?}", requests[1]).contains("idempotency-key"));
}

#[tokio::test]
async fn a_picture_is_not_fetched_from_anywhere() {
    let elsewhere = Server::start(vec![Reply::new(200, "image/png", png())]).await;
    let addresses = [
        elsewhere.address.as_str(),
        "https://images.example/1.png",
        "https://allowed.example.evil.example/1.png",
        "https://allowed.example:8443/1.png",
        "https://user:secret@allowed.example/1.png",
        "http://allowed.example/1.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/1.png",
        "https://0x7f000001/1.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//allowed.example/1.png",
        "",
    ];
    for address in addresses {
        let server = Server::start(vec![at(address)]).await;
        let mut settings = settings(&server);
        settings.picture_hosts = vec!["allowed.example".to_owned()];
        let result = send_picture(settings).await;
        assert!(
            matches!(result, Err(CallError::Permanent { .. })),
            "{address}: {result:?}"
        );
        assert_eq!(server.requests().len(), 1, "{address}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn an_allowed_host_is_looked_up_and_asked_by_https() {
    // Nobody has this name, so that the class alone tells that it was tried.
    let server = Server::start(vec![at("https://FILES.invalid/1.png")]).await;
    let mut settings = settings(&server);
    settings.picture_hosts = vec!["files.invalid".to_owned()];
    assert_transient(send_picture(settings).await);
}

#[tokio::test]
async fn a_download_may_fail_as_any_call() {
    let redirect = Reply::new(302, "", "").header("location", "http://169.254.169.254/");
    let (server, settings) = with_address("/1.png", redirect).await;
    assert_permanent(send_picture(settings).await);
    assert_eq!(server.requests().len(), 2);

    let (_server, settings) = with_address("/1.png", Reply::json(503, "{}")).await;
    assert_transient(send_picture(settings).await);

    let (_server, settings) = with_address("/1.png", Reply::headless(Act::Cut)).await;
    assert_transient(send_picture(settings).await);

    let flood = Reply::chunked("image/png", vec![Act::Flood(vec![0; 64 << 10])]);
    let (server, settings) = with_address("/1.png", flood).await;
    assert_permanent(send_picture(settings).await);
    assert!(server.bytes_sent() < 32 << 20);
}

#[tokio::test]
async fn what_is_no_png_is_unusable() {
    let mut huge = png();
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let mut flat = png();
    flat[16..20].copy_from_slice(&[0; 4]);
    let cut = &png()[..40];
    let pictures: [(&[u8], &str); 11] = [
        (b"", "nothing"),
        (b"hello", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
        (b"<?xml version='1.0'?><SVG onload='x'/>", "an SVG"),
        (b"<html>expired</html>", "an HTML page"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP"),
        (b"GIF89a", "a GIF"),
        (cut, "cut short"),
        (&huge, "65536 by 65536"),
        (&flat, "0 by 1"),
    ];
    for (picture, why) in pictures {
        let raw = paint(in_answer(picture)).await.unwrap();
        let error = read(&raw).unwrap_err();
        assert!(matches!(error, Unreadable::Content { .. }), "{error:?}");
        assert!(error.detail().contains(why), "{error}");
    }
}

#[test]
fn no_part_of_a_png_passes_for_the_whole() {
    let settings = Settings::image("http://localhost/v1", None, "gpt-image-1");
    let painter = Painter::new(settings).unwrap();
    for at in 0..png().len() {
        let part = STANDARD.encode(&png()[..at]);
        let answer = json!({"data": [{"b64_json": part}]}).to_string();
        assert!(painter.read(answer.as_bytes()).is_err());
    }
}

#[tokio::test]
async fn an_answer_without_a_picture_is_garbled() {
    let answers = [
        "{}",
        r#"{"data":[]}"#,
        r#"{"data":[{}]}"#,
        r#"{"data":[{"b64_json":"%%"}]}"#,
        "{",
    ];
    for answer in answers {
        let raw = paint(Reply::json(200, answer)).await.unwrap();
        let error = read(&raw).unwrap_err();
        assert!(
            matches!(error, Unreadable::Garbled { .. }),
            "{answer}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_painter_fails_by_the_same_table() {
    assert_transient(paint(Reply::new(200, "text/html", "<html>")).await);
    assert_transient(paint(Reply::events(&["[DONE]"])).await);
    assert_transient(paint(Reply::json(500, "{}")).await);
    assert_permanent(paint(Reply::json(403, "{}")).await);
    let blocked = Reply::json(400, json!({"error": {"code": "moderation_blocked"}}));
    let result = paint(blocked).await;
    assert!(
        matches!(result, Err(CallError::Refused { .. })),
        "{result:?}"
    );
}
