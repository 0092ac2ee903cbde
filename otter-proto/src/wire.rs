//! The codec of frames: each wire type writes itself as JSON text and reads itself from a [`Cursor`].
//!
//! Written by hand instead of derived, because the browser's codec must not contain serde: it would be the
//! largest part of the module. Objects ignore unknown members and omit absent optional ones.

mod positions;

pub use positions::{Positions, ScopeMap};

use crate::text::{Cursor, TextError, TextErrorKind, write_string, write_u64};

/// A value with a JSON form.
pub trait Wire: Sized {
    /// Appends the JSON form.
    fn write(&self, out: &mut String);
    /// Reads the JSON form at the cursor.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError>;
    /// Any value: it stands where an error was, and is dropped with it.
    fn blank() -> Self;
    /// The value of a member that is not there; `None` when the member is required.
    fn absent() -> Option<Self> {
        None
    }
    /// Whether the member is left out when this value is written.
    fn is_absent(&self) -> bool {
        false
    }
}

/// JSON of somebody else, kept verbatim: an event, a value, the data of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline, with = "schema_any::Any"))]
pub struct Json(String);

#[cfg(feature = "schema")]
mod schema_any {
    /// Any JSON value.
    #[derive(Debug)]
    pub(super) struct Any;
    impl schemars::JsonSchema for Any {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Any".into()
        }
        fn inline_schema() -> bool {
            true
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            true.into()
        }
    }
}

impl Json {
    /// Takes `text` when it is one JSON value (syntax and depth are checked).
    pub fn new(text: &str) -> Result<Self, TextError> {
        let mut cursor = Cursor::new(text);
        let value = cursor.value()?;
        cursor.end()?;
        Ok(Self(value.to_owned()))
    }

    /// Takes `text` that is known to be one JSON value, for instance because it was just written here.
    pub const fn trusted(text: String) -> Self {
        Self(text)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The JSON text, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Wire for Json {
    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        cursor.value().map(|text| Self(text.to_owned()))
    }
    fn blank() -> Self {
        Self(String::new())
    }
}

impl Wire for String {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        cursor.string().map(std::borrow::Cow::into_owned)
    }
    fn blank() -> Self {
        Self::new()
    }
}

impl Wire for u64 {
    fn write(&self, out: &mut String) {
        write_u64(out, *self);
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        cursor.u64()
    }
    fn blank() -> Self {
        0
    }
}

impl Wire for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        cursor.bool()
    }
    fn blank() -> Self {
        false
    }
}

impl Wire for crate::id::Scope {
    fn write(&self, out: &mut String) {
        let (prefix, id) = match self {
            Self::Org => ("\"org", ""),
            Self::Conversation(id) => ("\"conversation/", id.as_str()),
            Self::Member(id) => ("\"member/", id.as_str()),
        };
        out.push_str(prefix);
        out.push_str(id);
        out.push('"');
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        let text = cursor.string()?;
        Self::parse(&text).map_err(|_| cursor.error(TextErrorKind::Id))
    }
    fn blank() -> Self {
        Self::Org
    }
}

impl Wire for crate::id::EntityKey {
    fn write(&self, out: &mut String) {
        write_string(out, self.as_str());
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        let text = cursor.string()?;
        Self::parse(&text).map_err(|_| cursor.error(TextErrorKind::Id))
    }
    fn blank() -> Self {
        Self::empty()
    }
}

impl Wire for crate::time::UnixMillis {
    fn write(&self, out: &mut String) {
        write_string(out, &self.to_string());
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        let text = cursor.string()?;
        Self::parse(&text).ok_or_else(|| cursor.error(TextErrorKind::Id))
    }
    fn blank() -> Self {
        Self(0)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        if cursor.null() { Ok(None) } else { T::read(cursor).map(Some) }
    }
    fn blank() -> Self {
        None
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (at, item) in self.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        let mut items = Self::new();
        cursor.array(&mut |cursor| T::read(cursor).map(|item| items.push(item)))?;
        Ok(items)
    }
    fn blank() -> Self {
        Self::new()
    }
    fn absent() -> Option<Self> {
        Some(Self::new())
    }
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Reads the members of an object in two steps, of which the first is the same code for every struct: most of the
/// browser's module would be that code otherwise.
#[derive(Debug)]
pub(crate) struct MemberReader<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    error: Option<TextError>,
}

