//! `/images/generations`.

use super::PROVIDER;
use super::address;
use super::answer::{parsed, plain, usage};
use super::caller::Caller;
use super::delay;
use super::settings::{Settings, SettingsError};
use crate::providers::body::{self, Kind};
use crate::providers::{
    Answered, Call, CallError, Image, ImageModel, Picture, Unreadable, Usage, png,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// An image model behind `/images/generations`. The raw answer is the server's JSON with the
/// picture in `data[0].b64_json`; if the server gave an address instead, `send` has fetched it.
pub struct Painter {
    caller: Caller,
}

impl Painter {
    /// Opens no connection yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let caller = Caller::new(settings)?;
        Ok(Self { caller })
    }

    async fn ask(&self, picture: &Picture, call: &Call) -> Result<Answered, CallError> {
        let request = request(self.model(), picture);
        let path = ["images", "generations"];
        let mut response = self.caller.post(&path, call, &request).await?;
        let kind = body::kind(&response)?;
        if kind == Kind::Events {
            return Err(CallError::transient("the answer is a stream, unasked"));
        }
        let raw = body::whole(&mut response, self.caller.settings.body_bytes_max).await?;
        let raw = plain(raw, kind, &response)?;
        let patience = delay::used_up(response.headers());
        let raw = match address_in(&raw) {
            // It is painted by now, whatever becomes of it.
            Some((answer, address)) => self
                .with_picture(answer, &address)
                .await
                .map_err(CallError::charged)?,
            None => raw,
        };
        Ok(Answered { raw, patience })
    }

    async fn with_picture(&self, mut answer: Value, at: &str) -> Result<Vec<u8>, CallError> {
        let hosts = &self.caller.settings.picture_hosts;
        let url = address::of_picture(at, &self.caller.base, hosts)?;
        let picture = self.caller.fetch(url).await?;
        // The address may hold a token that outlives the call, so it is not kept.
        answer["data"] = json!([{"b64_json": STANDARD.encode(picture)}]);
        Ok(answer.to_string().into_bytes())
    }
}

impl ImageModel for Painter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> &str {
        &self.caller.settings.model
    }

    fn send<'a>(
        &'a self,
        picture: &'a Picture,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(self.caller.within(self.ask(picture, call)))
    }

    fn read(&self, raw: &[u8]) -> Result<Image, Unreadable> {
        let answer = parsed(raw)?;
        let Some(text) = answer["data"][0]["b64_json"].as_str() else {
            return Err(Unreadable::garbled("it has no picture"));
        };
        let png = STANDARD
            .decode(text.trim())
            .map_err(|_| Unreadable::garbled("its picture is not base64"))?;
        let (width, height) = png::measured(&png)?;
        Ok(Image {
            png,
            width,
            height,
            usage: usage(&answer),
        })
    }

    fn usage(&self, raw: &[u8]) -> Usage {
        parsed(raw).map(|answer| usage(&answer)).unwrap_or_default()
    }
}

fn request(model: &str, picture: &Picture) -> Value {
    let side = picture.side;
    let mut request = json!({
        "model": model,
        "prompt": picture.look_prompt,
        "n": 1,
        "size": format!("{side}x{side}"),
    });
    // Models of this kind always answer so, and take the wish for an error.
    if !model.contains("gpt-image") {
        request["response_format"] = "b64_json".into();
    }
    request
}

/// The answer and the picture's address in it, if that is all it has of the picture.
fn address_in(raw: &[u8]) -> Option<(Value, String)> {
    let answer: Value = serde_json::from_slice(raw).ok()?;
    let first = &answer["data"][0];
    if first["b64_json"].is_string() {
        return None;
    }
    let address = first["url"].as_str()?.to_owned();
    Some((answer, address))
}
