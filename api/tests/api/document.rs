//! The OpenAPI document of a running server, and whether what it answers is what that says.

use crate::support::{Answer, App, Person};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The document, and what was done of it.
pub(crate) struct Document {
    pub(crate) told: Value,
    /// Operations whose example was sent.
    pub(crate) played: BTreeSet<String>,
    /// Those of them that were asked for twice under one key, and done once.
    pub(crate) commands: BTreeSet<String>,
    /// What they answered in JSON, by operation and status.
    pub(crate) answers: BTreeMap<String, Map<String, Value>>,
}

/// One operation of the document.
pub(crate) struct Operation<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) told: &'a Value,
}

/// What an operation's path names.
pub(crate) type Names<'a> = &'a [(&'a str, &'a str)];

impl Document {
    pub(crate) async fn of(app: &App) -> Self {
        let request = app.request(Method::GET, "/api/v1/openapi.json", None);
        let told = app.send(request).await.is(200).body;
        Self {
            told,
            played: BTreeSet::new(),
            commands: BTreeSet::new(),
            answers: BTreeMap::new(),
        }
    }

    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.told["paths"].as_object().unwrap();
        let each = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, told)| {
                let method = method.to_uppercase().parse().unwrap();
                Operation { method, path, told }
            })
        });
        each.collect()
    }

    /// The operations that do something, each of which takes an `Idempotency-Key`.
    pub(crate) fn posts(&self) -> BTreeSet<String> {
        let all = self.operations().into_iter();
        let posts = all.filter(|one| one.method == Method::POST);
        posts
            .map(|one| one.told["operationId"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let id = |one: &Operation<'_>| one.told["operationId"].as_str().unwrap().to_owned();
        self.operations().iter().map(id).collect()
    }

    /// Sends an operation's example, and holds its answer against the document. A command is sent twice under one
    /// key, and done once.
    pub(crate) async fn play(
        &mut self,
        app: &App,
        id: &str,
        names: Names<'_>,
        by: Option<&Person>,
    ) -> Answer {
        let example = self.example(id);
        self.play_with(app, id, names, by, example.as_ref()).await
    }

    /// As [`Document::play`], with another body than the example.
    pub(crate) async fn play_with(
        &mut self,
        app: &App,
        id: &str,
        names: Names<'_>,
        by: Option<&Person>,
        body: Option<&Value>,
    ) -> Answer {
        self.played.insert(id.to_owned());
        if self.find(id).method != Method::POST {
            let answer = self.send(app, id, names, by, body).await;
            assert!(answer.status.is_success(), "{id}: {answer:#?}");
            return answer;
        }
        let key = format!("play {}", Uuid::now_v7());
        let answer = self.ask(app, id, (names, by, body, Some(&key))).await;
        assert!(answer.status.is_success(), "{id}: {answer:#?}");
        assert!(!answer.headers.contains_key("idempotency-replayed"), "{id}");
        let again = self.ask(app, id, (names, by, body, Some(&key))).await;
        // Whoever has signed out is known no more.
        if id == "signOut" {
            return answer;
        }
        assert!(again.status.is_success(), "{id}: {again:#?}");
        let replayed = again.headers.get("idempotency-replayed");
        assert!(
            replayed.is_some_and(|replayed| replayed == "true"),
            "{id}: {again:#?}"
        );
        self.commands.insert(id.to_owned());
        answer
    }

    /// Sends an operation with another body than its example.
    pub(crate) async fn send(
        &mut self,
        app: &App,
        id: &str,
        names: Names<'_>,
        by: Option<&Person>,
        body: Option<&Value>,
    ) -> Answer {
        self.ask(app, id, (names, by, body, None)).await
    }

    /// As [`Document::send`], under a key.
    pub(crate) async fn ask(
        &mut self,
        app: &App,
        id: &str,
        (names, by, body, key): (Names<'_>, Option<&Person>, Option<&Value>, Option<&str>),
    ) -> Answer {
        let operation = self.find(id);
        let mut path = operation.path.to_owned();
        for (name, value) in names {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let request = app.request(operation.method, &path, by);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let answer = app.send(request).await;
        self.check(id, &answer);
        let answers = self.answers.entry(id.to_owned()).or_default();
        if !answer.body.is_null() && answer.status.is_success() {
            answers
                .entry(answer.status.as_str())
                .or_insert(answer.body.clone());
        }
        answer
    }

    /// The body of an operation's example.
    pub(crate) fn example(&self, id: &str) -> Option<Value> {
        let body = self
            .find(id)
            .told
            .pointer("/requestBody/content/application~1json/example");
        body.cloned()
    }

    fn find(&self, id: &str) -> Operation<'_> {
        let found = self
            .operations()
            .into_iter()
            .find(|one| one.told["operationId"] == id);
        found.unwrap_or_else(|| panic!("no operation is called {id}"))
    }

    /// An answer has a status, a type and a shape that the document tells.
    pub(crate) fn check(&self, id: &str, answer: &Answer) {
        let operation = self.find(id);
        let told = &operation.told["responses"][answer.status.as_str()];
        let shared = told["$ref"].as_str();
        let told = shared.map_or(told, |to| self.told.pointer(&to[1..]).unwrap());
        assert!(
            told.is_object(),
            "{id} answers {}, and says nothing of it: {answer:#?}",
            answer.status
        );
        let Some(kind) = answer.headers.get("content-type") else {
            assert!(told.get("content").is_none(), "{id}: {answer:#?}");
            return;
        };
        let kind = kind.to_str().unwrap().split(';').next().unwrap();
        let content = &told["content"][kind];
        assert!(
            content.is_object(),
            "{id} answers {kind}, and says nothing of it: {answer:#?}"
        );
        if kind.ends_with("json") {
            self.fits(&content["schema"], &answer.body, id);
        }
    }

    /// A value has a shape of the document.
    pub(crate) fn fits(&self, shape: &Value, value: &Value, what: &str) {
        let misfits = self.misfits(shape, value);
        assert!(misfits.is_empty(), "{what}: {misfits:#?}\n{value:#}");
    }

    /// Where a value has not the shape.
    pub(crate) fn misfits(&self, shape: &Value, value: &Value) -> Vec<String> {
        let whole = json!({"allOf": [shape], "components": self.told["components"]});
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        let judge = options.build(&whole).unwrap();
        let errors = judge.iter_errors(value);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }
}