impl<'c, 'a> MemberReader<'c, 'a> {
    /// Skips the object and notes where the values of known members are.
    pub(crate) fn find(
        cursor: &'c mut Cursor<'a>,
        names: &[&str],
        found: &mut [Option<Cursor<'a>>],
    ) -> Result<Self, TextError> {
        cursor.object(&mut |key, cursor| {
            let known = names.iter().position(|name| *name == key);
            if let Some(slot) = known.and_then(|at| found.get_mut(at)) {
                *slot = Some(cursor.clone());
            }
            cursor.value().map(|_| ())
        })?;
        Ok(Self { cursor, error: None })
    }

    /// Reads a member where it was found, or takes its value when absent; keeps the first error.
    pub(crate) fn read<T: Wire>(&mut self, found: &mut Option<Cursor<'a>>, name: &'static str) -> T {
        let value = match found {
            Some(cursor) => T::read(cursor),
            None => T::absent().ok_or_else(|| self.cursor.error(TextErrorKind::Missing)),
        };
        value.unwrap_or_else(|error| {
            self.failed(error, name);
            T::blank()
        })
    }

    fn failed(&mut self, error: TextError, name: &'static str) {
        self.error.get_or_insert(TextError { member: error.member.or(Some(name)), ..error });
    }

    /// The first error, if there was one.
    pub(crate) fn finish(self) -> Result<(), TextError> {
        self.error.map_or(Ok(()), Err)
    }
}

/// Reads one member into its slot, naming the member in errors.
pub(crate) fn read_member<T: Wire>(
    slot: &mut Option<T>,
    name: &'static str,
    cursor: &mut Cursor<'_>,
) -> Result<(), TextError> {
    let value =
        T::read(cursor).map_err(|error| TextError { member: error.member.or(Some(name)), ..error })?;
    *slot = Some(value);
    Ok(())
}

/// Takes a member out of its slot, or its value when absent.
pub(crate) fn take_member<T: Wire>(
    slot: Option<T>,
    name: &'static str,
    cursor: &Cursor<'_>,
) -> Result<T, TextError> {
    let missing = || TextError { member: Some(name), ..cursor.error(TextErrorKind::Missing) };
    slot.or_else(T::absent).ok_or_else(missing)
}

/// Appends `"name":value`, with a comma unless it is the first member.
pub(crate) fn write_member<T: Wire>(out: &mut String, first: &mut bool, name: &str, value: &T) {
    if value.is_absent() {
        return;
    }
    if !std::mem::take(first) {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
    value.write(out);
}

/// Defines structs together with their JSON object form. `type "word"` writes that discriminator first.
macro_rules! wire {
    ($($(#[$doc:meta])* $vis:vis struct $name:ident $(: $tag:literal)? {
        $($(#[$fdoc:meta])* $field:ident $key:literal : $ty:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $vis struct $name {
            $($(#[$fdoc])* #[cfg_attr(feature = "schema", schemars(rename = $key))] pub $field: $ty,)*
        }

        impl $crate::wire::Wire for $name {
            #[allow(unused_variables, unused_mut, unused_assignments)]
            fn write(&self, out: &mut String) {
                out.push('{');
                let mut first = true;
                $(out.push_str(concat!("\"type\":\"", $tag, "\"")); first = false;)?
                $($crate::wire::write_member(out, &mut first, $key, &self.$field);)*
                out.push('}');
            }
            #[allow(unused_mut, unreachable_patterns)]
            fn read(cursor: &mut $crate::text::Cursor<'_>) -> Result<Self, $crate::text::TextError> {
                const NAMES: &[&str] = &[$($key,)*];
                let mut found = [const { None }; NAMES.len()];
                let mut reader = $crate::wire::MemberReader::find(cursor, NAMES, &mut found)?;
                let [$($field,)*] = &mut found;
                let value = Self { $($field: reader.read($field, $key),)* };
                reader.finish().map(|()| value)
            }
            fn blank() -> Self {
                Self { $($field: $crate::wire::Wire::blank(),)* }
            }
        }
    )*};
}

/// Defines a closed or open set of words as an enum with its JSON string form.
macro_rules! words {
    ($($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $vis enum $name {
            $($(#[$vdoc])* #[cfg_attr(feature = "serde", serde(rename = $word))] $variant,)*
        }

        impl $name {
            /// Every word of the set, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value for a word; `None` when the word is not known here.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::wire::Wire for $name {
            fn write(&self, out: &mut String) {
                $crate::text::write_string(out, self.as_str());
            }
            fn read(cursor: &mut $crate::text::Cursor<'_>) -> Result<Self, $crate::text::TextError> {
                let word = cursor.string()?;
                Self::parse(&word).ok_or_else(|| cursor.error($crate::text::TextErrorKind::Choice))
            }
            fn blank() -> Self {
                Self::ALL[0]
            }
        }
    )*};
}

pub(crate) use {wire, words};
