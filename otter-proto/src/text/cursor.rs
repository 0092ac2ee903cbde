//! The pull cursor over JSON text.

use std::borrow::Cow;

/// The deepest nesting of arrays and objects that is read. Checked before anything is allocated.
pub const MAX_DEPTH: u16 = 32;

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextErrorKind {
    /// Not JSON at this place.
    Syntax,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Another JSON type was expected.
    Type,
    /// Not an integer of 0 to 2^53-1.
    Number,
    /// A required member is missing.
    Missing,
    /// A string that is not a well-formed id, scope or instant.
    Id,
    /// A string that is not one of the closed set expected here.
    Choice,
    /// Canonical text forbids this: a duplicate or unsuitable key, or an integral number beyond 2^53.
    Canonical,
}

/// An error at a place of a text. Boxed: every step of reading returns one or nothing, in a register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {}{}", .0.kind.words(), .0.at, .0.member.map(|m| format!(" (member `{m}`)")).unwrap_or_default())]
pub struct TextError(Box<Place>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    kind: TextErrorKind,
    at: usize,
    member: Option<&'static str>,
}

impl TextError {
    /// An error at the byte offset `at`.
    pub fn new(kind: TextErrorKind, at: usize) -> Self {
        Self(Box::new(Place { kind, at, member: None }))
    }

    /// What is wrong.
    pub const fn kind(&self) -> TextErrorKind {
        self.0.kind
    }

    /// Byte offset in the text.
    pub const fn at(&self) -> usize {
        self.0.at
    }

    /// The innermost known member it happened in.
    pub const fn member(&self) -> Option<&'static str> {
        self.0.member
    }

    /// Says in which of the members `names` it happened, unless one further in is named.
    pub(crate) fn inside(mut self, names: &[&'static str], at: usize) -> Self {
        self.0.member = self.0.member.or(names.get(at).copied());
        self
    }
}

impl TextErrorKind {
    const fn words(self) -> &'static str {
        match self {
            Self::Syntax => "not JSON",
            Self::TooDeep => "nested too deep",
            Self::Type => "unexpected JSON type",
            Self::Number => "not an integer of 0 to 2^53-1",
            Self::Missing => "a required member is missing",
            Self::Id => "not a well-formed id or instant",
            Self::Choice => "not one of the known words",
            Self::Canonical => "not allowed in canonical text",
        }
    }
}

/// The largest integer of the wire, 2^53-1: larger ones are not exact in every language.
pub const MAX_INTEGER: u64 = 9_007_199_254_740_991;

/// Reads JSON from left to right without building a tree.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u16,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of `text`.
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The byte offset of the cursor.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// An error of `kind` at the current place.
    pub fn error(&self, kind: TextErrorKind) -> TextError {
        TextError::new(kind, self.at)
    }

    /// The first byte of the next value, after white space, without consuming it.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Succeeds when nothing but white space follows.
    pub fn end(&mut self) -> Result<(), TextError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.error(TextErrorKind::Syntax)) }
    }

    /// Skips the next value and returns its text, syntax checked.
    pub fn value(&mut self) -> Result<&'a str, TextError> {
        let first = self.peek().ok_or_else(|| self.error(TextErrorKind::Syntax))?;
        let start = self.at;
        match first {
            b'{' => self.object(&mut |_, cursor| cursor.value().map(|_| ()))?,
            b'[' => self.array(&mut |cursor| cursor.value().map(|_| ()))?,
            b'"' => {
                self.raw_string()?;
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// Reads a string and resolves its escapes; a lone surrogate escape becomes U+FFFD.
    pub fn string(&mut self) -> Result<Cow<'a, str>, TextError> {
        if self.peek() != Some(b'"') {
            return Err(self.error(TextErrorKind::Type));
        }
        let raw = self.raw_string()?;
        let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
        if inner.bytes().any(|byte| byte == b'\\') {
            Ok(Cow::Owned(unescape(inner)))
        } else {
            Ok(Cow::Borrowed(inner))
        }
    }

    /// Reads an integer of 0 to 2^53-1, in plain decimal notation.
    pub fn u64(&mut self) -> Result<u64, TextError> {
        if !matches!(self.peek(), Some(b'0'..=b'9' | b'-')) {
            return Err(self.error(TextErrorKind::Type));
        }
        let start = self.at;
        self.number()?;
        let digits = self.text.get(start..self.at).unwrap_or_default();
        // Sixteen digits are at most 10^16-1, which is beyond the limit and no overflow.
        let number = digits.bytes().try_fold(0, |number: u64, byte| {
            (byte.is_ascii_digit() && digits.len() <= 16).then(|| number * 10 + u64::from(byte - b'0'))
        });
        match number {
            Some(number) if number <= MAX_INTEGER => Ok(number),
            _ => Err(TextError::new(TextErrorKind::Number, start)),
        }
    }

    /// Reads `true` or `false`.
    pub fn bool(&mut self) -> Result<bool, TextError> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.error(TextErrorKind::Type)),
        }
    }

    /// Consumes `null` when it is next.
    pub fn null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.literal("null").is_ok()
    }

    /// Reads an object: `member` is called with each key, with the cursor before the value, which it must consume.
    pub fn object(
        &mut self,
        member: &mut dyn FnMut(&str, &mut Self) -> Result<(), TextError>,
    ) -> Result<(), TextError> {
        self.open(b'{')?;
        if self.close(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            member(&key, self)?;
            if self.close(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
            if self.peek() != Some(b'"') {
                return Err(self.error(TextErrorKind::Syntax));
            }
        }
    }

    /// Reads an array: `item` is called with the cursor before each value, which it must consume.
    pub fn array(
        &mut self,
        item: &mut dyn FnMut(&mut Self) -> Result<(), TextError>,
    ) -> Result<(), TextError> {
        self.open(b'[')?;
        if self.close(b']') {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.close(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, want: u8) -> Result<(), TextError> {
        if self.peek() == Some(want) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.error(TextErrorKind::Syntax))
        }
    }

    fn open(&mut self, bracket: u8) -> Result<(), TextError> {
        if self.peek() != Some(bracket) {
            return Err(self.error(TextErrorKind::Type));
        }
        if self.depth == MAX_DEPTH {
            return Err(self.error(TextErrorKind::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        if closes {
            self.at += 1;
            self.depth = self.depth.saturating_sub(1);
        }
        closes
    }

    fn literal(&mut self, word: &str) -> Result<(), TextError> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.error(TextErrorKind::Syntax))
        }
    }

    /// The string with its quotes; escapes checked, not resolved.
    fn raw_string(&mut self) -> Result<&'a str, TextError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.text.get(start..self.at).unwrap_or_default());
                }
                Some(b'\\') => self.escape()?,
                None | Some(0x00..=0x1f) => return Err(self.error(TextErrorKind::Syntax)),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), TextError> {
        self.at += 1;
        let len = match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 1,
            Some(b'u') => {
                let hex = self.text.as_bytes().get(self.at + 1..self.at + 5);
                if !hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.error(TextErrorKind::Syntax));
                }
                5
            }
            _ => return Err(self.error(TextErrorKind::Syntax)),
        };
        self.at += len;
        Ok(())
    }

    fn number(&mut self) -> Result<(), TextError> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.byte() == Some(b'0');
        if self.digits()? > 1 && zero {
            return Err(self.error(TextErrorKind::Syntax));
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<usize, TextError> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error(TextErrorKind::Syntax)) } else { Ok(self.at - start) }
    }
}

