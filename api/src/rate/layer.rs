//! Where requests are counted: by address before anything else is asked, by account once it is known.

use super::{Verdict, whole};
use crate::client::Client;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::{MatchedPath, Request, State as In};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use process::settings::Scope;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Counts a request: for the address that it is from, and for the account that makes it.
pub(crate) async fn count(
    In(state): In<State>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    let scopes = of_address(&request);
    if !scopes.iter().any(|scope| state.limiter().counts(*scope)) {
        return by_account(&state, request, next).await;
    }
    let whom = client.neighbourhood().to_string();
    let verdict = state.limiter().take(scopes, &whom).await;
    if let Some(problem) = refusal(&verdict) {
        return told(problem.into_response(), &verdict);
    }
    let response = by_account(&state, request, next).await;
    // What an account has left is nearer to its caller than what its network has.
    if response.headers().contains_key(&LIMIT) {
        return response;
    }
    told(response, &verdict)
}

/// Counts a request for the account that makes it. Whoever cannot be recognised goes on: the route says
/// whether that matters.
async fn by_account(state: &State, mut request: Request, next: Next) -> Response {
    let scopes = of_account(&request);
    let limiter = state.limiter();
    let known = request.headers().contains_key(header::AUTHORIZATION)
        || request.headers().contains_key("x-api-key");
    if !known || !scopes.iter().any(|scope| limiter.counts(*scope)) {
        return next.run(request).await;
    }
    let Ok(caller) = state.door().recognise(request.headers()).await else {
        return next.run(request).await;
    };
    let whom = caller.account().to_string();
    request.extensions_mut().insert(caller); // the route need not ask again
    let verdict = limiter.take(scopes, &whom).await;
    match refusal(&verdict) {
        Some(problem) => told(problem.into_response(), &verdict),
        None => told(next.run(request).await, &verdict),
    }
}

fn of_address(request: &Request) -> &'static [Scope] {
    let is_post = request.method() == Method::POST;
    let path = route(request);
    if is_post && path.starts_with("/api/v1/auth/") {
        &[Scope::Address, Scope::Auth]
    } else if is_post && path == "/api/v1/surveys/{name}/responses" {
        &[Scope::Address, Scope::Responses]
    } else {
        &[Scope::Address]
    }
}

fn of_account(request: &Request) -> &'static [Scope] {
    let path = route(request);
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let accept = request.headers().get(header::ACCEPT);
        let accept = accept.and_then(|accept| accept.to_str().ok());
        let streams = path.ends_with("/stream")
            || path.ends_with("/events")
                && accept.is_some_and(|accept| accept.contains("text/event-stream"));
        return if streams {
            &[Scope::Reads, Scope::Streams]
        } else {
            &[Scope::Reads]
        };
    }
    match path {
        "/api/v1/surveys" => &[Scope::Commands, Scope::Surveys],
        _ => &[Scope::Commands],
    }
}

fn route(request: &Request) -> &str {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or_else(|| request.uri().path(), MatchedPath::as_str)
}

fn refusal(verdict: &Verdict) -> Option<Problem> {
    let (policy, wait) = verdict.refused.as_ref()?;
    let seconds = whole(*wait).max(1);
    let how = format!("Too many requests by the limit {policy}; ask again in {seconds} s.");
    let problem = Problem::new(Code::RateLimited, how).retry_after(seconds);
    Some(problem.with("violated-policies", vec![policy.clone()]))
}

fn told(mut response: Response, verdict: &Verdict) -> Response {
    let list = |items: Vec<&str>| HeaderValue::from_str(&items.join(", ")).ok();
    let policies = list(verdict.told.iter().map(|one| &*one.policy).collect());
    let limits = list(verdict.told.iter().map(|one| &*one.limit).collect());
    set(response.headers_mut(), POLICY, policies);
    set(response.headers_mut(), LIMIT, limits);
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        headers.insert(name, value);
    }
}
