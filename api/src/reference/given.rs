//! What an operation is given: parameters and a body.

use super::schemas::{self, Shapes, Take};
use serde_json::{Value, json};
use std::borrow::Cow;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

/// What is taken beside the body.
pub(super) enum Parameter {
    One(Value),
    /// Those of a type.
    Query(fn() -> Vec<Value>),
}

/// What is sent.
pub(super) struct Body {
    pub(super) take: Take,
    pub(super) name: fn() -> Cow<'static, str>,
    pub(super) example: Value,
}

impl Body {
    pub(super) fn told(&self) -> Value {
        let mut shapes = Shapes::new();
        let shape = (self.take)(&mut shapes);
        // No body counts as {}.
        let required = shapes[&*(self.name)()].get("required").is_some();
        json!({
            "required": required,
            "content": {"application/json": {"schema": shape, "example": self.example}},
        })
    }
}

/// The fields of a type, as parameters in the query.
pub(super) fn fields<P: IntoParams>() -> Vec<Value> {
    let mut fields = vec![];
    for parameter in P::into_params(|| Some(ParameterIn::Query)) {
        let mut told = serde_json::to_value(parameter).unwrap_or_default();
        schemas::tidy(&mut told);
        // In a query there is no null.
        if let Some(Value::Array(types)) = told.pointer_mut("/schema/type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                told["schema"]["type"] = only;
            }
        }
        fields.push(told);
    }
    fields
}
