//! Puts a streamed answer together, as if it had come in one piece.

use super::status::{Fault, judged};
use crate::providers::CallError;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

/// The answer so far. What the server adds to the standard is kept: at the top the last value, in
/// the message joined if it is text.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    top: Map<String, Value>,
    message: Map<String, Value>,
    finish_reason: Option<String>,
    done: bool,
}

impl Assembly {
    /// Takes the data of one event. True when it was the last one.
    pub(super) fn add(&mut self, data: &str) -> Result<bool, CallError> {
        if data.trim() == "[DONE]" {
            self.done = true;
            return Ok(true);
        }
        let chunk: Value = serde_json::from_str(data)
            .map_err(|_| CallError::transient("an event of the stream is not JSON"))?;
        if let Some(fault) = Fault::within(&chunk) {
            let error = judged(fault.status(), &fault, &HeaderMap::new());
            // What was written up to here may be charged for.
            let untouched = self.message.is_empty();
            return Err(if untouched { error } else { error.charged() });
        }
        let Value::Object(mut chunk) = chunk else {
            return Err(CallError::transient("an event of the stream is no object"));
        };
        if let Some(Value::Array(choices)) = chunk.remove("choices") {
            // Only one answer is asked for; a server that gives more is read for its first.
            let first = |choice: &Value| choice["index"].as_u64().unwrap_or(0) == 0;
            for choice in choices.into_iter().filter(first) {
                self.add_choice(choice);
            }
        }
        let told = chunk.into_iter().filter(|(_, value)| !value.is_null());
        self.top.extend(told);
        Ok(false)
    }

    /// The whole answer, unless its end never came.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, CallError> {
        if !self.done {
            return Err(CallError::transient("the stream was cut off"));
        }
        let choice = json!({
            "index": 0,
            "message": self.message,
            "finish_reason": self.finish_reason,
        });
        self.top.insert("object".into(), "chat.completion".into());
        self.top
            .insert("choices".into(), Value::Array(vec![choice]));
        Ok(Value::Object(self.top).to_string().into_bytes())
    }

    fn add_choice(&mut self, choice: Value) {
        let Value::Object(mut choice) = choice else {
            return;
        };
        if let Some(Value::String(reason)) = choice.remove("finish_reason")
            && !reason.is_empty()
        {
            self.finish_reason = Some(reason);
        }
        if let Some(Value::Object(delta)) = choice.remove("delta") {
            for (name, value) in delta {
                self.add_field(name, value);
            }
        }
    }

    fn add_field(&mut self, name: String, value: Value) {
        match (self.message.get_mut(&name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(so_far)), Value::String(more)) if name != "role" => {
                so_far.push_str(&more);
            }
            (_, value) => {
                self.message.insert(name, value);
            }
        }
    }
}
