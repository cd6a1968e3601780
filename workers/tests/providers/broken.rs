//! Servers that are slow, break off, send too much or something else.

use crate::scripted::{Act, Reply, Server};
use crate::support::{
    WORDS, ask, ask_hurried, assert_permanent, assert_transient, completion, delta, send_text,
    settings,
};
use chorus_workers::providers::CallError;
use std::time::Duration;
use tokio::net::TcpListener;

fn pause() -> Act {
    Act::Pause(Duration::from_millis(20))
}

#[tokio::test]
async fn a_server_that_never_answers_runs_out_of_time() {
    assert_transient(ask_hurried(Reply::headless(Act::Hang)).await);
}

#[tokio::test]
async fn an_answer_after_the_time_limit_is_too_late() {
    let mut reply = Reply::json(200, completion("late"));
    reply.body.insert(0, Act::Pause(Duration::from_secs(5)));
    assert_transient(ask_hurried(reply).await);
}

#[tokio::test]
async fn a_head_without_a_body_runs_out_of_time() {
    let reply = Reply::chunked("application/json", vec![Act::Hang]);
    assert_transient(ask_hurried(reply).await);
}

#[tokio::test]
async fn a_body_that_drips_runs_out_of_time() {
    let body = completion("slow").to_string().into_bytes();
    let drops = body
        .into_iter()
        .flat_map(|byte| [Act::Send(vec![byte]), pause()]);
    let reply = Reply::chunked("application/json", drops.collect());
    assert_transient(ask_hurried(reply).await);
}

#[tokio::test]
async fn a_stream_that_only_keeps_alive_runs_out_of_time() {
    let comments = (0..1000).flat_map(|_| [Act::Send(b": still here\n\n".to_vec()), pause()]);
    let reply = Reply::chunked("text/event-stream", comments.collect());
    assert_transient(ask_hurried(reply).await);
}

#[tokio::test]
async fn a_slow_stream_within_the_limit_is_taken() {
    let acts = [delta("Hel"), delta("lo"), "[DONE]".to_owned()];
    let acts = acts.iter().flat_map(|data| {
        let event = format!("data: {data}\n\n");
        event
            .into_bytes()
            .into_iter()
            .map(|byte| Act::Send(vec![byte]))
            .chain([pause()])
    });
    let reply = Reply::chunked("text/event-stream", acts.collect());
    assert!(ask(reply).await.is_ok());
}

#[tokio::test]
async fn nobody_there_is_transient() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server::start(Vec::new()).await;
    let mut settings = settings(&server);
    settings.base_url = format!("http://{address}/v1?code={WORDS}");
    assert_transient(send_text(settings).await);
}

#[tokio::test]
async fn a_connection_cut_before_the_head_is_not_asked_again() {
    assert_transient(ask(Reply::headless(Act::Cut)).await);
}

#[tokio::test]
async fn a_kept_connection_that_breaks_is_not_asked_again() {
    use chorus_workers::providers::{TextModel, openai::Chat};
    let good = Reply::json(200, completion("Hello"));
    let server = Server::start(vec![good, Reply::headless(Act::Cut)]).await;
    let chat = Chat::new(settings(&server)).unwrap();
    let (prompt, call) = (crate::support::prompt(), crate::support::call());
    assert!(chat.send(&prompt, &call).await.is_ok());
    assert_transient(chat.send(&prompt, &call).await);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_is_no_http_is_transient() {
    assert_transient(
        ask(Reply::headless(Act::Send(b"SSH-2.0-OpenSSH\r\n".to_vec())).then(Act::Cut)).await,
    );
}

#[tokio::test]
async fn a_body_cut_short_is_transient() {
    let body = completion("Hello").to_string();
    let reply = Reply::new(200, "application/json", &body.as_bytes()[..40])
        .header("content-length", &body.len().to_string())
        .then(Act::Cut);
    assert_transient(ask(reply).await);
}

#[tokio::test]
async fn a_stream_cut_short_is_transient() {
    let reply = Reply::events(&[&delta("Hel")]).then(Act::Cut);
    assert_transient(ask(reply).await);
}

#[tokio::test]
async fn a_stream_that_ends_without_its_last_word_is_transient() {
    assert_transient(ask(Reply::events(&[&delta("Hel")])).await);
    assert_transient(ask(Reply::events(&[])).await);
}

#[tokio::test]
async fn a_stream_of_something_else_is_transient() {
    for event in ["{", "7", "[]", "NaN", "\"x\""] {
        assert_transient(ask(Reply::events(&[event, "[DONE]"])).await);
    }
}

#[tokio::test]
async fn a_page_under_a_200_is_transient() {
    let page = "<!doctype html><html>Welcome to the hotel's network</html>";
    for kind in [
        "text/html; charset=utf-8",
        "text/plain",
        "",
        "application/xml",
    ] {
        assert_transient(ask(Reply::new(200, kind, page)).await);
    }
    assert_transient(ask(Reply::new(204, "", "")).await);
    let error = ask(Reply::new(200, "text/html", page)).await.unwrap_err();
    assert_eq!(error.detail(), "the answer is an HTML page");
}

#[tokio::test]
async fn a_packed_answer_is_not_unpacked() {
    let bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
    let reply = Reply::new(200, "application/json", bomb).header("content-encoding", "gzip");
    assert_transient(ask(reply).await);
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_taken() {
    let reply = Reply::json(200, "{")
        .header("content-length", "1073741824")
        .then(Act::Hang);
    assert_permanent(ask(reply).await);
}

#[tokio::test]
async fn an_endless_body_is_taken_up_to_the_cap() {
    for kind in ["application/json", "text/event-stream"] {
        let flood = Act::Flood(vec![b' '; 64 << 10]);
        let server = Server::start(vec![Reply::chunked(kind, vec![flood])]).await;
        let result = send_text(settings(&server)).await;
        assert!(
            matches!(result, Err(CallError::Permanent { .. })),
            "{result:?}"
        );
        assert_eq!(server.requests().len(), 1);
        assert!(
            server.bytes_sent() < 32 << 20,
            "the sockets took {}",
            server.bytes_sent()
        );
    }
}

#[tokio::test]
async fn an_endless_failure_is_judged_by_its_status() {
    let mut reply = Reply::chunked("text/plain", vec![Act::Flood(vec![b'x'; 64 << 10])]);
    reply.status = 401;
    assert_permanent(ask(reply).await);
}

#[tokio::test]
async fn a_failure_whose_body_hangs_is_judged_by_its_status() {
    let mut reply = Reply::chunked("application/json", vec![Act::Hang]);
    reply.status = 401;
    assert_permanent(ask(reply).await);
}
