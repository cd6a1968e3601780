//! `/chat/completions`.

use super::PROVIDER;
use super::answer::{parsed, plain, usage};
use super::assembly::Assembly;
use super::caller::Caller;
use super::delay;
use super::events::Events;
use super::settings::{Settings, SettingsError};
use crate::providers::body::{self, Kind};
use crate::providers::{
    Answered, Call, CallError, Completion, Prompt, TextModel, Unreadable, Usage,
};
use futures_util::future::BoxFuture;
use reqwest::Response;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// A text model behind `/chat/completions`. Answers are streamed, so that a slow one shows, and
/// put together: the raw answer is one `chat.completion` object either way.
pub struct Chat {
    caller: Caller,
}

impl Chat {
    /// Opens no connection yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let caller = Caller::new(settings)?;
        Ok(Self { caller })
    }

    async fn ask(&self, prompt: &Prompt, call: &Call) -> Result<Answered, CallError> {
        let request = request(self.model(), prompt);
        let path = ["chat", "completions"];
        let mut response = self.caller.post(&path, call, &request).await?;
        let bytes_max = self.caller.settings.body_bytes_max;
        let raw = match body::kind(&response)? {
            Kind::Events => streamed(&mut response, bytes_max).await?,
            kind @ (Kind::Json | Kind::Unsaid) => {
                let raw = body::whole(&mut response, bytes_max).await?;
                plain(raw, kind, &response)?
            }
        };
        let patience = delay::used_up(response.headers());
        Ok(Answered { raw, patience })
    }
}

impl TextModel for Chat {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> &str {
        &self.caller.settings.model
    }

    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(self.caller.within(self.ask(prompt, call)))
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        let answer = parsed(raw)?;
        let choice = &answer["choices"][0];
        let message = &choice["message"];
        if !message.is_object() {
            return Err(Unreadable::garbled("it has no choices"));
        }
        let text = words(&message["content"]);
        let refused = !words(&message["refusal"]).trim().is_empty();
        match choice["finish_reason"].as_str().unwrap_or_default() {
            "content_filter" => Err(Unreadable::refused("the content filter stopped it")),
            "error" => Err(Unreadable::garbled("the server broke it off")),
            _ if refused => Err(Unreadable::refused("it declines")),
            "length" => Err(Unreadable::content(
                "it is longer than allowed and was cut short",
            )),
            _ if text.trim().is_empty() => Err(Unreadable::content("it is empty")),
            _ => Ok(Completion {
                text,
                usage: usage(&answer),
                model: answer["model"].as_str().unwrap_or(self.model()).to_owned(),
            }),
        }
    }

    fn usage(&self, raw: &[u8]) -> Usage {
        parsed(raw).map(|answer| usage(&answer)).unwrap_or_default()
    }
}

fn request(model: &str, prompt: &Prompt) -> Value {
    let mut request = json!({
        "model": model,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if prompt.json {
        request["response_format"] = json!({"type": "json_object"});
    }
    if reasons(model) {
        request["max_completion_tokens"] = prompt.tokens_max.into();
    } else {
        request["max_tokens"] = prompt.tokens_max.into();
        // By way of text: 0.7 shall not become 0.699999988.
        let temperature = prompt.temperature.to_string().parse::<f64>();
        request["temperature"] = json!(temperature.unwrap_or_default());
    }
    request
}

/// Whether a model is of the kind that knows no `max_tokens` and no `temperature`.
fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    ["o1", "o3", "o4", "gpt-5"]
        .iter()
        .any(|kind| name.starts_with(kind))
}

async fn streamed(response: &mut Response, bytes_max: usize) -> Result<Vec<u8>, CallError> {
    let mut events = Events::default();
    let mut answer = Assembly::default();
    body::each_piece(response, bytes_max, |piece| {
        for data in events.push(piece) {
            if answer.add(&data)? {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    if let Some(data) = events.rest() {
        answer.add(&data)?;
    }
    answer.finish()
}

/// Text, or the text of its parts, as some servers send it.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}
