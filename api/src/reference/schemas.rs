//! The shapes of bodies, by name, taken from the types that the handlers read and write.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Shapes by name.
pub(crate) type Shapes = BTreeMap<String, Value>;

/// Puts the shape of a type among others, and answers how to refer to it.
pub(super) type Take = fn(&mut Shapes) -> Value;

/// Takes the shape of a type, and of every type in it; answers how to refer to it.
pub(super) fn take<T: ToSchema>(shapes: &mut Shapes) -> Value {
    let mut all = vec![];
    T::schemas(&mut all);
    all.push((T::name().into_owned(), T::schema()));
    for (name, shape) in all {
        let mut shape = serde_json::to_value(shape).unwrap_or_default();
        tidy(&mut shape);
        shapes.insert(name, shape);
    }
    refer(&T::name())
}

/// Takes the shape of a page of such items.
pub(super) fn take_page<T: ToSchema>(shapes: &mut Shapes) -> Value {
    let (item, name) = (take::<T>(shapes), name_of_page(&T::name()));
    let shape = json!({
        "type": "object",
        "description": "One page of a list.",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": ["string", "null"], "description": "Where the next page begins; null on the last."},
        },
    });
    shapes.insert(name.clone(), shape);
    refer(&name)
}

/// What a page of such items is called.
pub(super) fn name_of_page(item: &str) -> String {
    format!("{item}Page")
}

/// How to refer to a shape.
pub(super) fn refer(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A nullable field of an answer is always there, null or not: what may be missing is never null.
pub(super) fn complete(shape: &mut Value) {
    let Some(object) = shape.as_object_mut() else {
        return;
    };
    for inner in ["allOf", "oneOf", "anyOf"] {
        if let Some(Value::Array(all)) = object.get_mut(inner) {
            all.iter_mut().for_each(complete);
        }
    }
    let Some(Value::Object(fields)) = object.get_mut("properties") else {
        return;
    };
    fields.values_mut().for_each(complete);
    let there = fields.iter().filter(|(_, field)| may_be_null(field));
    let there: Vec<Value> = there.map(|(name, _)| Value::from(name.as_str())).collect();
    if there.is_empty() {
        return;
    }
    let required = object.entry("required").or_insert_with(|| json!([]));
    if let Value::Array(required) = required {
        for name in there {
            if !required.contains(&name) {
                required.push(name);
            }
        }
    }
}

fn may_be_null(shape: &Value) -> bool {
    let null = json!("null");
    match shape.get("type") {
        Some(Value::Array(types)) => types.contains(&null),
        Some(kind) => *kind == null,
        None => match shape.get("oneOf").or_else(|| shape.get("anyOf")) {
            Some(Value::Array(any)) => any.iter().any(may_be_null),
            _ => shape.get("$ref").is_none() && shape.get("allOf").is_none(),
        },
    }
}

/// Formats that say something else, and lines that were broken in the source alone.
pub(super) fn tidy(shape: &mut Value) {
    match shape {
        Value::Object(object) => {
            // A whole number from 0 on is told as a signed one, which would be bounded at half of it.
            if object.get("minimum") == Some(&json!(0)) {
                object.remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(all) => all.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The shape of every problem. Codes are told by the answers that have them.
pub(super) fn problem(codes: &[&str]) -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let field: Map<String, Value> = Map::from_iter([
        (
            "pointer".to_owned(),
            text("Where it is, as a JSON pointer into the body."),
        ),
        ("code".to_owned(), text("What a program switches on.")),
        (
            "detail".to_owned(),
            text("What a person reads, with the way to mend it."),
        ),
    ]);
    json!({
        "type": "object",
        "description": "Why a request was not done (RFC 9457). Some codes add members of their own.",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id", "retryable"],
        "properties": {
            "type": text("The page about this code."),
            "title": text("What the code means."),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text("What a person reads, with the way to mend it."),
            "instance": text("The address that was called."),
            "code": {"type": "string", "description": "What a program switches on.", "enum": codes},
            "request_id": text("Quote it when you report the problem."),
            "retryable": {"type": "boolean", "description": "Whether the same request may work later."},
            "errors": {
                "type": "array",
                "description": "The fields that do not fit, all of them.",
                "items": {"type": "object", "required": ["pointer", "code", "detail"], "properties": field},
            },
        },
        "additionalProperties": true,
    })
}
