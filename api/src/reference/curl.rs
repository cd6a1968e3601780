//! A line for the shell that does an operation, as it is pasted.

use serde_json::Value;
use std::fmt::Write as _;

/// The line. What stands in braces in the path is a variable of the shell.
pub(super) fn line(public_url: &str, method: &str, path: &str, operation: &Value) -> String {
    let mut address = String::new();
    for (at, part) in path.split(['{', '}']).enumerate() {
        if at % 2 == 0 {
            address.push_str(part);
        } else {
            address.push('$');
            address.push_str(&part.to_uppercase());
        }
    }
    let mut line = "curl -sS".to_owned();
    if method != "get" {
        line.push_str(" -X ");
        line.push_str(&method.to_uppercase());
    }
    let base = public_url.trim_end_matches('/');
    let _ = write!(line, " \"{base}{address}\"");
    let by = |scheme: &str| {
        let all = operation["security"].as_array();
        all.is_some_and(|all| all.iter().any(|one| one.get(scheme).is_some()))
    };
    if by("bearer") {
        line.push_str(" \\\n  -H \"Authorization: Bearer $CHORUS_TOKEN\"");
    } else if by("api_key") {
        line.push_str(" \\\n  -H \"X-API-Key: $CHORUS_API_KEY\"");
    }
    if let Some(example) = operation.pointer("/requestBody/content/application~1json/example") {
        let body = example.to_string().replace('\'', "'\\''");
        let _ = write!(
            line,
            " \\\n  -H 'Content-Type: application/json' -d '{body}'"
        );
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_line_holds_what_it_says_whatever_that_is() {
        let operation = json!({"security": [{"bearer": []}], "requestBody": {"content": {"application/json": {"example": {"a": "it's"}}}}});
        let line = super::line("http://here/", "post", "/things/{id}/do", &operation);
        assert_eq!(
            line,
            "curl -sS -X POST \"http://here/things/$ID/do\" \\\n  -H \"Authorization: Bearer $CHORUS_TOKEN\" \\\n  \
             -H 'Content-Type: application/json' -d '{\"a\":\"it'\\''s\"}'"
        );
        assert_eq!(
            super::line("http://here", "get", "/", &json!({})),
            "curl -sS \"http://here/\""
        );
    }
}
