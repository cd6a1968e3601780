//! Reads a JSON body: its size first, then its syntax, then its shape, each refused in its own words.

use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use std::time::Duration;

/// The largest body of a caller who is known.
pub(crate) const BYTES_MAX: usize = 256 * 1024;
/// The largest body of a caller who is not.
pub(crate) const PUBLIC_BYTES_MAX: usize = 32 * 1024;
/// How long a body may take to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// How deep JSON may be nested.
const DEPTH_MAX: usize = 32;

/// A JSON body that fits `T`. No body at all counts as `{}`. Goes last among a handler's arguments.
pub(crate) struct Json<T, const MAX: usize = BYTES_MAX> {
    /// What was sent.
    pub(crate) value: T,
    /// As it was sent.
    pub(crate) bytes: axum::body::Bytes,
}

impl<T: DeserializeOwned, const MAX: usize> FromRequest<State> for Json<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &State) -> Result<Self, Problem> {
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > MAX) {
            return Err(too_large(MAX));
        }
        let is_json = says_json(request.headers());
        let arriving = axum::body::to_bytes(request.into_body(), MAX);
        let bytes = match tokio::time::timeout(ARRIVAL_MAX, arriving).await {
            Err(_) => {
                return Err(Problem::new(
                    Code::SlowRequest,
                    "The body must arrive within 30 s; send it again.",
                ));
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
    if depth(bytes) > DEPTH_MAX {
        return Err(Problem::new(
            Code::MalformedJson,
            format!("Nest at most {DEPTH_MAX} arrays and objects."),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| told(error.path(), error.inner()))?;
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
        detail: format!("{words}."),
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

/// The deepest nesting, counted without building anything.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::{depth, parse};

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
    }

    #[test]
    fn brackets_in_words_are_no_nesting() {
        assert_eq!(depth(br#"{"a": "[[[\"[", "b": [[1]]}"#), 3);
    }
}
