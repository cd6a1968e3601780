//! The pages of the reference: every operation, and what every code of a problem means.

use super::shape::{about, fields, prose, words};
use super::style::{SCRIPT, STYLE};
use super::{curl, meanings};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

/// Methods in the order in which a noun is read.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation of the document, and where it is.
struct Placed<'a> {
    method: &'a str,
    path: &'a str,
    told: &'a Value,
}

impl Placed<'_> {
    fn id(&self) -> &str {
        self.told["operationId"].as_str().unwrap_or_default()
    }
    fn summary(&self) -> &str {
        self.told["summary"].as_str().unwrap_or_default()
    }
}

/// Every operation of the document, by heading.
pub(super) fn operations(document: &Value, public_url: &str) -> String {
    let nothing = vec![];
    let tags = document["tags"].as_array().unwrap_or(&nothing);
    let all = placed(document);
    let body = html! {
        nav.index aria-label="Operations" {
            details open {
                summary { "Operations" }
                @for tag in tags {
                    p.tag { a href={ "#" (anchor(tag)) } { (text(&tag["name"])) } }
                    ul { @for one in of_tag(&all, tag) {
                        li data-entry=(one.id()) { a href={ "#" (one.id()) } { (method(one.method)) " " (one.summary()) } }
                    } }
                }
                p.tag { a href="#types" { "Types" } }
            }
        }
        main #content {
            (introduction(document, public_url))
            @for tag in tags {
                section id=(anchor(tag)) {
                    h2 { (text(&tag["name"])) }
                    p { (about(tag)) }
                    @for one in of_tag(&all, tag) { (operation(document, one, public_url)) }
                }
            }
            section id="types" {
                h2 { "Types" }
                @if let Some(shapes) = document["components"]["schemas"].as_object() {
                    @for (name, shape) in shapes {
                        article.type id={ "type-" (name) } {
                            h3 { (name) }
                            p { (about(shape)) }
                            (fields(shape))
                        }
                    }
                }
            }
        }
    };
    whole("Chorus API", &body)
}

fn of_tag<'a>(all: &'a [Placed<'a>], tag: &'a Value) -> impl Iterator<Item = &'a Placed<'a>> {
    all.iter().filter(|one| one.told["tags"][0] == tag["name"])
}

fn placed(document: &Value) -> Vec<Placed<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let each = paths.flat_map(|(path, item)| {
        let told = METHODS
            .iter()
            .filter_map(|method| Some((*method, item.get(*method)?)));
        told.map(|(method, told)| Placed {
            method,
            path: path.as_str(),
            told,
        })
    });
    each.collect()
}

fn introduction(document: &Value, public_url: &str) -> Markup {
    html! {
        h1 { "Chorus API " small { (text(&document["info"]["version"])) } }
        p { (about(&document["info"])) }
        p {
            "The same for programs: " a href="/api/v1/openapi.json" { "openapi.json" } ". What refusals mean: "
            a href="/docs/errors" { "errors" } "."
        }
        h2 { "Before the first call" }
        p { "Every example below can be pasted into a shell that knows two things: your token, and the thing that it is about." }
        pre { code { (format!(
            "export CHORUS_TOKEN=$(chorus token --email you@example.org --role admin)\n\
             ID=…      # of the job, persona, letter … that the path names\n\
             NAME=…    # of the survey, queue, worker … that the path names\n\
             PROVIDER=…    # of the issuer whose token signs you in\n\
             curl -sS \"{}/health\"",
            public_url.trim_end_matches('/')
        )) } }
        form.search hidden role="search" {
            label for="search" { "Search" }
            input #search type="search" placeholder="a word, a path, a field …" autocomplete="off";
            p role="status" {}
        }
    }
}

fn operation(document: &Value, one: &Placed<'_>, public_url: &str) -> Markup {
    let nothing = vec![];
    let parameters = one.told["parameters"].as_array().unwrap_or(&nothing);
    html! {
        article.operation id=(one.id()) {
            h3 { a href={ "#" (one.id()) } { (one.summary()) } }
            p.address { (method(one.method)) " " code { (breakable(one.path)) } " " (who(one.told)) }
            p { (about(one.told)) }
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                div.scroll { table { @for parameter in parameters { tr {
                    th scope="row" {
                        code { (text(&parameter["name"])) }
                        span.optional { (text(&parameter["in"])) @if parameter["required"] != true { ", optional" } }
                    }
                    td { (words(&parameter["schema"])) }
                    td { (about(parameter)) }
                } } } }
            }
            @if let Some(body) = one.told.pointer("/requestBody/content/application~1json") {
                h4 { "Body" }
                p { (words(&body["schema"])) }
            }
            pre.curl { code { (curl::line(public_url, one.method, one.path, one.told)) } }
            h4 { "Answers" }
            div.scroll { table { @for (status, answer) in one.told["responses"].as_object().into_iter().flatten() {
                (response(status, resolved(document, answer)))
            } } }
            (example(one.told))
        }
    }
}

