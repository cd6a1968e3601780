//! One operation, as the document tells it: what it takes, what it answers, what it refuses.

use super::given::{Body, Parameter, fields};
use super::meanings;
use super::refusal::{PROBLEM, Refusal, dressed};
use super::schemas::{self, Shapes, Take};
use crate::code::Code;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Anybody,
    SignedOrAnybody,
    Signed,
    Staff,
    /// Who shows an API key, and nobody else.
    Machine,
}

/// One operation. What the types in it look like is asked when the document is made, not when the routes are:
/// most processes never make it, and it is the largest thing that one does at its start.
pub(crate) struct Operation {
    pub(super) id: &'static str,
    summary: &'static str,
    description: &'static str,
    /// What the name in its path names.
    named: &'static str,
    who: Who,
    /// Which permission the table asks for.
    permission: Option<&'static str>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: BTreeMap<u16, Value>,
    refusals: Vec<Code>,
    /// What is answered.
    answered: Vec<Take>,
}

/// An operation that needs no token.
pub(crate) fn anybody(id: &'static str, summary: &'static str) -> Operation {
    let refusals = vec![
        Code::Internal,
        Code::Unavailable,
        Code::Timeout,
        Code::RateLimited,
    ];
    Operation {
        id,
        summary,
        description: "",
        named: "Its id.",
        who: Who::Anybody,
        permission: None,
        parameters: vec![],
        body: None,
        answers: BTreeMap::new(),
        refusals,
        answered: vec![],
    }
}

/// An operation for everybody with a token.
pub(crate) fn signed(id: &'static str, summary: &'static str) -> Operation {
    let mut operation = anybody(id, summary);
    operation.who = Who::Signed;
    let who = [
        Code::MissingCredentials,
        Code::InvalidToken,
        Code::TokenExpired,
        Code::InvalidApiKey,
        Code::AccountDisabled,
    ];
    operation.refuses(&who)
}

/// An operation for those who run the fleet.
pub(crate) fn staff(id: &'static str, summary: &'static str) -> Operation {
    let mut operation = signed(id, summary);
    operation.who = Who::Staff;
    operation
}

impl Operation {
    /// Only an API key opens it, a session does not.
    pub(crate) fn by_key(mut self) -> Self {
        self.who = Who::Machine;
        self
    }

