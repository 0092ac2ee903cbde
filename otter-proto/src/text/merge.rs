//! RFC 7396 on canonical text, by splicing members.

use std::cmp::Ordering;

use crate::text::members::{Member, Members};

/// Merges `patch` into `target` (RFC 7396). Both are canonical text, and so is the result.
pub fn merge(target: &str, patch: &str) -> String {
    let mut out = String::with_capacity(target.len() + patch.len());
    merge_into(&mut out, target, patch);
    out
}

/// What `text` puts where nothing was: its object members that are `null` go, at every depth outside arrays.
pub fn drop_nulls(text: &str) -> String {
    merge("", text)
}

fn merge_into(out: &mut String, target: &str, patch: &str) {
    if !patch.starts_with('{') {
        out.push_str(patch);
        return;
    }
    let (mut old, mut new) = (Members::new(target), Members::new(patch));
    let (mut left, mut right) = (old.next(), new.next());
    let open = out.len();
    loop {
        match order(left.as_ref(), right.as_ref()) {
            None => break,
            Some(Ordering::Less) => {
                separate(out, open);
                out.push_str(left.map_or("", |member| member.text));
                left = old.next();
            }
            Some(Ordering::Greater) => {
                write_member(out, open, "", right);
                right = new.next();
            }
            Some(Ordering::Equal) => {
                write_member(out, open, left.map_or("", |member| member.value), right);
                left = old.next();
                right = new.next();
            }
        }
    }
    out.push_str(if out.len() == open { "{}" } else { "}" });
}

/// Which of two members comes next; `None` when both lists are at their end.
fn order(left: Option<&Member<'_>>, right: Option<&Member<'_>>) -> Option<Ordering> {
    match (left, right) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(left), Some(right)) => Some(left.key.cmp(right.key)),
    }
}

fn write_member(out: &mut String, open: usize, target: &str, patch: Option<Member<'_>>) {
    let Some(patch) = patch.filter(|member| member.value != "null") else { return };
    separate(out, open);
    out.push('"');
    out.push_str(patch.key);
    out.push_str("\":");
    merge_into(out, target, patch.value);
}

fn separate(out: &mut String, open: usize) {
    out.push(if out.len() == open { '{' } else { ',' });
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let table = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ];
        for (target, patch, want) in table {
            assert_eq!(merge(target, patch), want, "{target} + {patch}");
        }
    }

    #[test]
    fn a_put_drops_nulls_but_not_those_in_arrays() {
        assert_eq!(drop_nulls(r#"{"a":null,"b":{"c":null},"d":[null]}"#), r#"{"b":{},"d":[null]}"#);
    }

    #[cfg(feature = "serde")]
    mod against_the_reference {
        use proptest::prelude::*;
        use serde_json::{Map, Value};

        use super::super::*;
        use crate::text::json_reference::{json, reference};

        fn rfc7396(target: Value, patch: Value) -> Value {
            let Value::Object(patch) = patch else { return patch };
            let mut target = if let Value::Object(target) = target { target } else { Map::new() };
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(&key);
                } else {
                    let old = target.remove(&key).unwrap_or(Value::Null);
                    target.insert(key, rfc7396(old, value));
                }
            }
            Value::Object(target)
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(600))]

            #[test]
            fn merge_equals_the_merge_of_trees(target in json(), patch in json()) {
                let merged = merge(&reference(&target), &reference(&patch));
                prop_assert_eq!(merged, reference(&rfc7396(target, patch)));
            }

            #[test]
            fn canonical_text_with_holes_never_panics(value in json(), cut in any::<prop::sample::Index>()) {
                let text = reference(&value);
                let at = (0..=cut.index(text.len() + 1)).rev().find(|&at| text.is_char_boundary(at)).unwrap();
                merge(&text, &text[..at]);
                merge(&text[..at], &text);
            }
        }
    }
}
