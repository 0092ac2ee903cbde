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
    /// Reads the JSON form at the cursor into the place of a blank value.
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError>;
    /// Whether a member of this type may be left out; it is blank then.
    const OPTIONAL: bool = false;
    /// What stands in a struct until its member is read.
    fn blank() -> Self;
    /// Reads the JSON form at the cursor.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TextError> {
        let mut value = Self::blank();
        value.fill(cursor)?;
        Ok(value)
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
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        cursor.value()?.clone_into(&mut self.0);
        Ok(())
    }
    fn blank() -> Self {
        Self(String::new())
    }
}

impl Wire for String {
    fn write(&self, out: &mut String) {
        write_string(out, self);
    }
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        *self = cursor.string()?.into_owned();
        Ok(())
    }
    fn blank() -> Self {
        Self::new()
    }
}

impl Wire for u64 {
    fn write(&self, out: &mut String) {
        write_u64(out, *self);
    }
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        *self = cursor.u64()?;
        Ok(())
    }
    fn blank() -> Self {
        0
    }
}

impl Wire for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        *self = cursor.bool()?;
        Ok(())
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
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        let text = cursor.string()?;
        *self = Self::parse(&text).map_err(|_| cursor.error(TextErrorKind::Id))?;
        Ok(())
    }
    fn blank() -> Self {
        Self::Org
    }
}

impl Wire for crate::id::EntityKey {
    fn write(&self, out: &mut String) {
        write_string(out, self.as_str());
    }
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        let text = cursor.string()?;
        *self = Self::parse(&text).map_err(|_| cursor.error(TextErrorKind::Id))?;
        Ok(())
    }
    fn blank() -> Self {
        Self::empty()
    }
}

impl Wire for crate::time::UnixMillis {
    fn write(&self, out: &mut String) {
        write_string(out, &self.to_string());
    }
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        let text = cursor.string()?;
        *self = Self::parse(&text).ok_or_else(|| cursor.error(TextErrorKind::Id))?;
        Ok(())
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
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        if cursor.null() {
            *self = None;
            return Ok(());
        }
        self.insert(T::blank()).fill(cursor)
    }
    fn blank() -> Self {
        None
    }
    const OPTIONAL: bool = true;
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
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        self.clear();
        cursor.array(&mut |cursor| T::read(cursor).map(|item| self.push(item)))
    }
    fn blank() -> Self {
        Self::new()
    }
    const OPTIONAL: bool = true;
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Reads the members of an object: `read` is called with the place of each known one among `names`. Of those in the
/// bit set `required` each must come. The same code serves every struct: most of the browser's module would be that
/// code otherwise.
pub(crate) fn members<'a>(
    cursor: &mut Cursor<'a>,
    names: &'static [&'static str],
    required: u32,
    read: &mut dyn FnMut(usize, &mut Cursor<'a>) -> Result<(), TextError>,
) -> Result<(), TextError> {
    let mut missing = required;
    cursor.object(&mut |key, cursor| {
        let Some(at) = names.iter().position(|name| *name == key) else { return cursor.value().map(|_| ()) };
        missing &= !(1 << at);
        read(at, cursor).map_err(|error| error.inside(names, at))
    })?;
    if missing == 0 {
        return Ok(());
    }
    let first = usize::try_from(missing.trailing_zeros()).unwrap_or_default();
    Err(cursor.error(TextErrorKind::Missing).inside(names, first))
}

/// The bit set of the members that are not optional.
pub(crate) const fn required(optional: &[bool]) -> u32 {
    let (mut bits, mut at, mut rest) = (0, 0, optional);
    while let [first, more @ ..] = rest {
        bits |= if *first { 0 } else { 1 << at };
        at += 1;
        rest = more;
    }
    bits
}

/// Blanks a member that may be left out: its place may hold what an earlier member of the same name said.
#[inline]
pub(crate) fn blank_optional<T: Wire>(place: &mut T) {
    if T::OPTIONAL {
        *place = T::blank();
    }
}

/// Appends `"name":value`, unless it is left out.
pub(crate) fn write_member<T: Wire>(out: &mut String, name: &str, value: &T) {
    if !value.is_absent() {
        write_name(out, name);
        value.write(out);
    }
}

/// Appends `"name":`, with a comma unless it is the first member.
pub(crate) fn write_name(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

/// Reads a string that is one of `words`; returns its place among them.
pub(crate) fn read_word(cursor: &mut Cursor<'_>, words: &[&str]) -> Result<Option<usize>, TextError> {
    let word = cursor.string()?;
    Ok(words.iter().position(|known| *known == word))
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
                $(out.push_str(concat!("\"type\":\"", $tag, "\""));)?
                $($crate::wire::write_member(out, $key, &self.$field);)*
                out.push('}');
            }
            #[allow(unused_mut, unused_variables, unused_assignments)]
            fn fill(&mut self, cursor: &mut $crate::text::Cursor<'_>) -> Result<(), $crate::text::TextError> {
                const REQUIRED: u32 = $crate::wire::required(&[$(<$ty as $crate::wire::Wire>::OPTIONAL,)*]);
                $($crate::wire::blank_optional(&mut self.$field);)*
                $crate::wire::members(cursor, &[$($key,)*], REQUIRED, &mut |at, cursor| {
                    let mut place = 0;
                    $(
                        if at == place {
                            return $crate::wire::Wire::fill(&mut self.$field, cursor);
                        }
                        place += 1;
                    )*
                    Ok(())
                })
            }
            fn blank() -> Self {
                Self { $($field: $crate::wire::Wire::blank(),)* }
            }
        }
    )*};
}

/// Defines a set of words as an enum with its JSON string form. With `else Other` a word that is not known here is read as
/// that variant, which is never written.
macro_rules! words {
    ($($(#[$doc:meta])* $vis:vis enum $name:ident $(else $other:ident)? { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
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
            fn fill(&mut self, cursor: &mut $crate::text::Cursor<'_>) -> Result<(), $crate::text::TextError> {
                let at = $crate::wire::read_word(cursor, &[$($word,)*])?;
                *self = at.and_then(|at| Self::ALL.get(at).copied())
                    $(.or(Some(Self::$other)))?
                    .ok_or_else(|| cursor.error($crate::text::TextErrorKind::Choice))?;
                Ok(())
            }
            fn blank() -> Self {
                Self::ALL[0]
            }
        }
    )*};
}

pub(crate) use {wire, words};