    /// Says more than the summary.
    pub(crate) fn says(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Says what the id or name in the path is of. What is not there is refused.
    pub(crate) fn named(mut self, what: &'static str) -> Self {
        self.named = what;
        self.refuses(&[Code::NotFound])
    }

    /// Takes the fields of `P` in the query.
    pub(crate) fn query<P: IntoParams>(mut self) -> Self {
        self.parameters.push(Parameter::Query(fields::<P>));
        self.refuses(&[Code::BadParameter])
    }

    /// Needs a permission.
    pub(super) fn needs(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self.refuses(&[Code::Forbidden])
    }

    /// Is answered however often somebody asks.
    pub(super) fn uncounted(mut self) -> Self {
        self.refusals.retain(|code| *code != Code::RateLimited);
        self
    }

    /// As [`Operation::named`], where what is not there is told in another way.
    pub(crate) fn named_always(mut self, what: &'static str) -> Self {
        self.named = what;
        self
    }

    /// Is also for whoever has no token.
    pub(crate) fn or_anybody(mut self) -> Self {
        self.who = Who::SignedOrAnybody;
        self
    }

    /// Takes a parameter in the query.
    pub(crate) fn parameter(mut self, name: &str, shape: Value, about: &str) -> Self {
        let told = json!({"name": name, "in": "query", "required": false, "schema": shape, "description": about});
        self.parameters.push(Parameter::One(told));
        self
    }

    /// Takes a header.
    pub(crate) fn header(mut self, name: &str, shape: Value, about: &str) -> Self {
        let told = json!({"name": name, "in": "header", "required": false, "schema": shape, "description": about});
        self.parameters.push(Parameter::One(told));
        self
    }

    /// Takes a body like this one.
    pub(crate) fn body<T: ToSchema>(mut self, example: Value) -> Self {
        self.body = Some(Body {
            take: schemas::take::<T>,
            name: T::name,
            example,
        });
        self.refuses(&[
            Code::MalformedJson,
            Code::UnknownField,
            Code::SlowRequest,
            Code::TooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
        ])
    }

    /// Is done once for each `Idempotency-Key`.
    pub(crate) fn once(mut self) -> Self {
        for status in [200, 201, 202, 204] {
            self = self.tells(
                status,
                "Idempotency-Replayed",
                "true when this is the answer of before.",
            );
        }
        let shape =
            json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"});
        let about = "The same key with the same body is the same command, for a day.";
        self.header("Idempotency-Key", shape, about).refuses(&[
            Code::BadParameter,
            Code::IdempotencyInProgress,
            Code::IdempotencyKeyReused,
        ])
    }

    /// Waits for the end of the job, when asked to.
    pub(crate) fn waits(mut self) -> Self {
        for status in [200, 202] {
            self = self
                .tells(status, "Preference-Applied", "The wait that was granted.")
                .tells(
                    status,
                    "Retry-After",
                    "When to ask again, while the job is not done.",
                )
                .tells(status, "ETag", "Changes with the job.");
        }
        let shape = json!({"type": "string", "examples": ["wait=10"]});
        self.header(
            "Prefer",
            shape,
            "wait=N: answer when the job is done, or after N seconds, 30 at most.",
        )
    }

    /// Answers 304 to whoever has it already.
    pub(crate) fn kept(self) -> Self {
        let about = "The ETag of the answer that you have.";
        self.tells(200, "ETag", "Send it back as If-None-Match.")
            .header("If-None-Match", json!({"type": "string"}), about)
            .empty(304, "You have it already.")
    }

    /// Answers JSON of this type. Headers are told after the answer.
    pub(crate) fn answer<T: ToSchema>(mut self, status: u16, when: &str) -> Self {
        self.answered.push(schemas::take::<T>);
        self.json(status, when, &schemas::refer(&T::name()))
    }

    /// Answers a page of such items.
    pub(crate) fn page<T: ToSchema>(mut self, when: &str) -> Self {
        self.answered.push(schemas::take_page::<T>);
        let name = schemas::name_of_page(&T::name());
        self.json(200, when, &schemas::refer(&name))
    }

    /// Answers either of two types.
    pub(crate) fn either<A: ToSchema, B: ToSchema>(mut self, status: u16, when: &str) -> Self {
        self.answered
            .extend([schemas::take::<A> as Take, schemas::take::<B>]);
        let [one, other] = [A::name(), B::name()].map(|name| schemas::refer(&name));
        self.json(status, when, &json!({"anyOf": [one, other]}))
    }

    fn json(self, status: u16, when: &str, shape: &Value) -> Self {
        self.of_type(status, "application/json", when, shape)
    }

    /// Answers something else than JSON.
    pub(crate) fn of_type(mut self, status: u16, kind: &str, when: &str, shape: &Value) -> Self {
        let answer = self.answers.entry(status).or_insert_with(|| json!({}));
        answer["description"] = when.into();
        answer["content"][kind] = json!({"schema": shape});
        self
    }

    /// Answers nothing.
    pub(crate) fn empty(mut self, status: u16, when: &str) -> Self {
        self.answers.insert(status, json!({"description": when}));
        self
    }

    /// Tells something in a header of an answer.
    pub(crate) fn tells(mut self, status: u16, name: &str, about: &str) -> Self {
        if let Some(answer) = self.answers.get_mut(&status) {
            answer["headers"][name] = json!({"description": about, "schema": {"type": "string"}});
        }
        self
    }

    /// Refuses for these reasons, too.
    pub(crate) fn refuses(mut self, codes: &[Code]) -> Self {
        for code in codes {
            if !self.refusals.contains(code) {
                self.refusals.push(*code);
            }
        }
        self
    }

    /// The shapes of what is sent.
    pub(super) fn asked(&self) -> Shapes {
        let mut shapes = Shapes::new();
        if let Some(body) = &self.body {
            (body.take)(&mut shapes);
        }
        shapes
    }

    /// The shapes of what is answered.
    pub(super) fn answered(&self) -> Shapes {
        let mut shapes = Shapes::new();
        for take in &self.answered {
            take(&mut shapes);
        }
        shapes
    }

    /// What the document says of it, at a path.
    pub(super) fn told(&self, tag: &str, path: &str) -> Value {
        let mut parameters: Vec<Value> = vec![];
        for parameter in &self.parameters {
            match parameter {
                Parameter::One(told) => parameters.push(told.clone()),
                Parameter::Query(fields) => parameters.extend(fields()),
            }
        }
        for name in path.split(['{', '}']).skip(1).step_by(2) {
            let shape = match name {
                "id" => json!({"type": "string", "format": "uuid"}),
                _ => json!({"type": "string", "minLength": 1}),
            };
            parameters.push(json!({"name": name, "in": "path", "required": true, "schema": shape, "description": self.named}));
        }
        let mut told = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [tag],
            "parameters": parameters,
            "responses": self.responses(),
        });
        if !self.description.is_empty() {
            told["description"] = self.description.into();
        }
        if let Some(body) = &self.body {
            told["requestBody"] = body.told();
        }
        told["security"] = match self.who {
            Who::Anybody => json!([]),
            Who::SignedOrAnybody => json!([{"bearer": []}, {}]),
            Who::Signed | Who::Staff => json!([{"bearer": []}, {"api_key": []}]),
            Who::Machine => json!([{"api_key": []}]),
        };
        if matches!(self.who, Who::Staff | Who::Machine) {
            told["x-role"] = "operator".into();
        }
        if let Some(permission) = self.permission {
            told["x-permission"] = permission.into();
        }
        told
    }

    fn responses(&self) -> Map<String, Value> {
        let answers = self.answers.iter();
        let mut responses: Map<String, Value> = answers
            .map(|(status, answer)| (status.to_string(), dressed(answer.clone())))
            .collect();
        for refusal in self.refused() {
            let status = refusal.status.as_str();
            match responses.get_mut(status) {
                None => drop(responses.insert(status.to_owned(), refusal.refer())),
                // An answer of the operation's own has the same status.
                Some(answer) => {
                    answer["content"][PROBLEM] = refusal.told()["content"][PROBLEM].clone();
                }
            }
        }
        responses
    }

    /// What it refuses, by status.
    pub(super) fn refused(&self) -> Vec<Refusal> {
        let mut all: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
        for code in meanings::ALL {
            if self.refusals.contains(&code) {
                all.entry(code.facts().0).or_default().push(code);
            }
        }
        all.into_iter()
            .map(|(status, codes)| Refusal { status, codes })
            .collect()
    }
}
