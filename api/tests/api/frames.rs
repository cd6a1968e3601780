//! The frames of a stream of events, as a listener reads them.

use futures_util::{Stream, StreamExt as _};
use reqwest::Response;
use serde_json::Value;
use std::pin::Pin;

/// One frame of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) id: Option<i64>,
    pub(crate) event: String,
    pub(crate) data: Value,
    pub(crate) comment: String,
    pub(crate) retry: String,
}

/// The frames of a response, one after the other.
pub(crate) struct Frames {
    bytes: Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>,
    text: String,
}

impl Frames {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let bytes = response
            .bytes_stream()
            .map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        Self {
            bytes: Box::pin(bytes),
            text: String::new(),
        }
    }

    /// The next frame; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (read(frame), rest.to_owned());
                self.text = rest;
                return Some(frame);
            }
            let chunk = self.bytes.next().await?.unwrap();
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    pub(crate) async fn rest(mut self) -> Vec<Frame> {
        let mut all = vec![];
        while let Some(frame) = self.next().await {
            all.push(frame);
        }
        all
    }
}

fn read(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap();
        let value = value.trim_start();
        match field {
            "id" => frame.id = Some(value.parse().unwrap()),
            "event" => value.clone_into(&mut frame.event),
            "data" => frame.data = serde_json::from_str(value).unwrap(),
            "retry" => value.clone_into(&mut frame.retry),
            "" => value.clone_into(&mut frame.comment),
            other => panic!("what is {other}?"),
        }
    }
    frame
}
