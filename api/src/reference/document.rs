//! The OpenAPI document: every operation, every shape, by name.

use super::api::Described;
use super::meanings;
use super::schemas::{self, Shapes};
use serde_json::{Map, Value, json};

/// The headings of the document, in their order.
const TAGS: [(&str, &str); 16] = [
    (
        "Jobs",
        "What becomes of accepted commands. Every command that starts one answers 202 with it.",
    ),
    (
        "Surveys",
        "What an owner asks their friends, and the friends' answers.",
    ),
    (
        "Personas",
        "The character that friends' answers became, and its pictures.",
    ),
    (
        "Rounds",
        "How a pool of ideas becomes topics: rounds, and the groups that they find.",
    ),
    (
        "Topics",
        "What a community would like to talk about, what it does talk about, and a stream of what is new.",
    ),
    (
        "Reviews",
        "Questions to people that a job waits for: approve, ask for another try, reject.",
    ),
    (
        "Your account",
        "Who you are here and what you may do, your sessions, and how you go.",
    ),
    (
        "Dead letters",
        "Steps that gave up, for a person to judge: replay, skip, discard, restore.",
    ),
    (
        "Replays",
        "Many dead letters replayed as one operation, watched, paused and stopped.",
    ),
    (
        "Sagas",
        "Every saga, whoever's it is: search, full story, and the verbs that steer it.",
    ),
    (
        "Fleet",
        "Queues and workers: how they stand, and their switches.",
    ),
    ("Money", "What calls of models cost, and the caps on it."),
    (
        "Accounts",
        "Who there is and what they may do, and the keys that machines show.",
    ),
    (
        "Sign-in",
        "How people come in and stay: by password, by an issuer's token, by a refresh.",
    ),
    ("Audit", "Who decided what, when and why."),
    (
        "Service",
        "The process itself: health, metrics, and this reference.",
    ),
];

const ABOUT: &str = "Chorus turns many people's input into one AI-made artefact. A command commits and answers 202 with a \
job at once; the job is polled, waited for with `Prefer: wait=N`, or followed as server-sent events. Every refusal is \
`application/problem+json` with a stable `code`. Every POST takes an `Idempotency-Key` where it says so.";

/// What a server once answered to the examples, by operation and status. The suite writes it anew
/// with `CHORUS_RECORD=1`, and holds it to the shapes.
const ANSWERS: &str = include_str!("answers.json");

/// The document of these operations.
pub(super) fn of(described: &[Described]) -> Value {
    let recorded: Value = serde_json::from_str(ANSWERS).unwrap_or_default();
    let (mut paths, mut responses): (Map<String, Value>, Map<String, Value>) = Default::default();
    let (mut asked, mut answered) = (Shapes::new(), Shapes::new());
    for Described {
        tag,
        method,
        path,
        operation,
    } in described
    {
        let item = paths.entry(*path).or_insert_with(|| json!({}));
        let mut told = operation.told(tag, path);
        for (status, answer) in recorded[operation.id].as_object().into_iter().flatten() {
            if let Some(content) =
                told["responses"].pointer_mut(&format!("/{status}/content/application~1json"))
            {
                content["example"] = answer.clone();
            }
        }
        item[*method] = told;
        for refusal in operation.refused() {
            responses.insert(refusal.name(), refusal.told());
        }
        asked.extend(operation.asked());
        answered.extend(operation.answered());
    }
    for (name, shape) in &mut answered {
        if !asked.contains_key(name) {
            schemas::complete(shape);
        }
    }
    answered.extend(asked);
    let codes = meanings::ALL.map(|code| code.facts().1);
    answered.insert("Problem".to_owned(), schemas::problem(&codes));
    let tags = TAGS.map(|(name, about)| json!({"name": name, "description": about}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Chorus",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": answered,
            "responses": responses,
            "headers": {"RequestId": {
                "description": "Names the request: in logs, in problems, and as the correlation id of what it started.",
                "schema": {"type": "string"},
            }},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "`chorus token` makes one."},
                "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key",
                    "description": "A key with the scopes that the operation needs."},
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::TAGS;
    use crate::operations;
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn a_name_means_one_shape() {
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        for described in operations::all().described() {
            let operation = described.operation;
            for (name, shape) in operation.asked().into_iter().chain(operation.answered()) {
                let before = seen.entry(name.clone()).or_insert_with(|| shape.clone());
                assert_eq!(
                    *before, shape,
                    "two types are called {name}: #[schema(as = …)]"
                );
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
        let document = super::super::openapi();
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            if let Some(to) = value.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(&to[1..]).is_some(), "{to} leads nowhere");
            }
            match value {
                Value::Array(all) => open.extend(all),
                Value::Object(object) => open.extend(object.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let tags: BTreeSet<&str> = TAGS.iter().map(|(name, _)| *name).collect();
        let mut ids = BTreeSet::new();
        for described in operations::all().described() {
            assert!(
                ids.insert(described.operation.id),
                "{} twice",
                described.operation.id
            );
            assert!(
                tags.contains(described.tag),
                "{} is no heading",
                described.tag
            );
        }
    }
}
