//! Canonical text: one spelling for each JSON value, so that equal values are equal bytes.

use crate::text::{Cursor, TextError, TextErrorKind, write_string};

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 64;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// As they came. Right where JavaScript printed them, which is RFC 8785 already.
    Verbatim,
    /// As RFC 8785 prints them; an integral value beyond 2^53-1 is refused in any notation.
    #[cfg(feature = "serde")]
    Rfc8785,
}

/// The canonical text of one JSON value: keys sorted by byte, no white space, minimal escapes, a lone surrogate as
/// U+FFFD.
///
/// # Errors
/// Not JSON, nested deeper than [`crate::text::MAX_DEPTH`], a duplicate key, a key that is not 1 to 64 printable
/// ASCII characters without quote and backslash or is `__proto__`, or a number that [`Numbers`] refuses.
pub fn canonicalise(text: &str, numbers: Numbers) -> Result<String, TextError> {
    let mut out = String::with_capacity(text.len());
    let mut cursor = Cursor::new(text);
    value(&mut cursor, &mut out, numbers)?;
    cursor.end()?;
    Ok(out)
}

fn value(cursor: &mut Cursor<'_>, out: &mut String, numbers: Numbers) -> Result<(), TextError> {
    match cursor.peek() {
        Some(b'{') => object(cursor, out, numbers),
        Some(b'[') => array(cursor, out, numbers),
        Some(b'"') => cursor.string().map(|text| write_string(out, &text)),
        Some(b'-' | b'0'..=b'9') => number(cursor, out, numbers),
        _ => cursor.value().map(|word| out.push_str(word)),
    }
}

fn array(cursor: &mut Cursor<'_>, out: &mut String, numbers: Numbers) -> Result<(), TextError> {
    out.push('[');
    let mut first = true;
    cursor.array(&mut |cursor| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        value(cursor, out, numbers)
    })?;
    out.push(']');
    Ok(())
}

/// Where one member was written, and how long its key is.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    key: usize,
    end: usize,
}

impl Span {
    fn key<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start + 1..self.start + 1 + self.key).unwrap_or_default()
    }
}

fn object(cursor: &mut Cursor<'_>, out: &mut String, numbers: Numbers) -> Result<(), TextError> {
    let open = out.len();
    let mut spans: Vec<Span> = Vec::new();
    let mut sorted = true;
    cursor.object(&mut |key, cursor| {
        if !is_key(key) {
            return Err(cursor.error(TextErrorKind::Canonical));
        }
        out.push(if spans.is_empty() { '{' } else { ',' });
        let start = out.len();
        sorted &= spans.last().is_none_or(|last| last.key(out) < key);
        out.push('"');
        out.push_str(key);
        out.push_str("\":");
        value(cursor, out, numbers)?;
        spans.push(Span { start, key: key.len(), end: out.len() });
        Ok(())
    })?;
    if !sorted {
        sort(out, open, &mut spans).map_err(|kind| cursor.error(kind))?;
    }
    out.push_str(if spans.is_empty() { "{}" } else { "}" });
    Ok(())
}

/// Rewrites the members from `open` on in the order of their keys.
fn sort(out: &mut String, open: usize, spans: &mut [Span]) -> Result<(), TextErrorKind> {
    spans.sort_unstable_by(|a, b| a.key(out).cmp(b.key(out)));
    let twice = spans.windows(2).any(|pair| matches!(pair, [a, b] if a.key(out) == b.key(out)));
    if twice {
        return Err(TextErrorKind::Canonical);
    }
    let mut members = String::with_capacity(out.len() - open);
    for span in &*spans {
        members.push(if members.is_empty() { '{' } else { ',' });
        members.push_str(out.get(span.start..span.end).unwrap_or_default());
    }
    out.truncate(open);
    out.push_str(&members);
    Ok(())
}

fn is_key(key: &str) -> bool {
    (1..=MAX_KEY_LEN).contains(&key.len())
        && key.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
        && key != "__proto__"
}

#[cfg(not(feature = "serde"))]
fn number(cursor: &mut Cursor<'_>, out: &mut String, _: Numbers) -> Result<(), TextError> {
    cursor.value().map(|digits| out.push_str(digits))
}

#[cfg(feature = "serde")]
fn number(cursor: &mut Cursor<'_>, out: &mut String, numbers: Numbers) -> Result<(), TextError> {
    let at = cursor.position();
    let digits = cursor.value()?;
    match numbers {
        Numbers::Verbatim => out.push_str(digits),
        Numbers::Rfc8785 => {
            rfc8785(digits, out).map_err(|kind| TextError::new(kind, at))?;
        }
    }
    Ok(())
}

