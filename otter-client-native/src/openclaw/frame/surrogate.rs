//! Repair of lone surrogate escapes: JavaScript cuts strings in UTF-16 and its JSON then holds half a character.

use std::borrow::Cow;

/// Replaces each `\uD800`..`\uDFFF` escape that has no partner by `\uFFFD` and counts them.
pub(crate) fn repair_surrogates(text: &str) -> (Cow<'_, str>, u32) {
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut at, mut repaired) = (String::new(), 0, 0, 0);
    while let Some(escape) = next_escape(bytes, at) {
        at = match surrogate_at(bytes, escape) {
            None => escape + 2,
            Some(Half::High) if surrogate_at(bytes, escape + 6) == Some(Half::Low) => escape + 12,
            Some(_) => {
                out.push_str(text.get(copied..escape).unwrap_or_default());
                out.push_str("\\ufffd");
                repaired += 1;
                copied = escape + 6;
                copied
            }
        };
    }
    if repaired == 0 {
        return (Cow::Borrowed(text), 0);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    (Cow::Owned(out), repaired)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

fn next_escape(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().position(|byte| *byte == b'\\').map(|offset| from + offset)
}

fn surrogate_at(bytes: &[u8], at: usize) -> Option<Half> {
    let escape = bytes.get(at..at + 6)?;
    let [b'\\', b'u', b'd' | b'D', kind, third, fourth] = escape else { return None };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match kind.to_ascii_lowercase() {
        b'8' | b'9' | b'a' | b'b' => Some(Half::High),
        b'c'..=b'f' => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn repairs_exactly_the_lone_halves() {
        for (given, expected, count) in [
            (r#""plain""#, r#""plain""#, 0),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, 0),
            (r#""\ud83d""#, r#""\ufffd""#, 1),
            (r#""\uDE00x""#, r#""\ufffdx""#, 1),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#, 1),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#, 2),
            (r#""\\ud83d""#, r#""\\ud83d""#, 0),
            (r#""\\\ud83d""#, r#""\\\ufffd""#, 1),
            (r#""\ud83d\\ude00""#, r#""\ufffd\\ude00""#, 1),
            (r#""\ud83"#, r#""\ud83"#, 0),
            (r#""é\ud83dé""#, r#""é\ufffdé""#, 1),
        ] {
            assert_eq!(repair_surrogates(given), (Cow::Borrowed(expected), count), "{given}");
        }
    }
}
