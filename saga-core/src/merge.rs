//! JSON Merge Patch (RFC 7396).

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Changes `target` as `patch` says: objects field by field, `null` takes a field away, all else replaces.
pub(crate) fn patch(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(into) = target else { return };
    for (name, wanted) in fields {
        if wanted.is_null() {
            into.remove(name);
        } else {
            self::patch(into.entry(name).or_insert(Value::Null), wanted);
        }
    }
}

/// The names of the fields that differ; of what is no object, that it differs at all.
pub(crate) fn changed(before: &Value, after: &Value) -> Vec<String> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        let differs = before != after;
        return differs.then(|| "input".to_owned()).into_iter().collect();
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = |name: &&String| old.get(*name) != new.get(*name);
    names.into_iter().filter(differs).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{changed, patch};
    use serde_json::json;

    #[test]
    fn the_examples_of_the_standard_hold() {
        for (target, change, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (
                json!({"a":"b","b":"c"}),
                json!({"a":null}),
                json!({"b":"c"}),
            ),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            let mut patched = target.clone();
            patch(&mut patched, &change);
            assert_eq!(patched, result, "{target} with {change}");
        }
    }

    #[test]
    fn what_changed_is_told_by_name() {
        let names = changed(&json!({"a": 1, "b": 2}), &json!({"a": 1, "c": 3}));
        assert_eq!(names, ["b", "c"]);
        assert_eq!(changed(&json!(1), &json!(2)), ["input"]);
        assert!(changed(&json!({"a": 1}), &json!({"a": 1})).is_empty());
    }
}
