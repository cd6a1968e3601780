//! Reads a JSON body: its size first, then its syntax, then its shape, each refused in its own words.

mod extent;

use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use std::borrow::Cow;

/// The largest body of a caller who is known.
pub(crate) const BYTES_MAX: usize = 256 * 1024;
/// The largest body of a caller who is not.
pub(crate) const PUBLIC_BYTES_MAX: usize = 32 * 1024;

/// A JSON body that fits `T`. No body at all counts as `{}`. Goes last among a handler's arguments.
pub(crate) struct Json<T, const MAX: usize = BYTES_MAX> {
    /// What was sent.
    pub(crate) value: T,
    /// As it was sent.
    pub(crate) bytes: axum::body::Bytes,
}

impl<T: DeserializeOwned, const MAX: usize> FromRequest<State> for Json<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > MAX) {
            return Err(too_large(MAX));
        }
        let is_json = says_json(request.headers());
        let arriving = axum::body::to_bytes(request.into_body(), MAX);
        let most = state.settings().patience.body;
        let bytes = match tokio::time::timeout(most, arriving).await {
            Err(_) => {
                let seconds = most.as_secs();
                let how = format!("The body must arrive within {seconds} s; send it again.");
                return Err(Problem::new(Code::SlowRequest, how));
            }
            Ok(Err(error)) if is_length(&error) => return Err(too_large(MAX)),
            Ok(Err(_)) => {
                return Err(Problem::new(
                    Code::MalformedJson,
                    "The body was cut off; send it again.",
                ));
            }
            Ok(Ok(bytes)) => bytes,
        };
        if bytes.is_empty() {
            return Ok(Self {
                value: parse(b"{}")?,
                bytes,
            });
        }
        if !is_json {
            let how = "Send JSON, with Content-Type: application/json.";
            return Err(Problem::new(Code::UnsupportedMediaType, how));
        }
        Ok(Self {
            value: parse(&bytes)?,
            bytes,
        })
    }
}

fn too_large(max: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("Send at most {} KiB.", max / 1024)).with("max_bytes", max)
}

fn is_length(error: &axum::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}

fn says_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
    else {
        return false;
    };
    let kind = kind
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    extent::check(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(
            |error| match serde_json::from_slice::<IgnoredAny>(bytes) {
                Ok(_) => told(error.path(), error.inner()),
                Err(error) => malformed(&error), // whatever else there is to say of a part of it
            },
        )?;
    reader.end().map_err(|error| malformed(&error))?;
    match nul_in(bytes) {
        None => Ok(value),
        Some(pointer) => Err(Problem::field(
            pointer,
            "invalid",
            "The character U+0000 cannot be kept; leave it out.",
        )),
    }
}

/// Where a text holds the one character that PostgreSQL cannot keep.
fn nul_in(bytes: &[u8]) -> Option<String> {
    // JSON writes it in this way alone, so that most bodies are not read a second time.
    bytes.windows(6).find(|six| *six == b"\\u0000")?;
    let mut open = vec![(String::new(), serde_json::from_slice::<Value>(bytes).ok()?)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::String(text) if text.contains('\0') => return Some(pointer),
            Value::Array(items) => open.extend(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| (format!("{pointer}/{at}"), item)),
            ),
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name.contains('\0') {
                        return Some(pointer);
                    }
                    open.push((format!("{pointer}/{}", escape(&name)), field));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    None
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(
        Code::MalformedJson,
        format!("The body is not JSON: {error}."),
    )
}

fn told(path: &Path, error: &serde_json::Error) -> Problem {
    use serde_json::error::Category;
    match error.classify() {
        Category::Io | Category::Syntax | Category::Eof => return malformed(error),
        Category::Data => {}
    }
    let words = error.to_string();
    let words = words
        .rsplit_once(" at line ")
        .map_or(words.as_str(), |(words, _)| words);
    let mut pointer = pointer(path);
    let named = |prefix: &str| words.strip_prefix(prefix)?.split('`').next().map(escape);
    let (code, field) = match (named("unknown field `"), named("missing field `")) {
        (Some(field), _) => ("unknown_field", Some(field)),
        (_, Some(field)) => ("missing", Some(field)),
        (None, None) => ("invalid", None),
    };
    if let Some(field) = field
        .map(|field| format!("/{field}"))
        .filter(|field| !pointer.ends_with(field))
    {
        pointer.push_str(&field);
    }
    let unknown = code == "unknown_field";
    let error = FieldProblem {
        pointer,
        code: code.into(),
        detail: format!("{}.", without_value(words)),
    };
    if unknown {
        let detail = format!(
            "{}: {} Leave it out, or check its spelling.",
            error.pointer, error.detail
        );
        return Problem::new(Code::UnknownField, detail).errors(vec![error]);
    }
    Problem::invalid(vec![error])
}

/// What is wrong with a value, without the value: it may be a secret that was sent to the wrong place.
pub(crate) fn without_value(words: &str) -> Cow<'_, str> {
    let told = ["invalid type: ", "invalid value: ", "unknown variant "];
    let found = told
        .into_iter()
        .find_map(|told| Some((words.find(told)?, told)));
    let Some((at, what)) = found else {
        return words.into();
    };
    let (value, wanted) = words[at + what.len()..]
        .rsplit_once(", expected ")
        .unwrap_or_default();
    // What kind of value it is stands before the value itself.
    let kind = value.split(['`', '"']).next().unwrap_or_default();
    let what = [what, kind].concat();
    let what = what.trim_end_matches([':', ' ']);
    format!("{}{what}, expected {wanted}", &words[..at]).into()
}

fn pointer(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut pointer = String::new();
    for segment in path {
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => write!(pointer, "/{}", escape(key)),
            Segment::Enum { .. } | Segment::Unknown => Ok(()),
        };
    }
    pointer
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading is tested")]
        a: Vec<Inner>,
    }
    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading is tested")]
        b: u8,
    }

    #[test]
    fn a_refusal_points_at_the_field() {
        let refusal = |text: &str| format!("{:?}", parse::<Outer>(text.as_bytes()).unwrap_err());
        assert!(refusal(r#"{"a": [{"b": 1}, {"b": 1, "c/d": 2}]}"#).contains("\"/a/1/c~1d\""));
        assert!(refusal(r#"{"a": [{"b": 300}]}"#).contains("\"/a/0/b\""));
        assert!(refusal(r#"{"a": [{}]}"#).contains("\"/a/0/b\""));
        assert!(refusal("{}").contains("\"/a\""));
        assert!(refusal(r#"{"a": []} x"#).contains("MalformedJson"));
        assert!(refusal(r#"{"a": ["#).contains("MalformedJson"));
        assert!(refusal(r#"{"c": 1, "a": ["#).contains("MalformedJson"));
    }
}