#[cfg(feature = "serde")]
fn rfc8785(digits: &str, out: &mut String) -> Result<(), TextErrorKind> {
    use std::fmt::Write as _;

    const EXACT_DIGITS: usize = 15;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain && digits.len() <= EXACT_DIGITS {
        out.push_str(digits);
        return Ok(());
    }
    let number: f64 = digits.parse().map_err(|_| TextErrorKind::Number)?;
    let size = number.abs();
    // Every double of 2^53 or more is integral; infinity is what "1e999" reads as.
    #[allow(clippy::cast_precision_loss)] // 2^53-1 is exact
    if size > crate::text::MAX_INTEGER as f64 {
        return Err(TextErrorKind::Canonical);
    }
    // Both forms of Rust print the shortest digits that read back, like RFC 8785; only the choice of form is ours.
    let written = if size == 0.0 {
        out.push('0');
        Ok(())
    } else if size < 1e-6 {
        write!(out, "{number:e}")
    } else {
        write!(out, "{number}")
    };
    written.map_err(|_| TextErrorKind::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verbatim(text: &str) -> Result<String, TextErrorKind> {
        canonicalise(text, Numbers::Verbatim).map_err(|error| error.kind())
    }

    #[test]
    fn keys_are_sorted_at_every_depth_and_white_space_goes() {
        let text =
            " { \"b\" : [ {\"d\":1, \"c\":null} , true ] , \"a b\":\"\\u00e9\\/\", \"a\":{} , \"a!\":[] } ";
        assert_eq!(verbatim(text).unwrap(), r#"{"a":{},"a b":"é/","a!":[],"b":[{"c":null,"d":1},true]}"#);
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        assert_eq!(
            verbatim(r#""\ud83d\ude00 \ud83d \ude00\u0001""#).unwrap(),
            "\"😀 \u{fffd} \u{fffd}\\u0001\""
        );
    }

    #[test]
    fn unsuitable_and_duplicate_keys_are_refused() {
        let long = format!("{{\"{}\":1}}", "k".repeat(65));
        let bad = [
            r#"{"":1}"#,
            r#"{"__proto__":1}"#,
            r#"{"\u005f_proto__":1}"#,
            r#"{"a\"b":1}"#,
            r#"{"a\\b":1}"#,
            r#"{"é":1}"#,
            r#"{"a\n":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"b":1,"a":0,"\u0062":2}"#,
            &long,
        ];
        for text in bad {
            assert_eq!(verbatim(text), Err(TextErrorKind::Canonical), "{text}");
        }
        assert!(verbatim(&format!("{{\"{}\":1}}", "k".repeat(64))).is_ok());
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(verbatim(&nested(32)).is_ok());
        assert_eq!(verbatim(&nested(33)), Err(TextErrorKind::TooDeep));
        assert_eq!(verbatim(&"[".repeat(1 << 20)), Err(TextErrorKind::TooDeep));
    }

    #[test]
    fn only_one_value_is_taken() {
        for text in ["", "{} {}", "{\"a\":1,}", "[1,]", "nul", "{\"a\"}", "\"\n\""] {
            assert_eq!(verbatim(text), Err(TextErrorKind::Syntax), "{text:?}");
        }
    }

    #[cfg(feature = "serde")]
    mod rfc8785 {
        use pretty_assertions::assert_eq;
        use proptest::prelude::*;
        use serde_json::Value;

        use super::super::*;
        use crate::text::json_reference::{json, jumbled, reference};

        fn canonical(text: &str) -> Result<String, TextErrorKind> {
            canonicalise(text, Numbers::Rfc8785).map_err(|error| error.kind())
        }

        #[test]
        fn numbers_print_as_javascript_prints_them() {
            let table = [
                ("0", "0"),
                ("-0", "0"),
                ("-0.0e5", "0"),
                ("1.0", "1"),
                ("1e3", "1000"),
                ("1E+2", "100"),
                ("-1.50", "-1.5"),
                ("0.1", "0.1"),
                ("1e-6", "0.000001"),
                ("1e-7", "1e-7"),
                ("-1.25e-9", "-1.25e-9"),
                ("5e-324", "5e-324"),
                ("1e-400", "0"),
                ("9007199254740991", "9007199254740991"),
                ("-9007199254740991", "-9007199254740991"),
                ("123456789012345.678", "123456789012345.67"),
                ("333333333.33333329", "333333333.3333333"),
                ("1234567890123456", "1234567890123456"),
            ];
            for (text, want) in table {
                assert_eq!(canonical(text).as_deref(), Ok(want), "{text}");
            }
        }

        #[test]
        fn integral_numbers_beyond_the_exact_range_are_refused_in_any_notation() {
            for text in
                ["9007199254740992", "-9007199254740993", "1e300", "1e16", "9007199254740992.5", "1e999"]
            {
                assert_eq!(canonical(text), Err(TextErrorKind::Canonical), "{text}");
            }
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(400))]

            #[test]
            fn equals_the_reference_and_is_idempotent(value in json(), seed in any::<u64>()) {
                let text = canonical(&jumbled(&value, seed)).unwrap();
                prop_assert_eq!(&text, &reference(&value));
                prop_assert_eq!(canonical(&text).unwrap(), text.clone());
                let back: Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(reference(&back), text);
            }

            #[test]
            fn floats_read_back_equal(number in any::<f64>().prop_filter("in range", |n| n.abs() < 9e15)) {
                let text = canonical(&format!("{number:e}")).unwrap();
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), (number + 0.0).to_bits());
            }

            #[test]
            fn garbage_never_panics(text in "[\\[\\]{}\",:\\\\u0-9a-fdDtrue. -]{0,40}") {
                let _ = canonical(&text).map(|once| assert_eq!(canonical(&once).unwrap(), once));
            }
        }
    }
}
