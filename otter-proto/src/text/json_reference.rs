//! What tests compare the text code with: serde_json trees.

#![allow(clippy::unwrap_used)] // test support

use proptest::prelude::*;
use serde_json::{Map, Number, Value};

/// Trees with few keys, so that two of them share some.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => (-9_007_199_254_740_991_i64..9_007_199_254_740_991).prop_map(Value::from),
        2 => (-1000_i64..1000).prop_map(Value::from),
        1 => (-1e9_f64..1e9).prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        3 => "[a-z\"\\\\\\n\u{1}é😀]{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            4 => prop::collection::vec(("[a-d][!b]?", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The canonical text of a tree, written the obvious way.
pub(crate) fn reference(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_bytes());
            let parts: Vec<_> =
                members.iter().map(|(key, value)| format!("\"{key}\":{}", reference(value))).collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reference).collect::<Vec<_>>().join(",")),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap();
            // The generator stays where JavaScript writes no exponent, but for tiny ones.
            if number != 0.0 && number.abs() < 1e-6 {
                format!("{number:e}")
            } else {
                format!("{}", number + 0.0)
            }
        }
        other => other.to_string(),
    }
}

/// The same tree as text with its members out of order, white space and needless escapes.
pub(crate) fn jumbled(value: &Value, seed: u64) -> String {
    let next = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let space = match seed % 3 {
        0 => " ",
        1 => "",
        _ => "\n\t",
    };
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if !members.is_empty() {
                let at = usize::try_from(seed).unwrap_or(0) % members.len();
                members.rotate_left(at);
            }
            let parts: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("\"{key}\"{space}:{space}{}", jumbled(value, next)))
                .collect();
            format!("{{{space}{}{space}}}", parts.join(&format!("{space},")))
        }
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().map(|item| jumbled(item, next)).collect();
            format!("[{space}{}]", parts.join(&format!(",{space}")))
        }
        Value::String(text) => {
            let escaped: Vec<_> = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            format!("\"{}\"", escaped.concat())
        }
        other => other.to_string(),
    }
}