/// What is told there, or where it refers to.
fn resolved<'a>(document: &'a Value, told: &'a Value) -> &'a Value {
    let to = told["$ref"]
        .as_str()
        .and_then(|to| document.pointer(to.strip_prefix('#')?));
    to.unwrap_or(told)
}

/// What the first good answer looks like.
fn example(told: &Value) -> Markup {
    let good = told["responses"].as_object().into_iter().flatten();
    let found = good
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(status, answer)| {
            Some((
                status,
                answer.pointer("/content/application~1json/example")?,
            ))
        })
        .max_by_key(|(status, _)| *status);
    html! { @if let Some((status, example)) = found {
        details { summary { "An answer " (status) } pre { code { (serde_json::to_string_pretty(example).unwrap_or_default()) } } }
    } }
}

fn response(status: &str, answer: &Value) -> Markup {
    let contents = answer["content"].as_object();
    let refusal = contents.is_some_and(|all| all.contains_key("application/problem+json"));
    html! { tr {
        th scope="row" { code { (status) } }
        td {
            @for (kind, content) in contents.into_iter().flatten().filter(|(kind, _)| *kind != "application/problem+json") {
                div {
                    @if kind == "application/json" { (words(&content["schema"])) } @else { (kind) }
                }
            }
            @if refusal { a href="#type-Problem" { "Problem" } }
        }
        td { @for line in text(&answer["description"]).split("\n\n") { div { @if refusal { (linked(line)) } @else { (prose(line)) } } } }
    } }
}

/// A line about a code leads to all that is said of it.
fn linked(line: &str) -> Markup {
    let code = line.strip_prefix('`').and_then(|rest| rest.split_once('`'));
    html! { @match code {
        Some((code, rest)) => { a href={ "/docs/errors#" (code) } { code { (code) } } (prose(rest)) },
        None => (prose(line)),
    } }
}

fn who(told: &Value) -> Markup {
    let open = told["security"].as_array().is_none_or(Vec::is_empty);
    html! {
        @if let Some(permission) = told["x-permission"].as_str() { span.who { "needs " (permission) } }
        @else if !open { span.who { "with a token" } }
    }
}

fn method(method: &str) -> Markup {
    html! { span.method.(method) { (method.to_uppercase()) } }
}

/// A path that may be broken at its slashes.
fn breakable(path: &str) -> Markup {
    html! { @for (at, part) in path.split('/').enumerate() { @if at > 0 { "/" wbr; } (part) } }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn anchor(tag: &Value) -> String {
    format!(
        "tag-{}",
        text(&tag["name"]).to_lowercase().replace(' ', "-")
    )
}

/// What every code means, and what to do about it.
pub(super) fn errors() -> String {
    let body = html! { main #content {
        h1 { "Errors" }
        p { "Every refusal is " code { "application/problem+json" } " (RFC 9457). Programs switch on its " code { "code" }
            "; its " code { "type" } " leads here, its " code { "detail" } " says what to mend, and its " code { "request_id" }
            " names it in our log. Back to the " a href="/docs" { "operations" } "." }
        div.scroll { table.errors {
            tr { th scope="col" { "Code" } th scope="col" { "Status" } th scope="col" { "What it means" } th scope="col" { "What to do" } }
            @for code in meanings::ALL {
                @let (status, name, title) = code.facts();
                @let (meaning, mend) = meanings::of(code);
                tr id=(name) {
                    th scope="row" { a href={ "#" (name) } { code { (name) } } }
                    td { @if name == "http_error" { "any" } @else { (status.as_u16()) } }
                    td { strong { (if name == "http_error" { "Refused by the server" } else { title }) } br; (meaning) }
                    td { (mend) @if code.retryable() { " " em { "The same request may work later." } } }
                }
            }
        } }
    } };
    whole("Errors of the Chorus API", &body)
}

fn whole(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { a.skip href="#content" { "Skip to the content" } (body) script { (PreEscaped(SCRIPT)) } }
        }
    };
    page.into_string()
}
