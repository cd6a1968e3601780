//! Sends one request and hands back a response that succeeded.

use super::outside::{Inside, Outside, is_inside};
use super::settings::{Settings, SettingsError};
use super::status::{Fault, judged};
use crate::providers::{Answered, Call, CallError, body};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION};
use reqwest::{Client, RequestBuilder, Response, Url, redirect, retry};
use serde::Serialize;
use std::time::Duration;

/// How much of a failure's body is looked at, and for how long.
const FAILURE_BYTES_MAX: usize = 64 << 10;
const FAILURE_WAIT: Duration = Duration::from_secs(2);

/// A server and the way to ask it.
pub(super) struct Caller {
    http: Client,
    /// Reaches none of our own machines, whatever a name leads to.
    outside: Client,
    pub(super) base: Url,
    pub(super) settings: Settings,
}

impl Caller {
    pub(super) fn new(settings: Settings) -> Result<Self, SettingsError> {
        let base = settings.base()?;
        let plain = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .referer(false)
                .connect_timeout(Duration::from_secs(10))
        };
        // A proxy would look the name up itself, and might find something else.
        let outside = plain().no_proxy().dns_resolver(Outside::default());
        Ok(Self {
            http: plain().build().map_err(SettingsError::Client)?,
            outside: outside.build().map_err(SettingsError::Client)?,
            base,
            settings,
        })
    }

    /// Puts the time limit round a whole call, and blots the key out of whatever comes of it.
    pub(super) async fn within(
        &self,
        call: impl Future<Output = Result<Answered, CallError>>,
    ) -> Result<Answered, CallError> {
        let timeout = self.settings.timeout;
        let result = tokio::time::timeout(timeout, call)
            .await
            .unwrap_or_else(|_| Err(CallError::transient(format!("nothing in {timeout:?}"))));
        let Some(key) = &self.settings.key else {
            return result;
        };
        match result {
            Ok(answer) => Ok(Answered {
                raw: key.blotted_raw(answer.raw),
                ..answer
            }),
            Err(error) => Err(error.with_detail(|detail| key.blotted(detail))),
        }
    }

    /// Asks the server itself.
    pub(super) async fn post(
        &self,
        path: &[&str],
        call: &Call,
        request: &impl Serialize,
    ) -> Result<Response, CallError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut asked = self
            .http
            .post(url)
            .header("idempotency-key", &call.idempotency_key)
            .header("x-request-id", &call.request_id)
            .json(request);
        if let Some(trace) = saga_core::trace::current() {
            asked = asked.header("traceparent", trace.as_str());
        }
        if let Some(key) = &self.settings.key {
            asked = asked.header(AUTHORIZATION, key.bearer());
        }
        sent(asked).await
    }

    /// Fetches a file from an address that was found good, without showing the key.
    pub(super) async fn fetch(&self, url: Url) -> Result<Vec<u8>, CallError> {
        let own = url.origin() == self.base.origin();
        let http = if own { &self.http } else { &self.outside };
        let mut response = sent(http.get(url)).await?;
        body::whole(&mut response, self.settings.body_bytes_max).await
    }
}

async fn sent(request: RequestBuilder) -> Result<Response, CallError> {
    let request = request.header(ACCEPT_ENCODING, "identity");
    let mut response = request.send().await.map_err(|error| {
        if is_inside(&error) {
            CallError::permanent(format!("the picture's address is refused: {Inside}"))
        } else {
            body::network(error)
        }
    })?;
    let status = response.status();
    tracing::debug!(status = status.as_u16(), "The provider answered {status}");
    if status.is_success() {
        return Ok(response);
    }
    let read = body::whole(&mut response, FAILURE_BYTES_MAX);
    let said = match tokio::time::timeout(FAILURE_WAIT, read).await {
        Ok(Ok(said)) => said,
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let fault = Fault::in_body(&said).unwrap_or_default();
    Err(judged(status.as_u16(), &fault, response.headers()))
}
