//! Shapes in words: what a field holds, and the table of a type's fields.

use maud::{Markup, html};
use serde_json::Value;

/// What a shape is, in a few words, with links to the types that have a name.
pub(super) fn words(shape: &Value) -> Markup {
    if let Some(name) = name(shape) {
        return html! { a href={ "#type-" (name) } { (name) } };
    }
    for (word, between) in [("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")] {
        if let Some(all) = shape[word].as_array() {
            return html! {
                @for (at, one) in all.iter().enumerate() {
                    @if at > 0 { (between) }
                    (words(one))
                }
            };
        }
    }
    let kinds: Vec<&str> = match &shape["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["any value"],
    };
    html! {
        @for (at, kind) in kinds.iter().enumerate() {
            @if at > 0 { " or " }
            @if *kind == "array" { "list of " (words(&shape["items"])) }
            @else if *kind == "object" && shape["additionalProperties"].is_object() {
                "object of " (words(&shape["additionalProperties"]))
            } @else { (*kind) }
        }
        @if let Some(format) = shape["format"].as_str().filter(|format| !format.starts_with("int")) { " (" (format) ")" }
        (bounds(shape))
    }
}

fn bounds(shape: &Value) -> Markup {
    let values = shape["enum"].as_array();
    html! {
        @if let Some(values) = values {
            ": "
            @for (at, value) in values.iter().enumerate() {
                @if at > 0 { ", " }
                code { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) }
            }
        }
        @for (word, says) in [("minimum", "from"), ("maximum", "to"), ("minLength", "at least"), ("maxLength", "at most")] {
            @if let Some(bound) = shape.get(word).filter(|bound| **bound != 0) {
                ", " (says) " " (bound.to_string())
                @if word.ends_with("Length") { " characters" }
            }
        }
    }
}

/// The name of the type that a shape refers to.
fn name(shape: &Value) -> Option<&str> {
    shape["$ref"].as_str()?.rsplit('/').next()
}

/// The fields of a type.
pub(super) fn fields(shape: &Value) -> Markup {
    let required = shape["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    html! {
        @if let Some(all) = shape["allOf"].as_array() {
            @for one in all {
                @if let Some(name) = name(one) { p { "All of " a href={ "#type-" (name) } { (name) } ", and:" } }
                @else { (fields(one)) }
            }
        } @else if let Some(fields) = shape["properties"].as_object() {
            div.scroll { table {
                @for (name, field) in fields {
                    tr {
                        th scope="row" { code { (name) } @if !is_required(name) { span.optional { "optional" } } }
                        td { (words(field)) }
                        td { (about(field)) }
                    }
                }
            } }
        } @else {
            p { (words(shape)) }
            @if let Some(all) = shape["oneOf"].as_array() {
                ul { @for one in all.iter().filter(|one| one["enum"].is_array()) {
                    li { (words(one)) " " (about(one)) }
                } }
            }
        }
    }
}

/// What is said about it.
pub(super) fn about(told: &Value) -> Markup {
    html! { @if let Some(text) = told["description"].as_str() { (prose(text)) } }
}

/// A text whose words between backticks are code.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
