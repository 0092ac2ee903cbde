//! JSON as text: a one-pass cursor, string escapes, and (in the submodules) canonical form, merge and hash.
//!
//! Nothing here builds a tree, uses serde or touches a float: entities live, travel, merge and hash as text.

mod canonical;
mod cursor;
#[cfg(all(test, feature = "serde"))]
pub(crate) mod json_reference;
mod members;
mod merge;
#[cfg(feature = "serde")]
mod pointer;

pub use canonical::{MAX_KEY_LEN, Numbers, canonicalise};
pub use cursor::{Cursor, MAX_DEPTH, MAX_INTEGER, TextError, TextErrorKind};
pub use members::{Member, Members, member, member_word};
pub use merge::{drop_nulls, merge};

/// Appends `text` as a JSON string with minimal escapes: `"`, `\` and control characters only.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        if escape.is_empty() {
            out.push_str("\\u00");
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        } else {
            out.push_str(escape);
        }
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// The parts before and after the first `byte`, which is ASCII. Small where the pattern search of `str` is general.
pub(crate) fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|each| each == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The longest head of `text` of at most `bytes` bytes.
pub(crate) fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Appends `number` in decimal.
pub fn write_u64(out: &mut String, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        if let Some(slot) = digits.get_mut(at) {
            *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
        }
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for &digit in digits.iter().skip(at) {
        out.push(char::from(digit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_minimally() {
        let mut out = String::new();
        write_string(&mut out, "a\"b\\c\n\u{1}\u{1f}é😀/");
        assert_eq!(out, "\"a\\\"b\\\\c\\n\\u0001\\u001fé😀/\"");
    }

    #[test]
    fn numbers_print_in_decimal() {
        for (number, text) in [(0, "0"), (10, "10"), (u64::MAX, "18446744073709551615")] {
            let mut out = String::new();
            write_u64(&mut out, number);
            assert_eq!(out, text);
        }
    }
}
