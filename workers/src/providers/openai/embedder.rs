//! `/embeddings`.

use super::PROVIDER;
use super::answer::{parsed, plain, usage};
use super::caller::Caller;
use super::delay;
use super::settings::{Settings, SettingsError};
use crate::providers::body::{self, Kind};
use crate::providers::{
    Answered, Call, CallError, Embedder as _, Texts, Unreadable, Usage, Vectors,
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// The length of vectors, where it can be asked for: longer ones are shortened to it where they are compared.
const WIDTH: usize = domain::topics::embed::WIDTH;

/// An embedding model behind `/embeddings`. The raw answer is the server's JSON.
pub struct Embedder {
    caller: Caller,
}

impl Embedder {
    /// Opens no connection yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let caller = Caller::new(settings)?;
        Ok(Self { caller })
    }

    async fn ask(&self, texts: &Texts, call: &Call) -> Result<Answered, CallError> {
        let request = request(self.model(), texts);
        let mut response = self.caller.post(&["embeddings"], call, &request).await?;
        let kind = body::kind(&response)?;
        if kind == Kind::Events {
            return Err(CallError::transient("the answer is a stream, unasked"));
        }
        let raw = body::whole(&mut response, self.caller.settings.body_bytes_max).await?;
        let raw = plain(raw, kind, &response)?;
        let patience = delay::used_up(response.headers());
        Ok(Answered { raw, patience })
    }
}

impl crate::providers::Embedder for Embedder {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> &str {
        &self.caller.settings.model
    }

    fn send<'a>(
        &'a self,
        texts: &'a Texts,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(self.caller.within(self.ask(texts, call)))
    }

    fn read(&self, raw: &[u8], count: usize) -> Result<Vectors, Unreadable> {
        let answer = parsed(raw)?;
        let Some(data) = answer["data"].as_array() else {
            return Err(Unreadable::garbled("it has no vectors"));
        };
        if data.len() != count {
            return Err(Unreadable::garbled(format!(
                "it has {} vectors for {count} texts",
                data.len()
            )));
        }
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
        for (at, entry) in data.iter().enumerate() {
            // Servers that leave the place out answer in order.
            let told = &entry["index"];
            let place = if told.is_null() {
                Some(at)
            } else {
                told.as_u64().and_then(|place| usize::try_from(place).ok())
            };
            let slot = place
                .and_then(|place| vectors.get_mut(place))
                .filter(|slot| slot.is_none())
                .ok_or_else(|| Unreadable::garbled("two vectors are for one text"))?;
            *slot = Some(vector(&entry["embedding"])?);
        }
        let vectors: Vec<Vec<f32>> = vectors.into_iter().flatten().collect();
        if vectors.windows(2).any(|two| two[0].len() != two[1].len()) {
            return Err(Unreadable::garbled("its vectors are not of one length"));
        }
        Ok(Vectors(vectors))
    }

    fn usage(&self, raw: &[u8]) -> Usage {
        // The vectors are no pictures, though they are under the same key.
        parsed(raw)
            .map(|answer| Usage {
                images: 0,
                ..usage(&answer)
            })
            .unwrap_or_default()
    }
}

fn request(model: &str, texts: &Texts) -> Value {
    let mut request = json!({
        "model": model,
        "input": texts.texts,
        "encoding_format": "float",
    });
    // Models of this kind make short vectors on demand, which are a sixth of the answer to keep.
    if model.starts_with("text-embedding-3") {
        request["dimensions"] = WIDTH.into();
    }
    request
}

fn vector(value: &Value) -> Result<Vec<f32>, Unreadable> {
    let Some(entries) = value.as_array() else {
        return Err(Unreadable::garbled("a vector is no list of numbers"));
    };
    if entries.is_empty() || entries.len() > Vectors::LENGTH_MAX {
        return Err(Unreadable::garbled(format!(
            "a vector has {} numbers",
            entries.len()
        )));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is too large for an f32 becomes infinite and is refused"
    )]
    let number = |entry: &Value| entry.as_f64().map(|x| x as f32).filter(|x| x.is_finite());
    entries
        .iter()
        .map(number)
        .collect::<Option<Vec<f32>>>()
        .ok_or_else(|| Unreadable::garbled("a vector has an entry that is no number"))
}