/// Resolves the (already checked) escapes of a string body.
fn unescape(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        let mut used = at + 2;
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => used = at + unescape_unicode(rest.get(at..).unwrap_or_default(), &mut out),
            other => out.push(char::from(other)),
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Resolves `\uXXXX`, or a pair of them, at the start of `text`; returns how many bytes it took.
fn unescape_unicode(text: &str, out: &mut String) -> usize {
    let unit = |from: usize| -> Option<u32> {
        if text.get(from..from + 2)? != "\\u" {
            return None;
        }
        u32::from_str_radix(text.get(from + 2..from + 6)?, 16).ok()
    };
    let first = unit(0).unwrap_or(0xfffd);
    if (0xd800..0xdc00).contains(&first)
        && let Some(second @ 0xdc00..=0xdfff) = unit(6)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
        return 12;
    }
    out.push(char::from_u32(first).unwrap_or('\u{fffd}'));
    6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_verbatim() {
        let mut cursor = Cursor::new(" {\"a\": [1, 2.5e-3, null] , \"b\":\"x\\u00e9\"} tail");
        assert_eq!(cursor.value().unwrap(), "{\"a\": [1, 2.5e-3, null] , \"b\":\"x\\u00e9\"}");
        assert_eq!(cursor.end().unwrap_err().kind(), TextErrorKind::Syntax);
    }

    #[test]
    fn escapes_are_resolved_and_lone_surrogates_replaced() {
        let read = |text: &str| Cursor::new(text).string().unwrap().into_owned();
        assert_eq!(read(r#""\ud83d\ude00 \ud83d \udc00x\n\/""#), "😀 \u{fffd} \u{fffd}x\n/");
        assert_eq!(read(r#""\ud83d\u0041""#), "\u{fffd}A");
    }

    #[test]
    fn broken_json_is_refused_where_it_breaks() {
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "\"\\x\"",
            "\"\n\"",
            "tru",
            "{a:1}",
            "\"\\u12g4\"",
            "{\"a\" 1}",
        ] {
            let mut cursor = Cursor::new(bad);
            assert!(cursor.value().and_then(|_| cursor.end()).is_err(), "{bad}");
        }
    }

    #[test]
    fn nesting_has_a_limit_and_costs_no_stack() {
        let deep = "[".repeat(100_000);
        assert_eq!(Cursor::new(&deep).value().unwrap_err().kind(), TextErrorKind::TooDeep);
        let fits = format!("{}{}", "[".repeat(32), "]".repeat(32));
        assert!(Cursor::new(&fits).value().is_ok());
    }

    #[test]
    fn integers_stay_exact() {
        assert_eq!(Cursor::new("9007199254740991").u64(), Ok(MAX_INTEGER));
        for bad in ["9007199254740992", "-1", "1.0", "1e3"] {
            assert_eq!(Cursor::new(bad).u64().unwrap_err().kind(), TextErrorKind::Number, "{bad}");
        }
    }
}
