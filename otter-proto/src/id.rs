//! Typed identifiers, scopes and entity keys.
//!
//! Every id on the wire is an opaque string of 1 to 200 characters of `[A-Za-z0-9._:-]`. Receivers never parse
//! them, with one exception that the contract fixes: an instance's entity is its own id, or its id + `:` + rest.

use std::fmt;

use crate::text::{Cursor, TextError, TextErrorKind, head, split_at_byte};

/// The longest id, in bytes.
pub const MAX_ID_LEN: usize = 200;

/// Why a string is not an id, a scope or an entity key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not valid here: ids are 1 to 200 characters of A-Z, a-z, 0-9, `.`, `_`, `:` and `-`")]
pub struct IdError(pub String);

/// Whether `text` is a well-formed id.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID_LEN
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-'))
}

/// Whether the entity id `id` belongs to the instance `instance`: it is its id, or its id + `:` + rest.
pub fn belongs_to(id: &str, instance: &str) -> bool {
    id.strip_prefix(instance).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn checked(text: &str) -> Result<String, IdError> {
    if is_id(text) { Ok(text.to_owned()) } else { Err(refused(text)) }
}

/// The error about `text`, with its head.
fn refused(text: &str) -> IdError {
    IdError(head(text, 64).to_owned())
}

/// Reads an id into its place.
fn fill(id: &mut String, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
    let text = cursor.string()?;
    *id = checked(&text).map_err(|_| cursor.error(TextErrorKind::Id))?;
    Ok(())
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String", into = "String"))]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline, extend("maxLength" = MAX_ID_LEN, "pattern" = "^[A-Za-z0-9._:-]{1,200}$")))]
        pub struct $name(String);

        impl $name {
            /// Takes `text` when it is a well-formed id.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl crate::wire::Wire for $name {
            fn write(&self, out: &mut String) {
                crate::text::write_string(out, &self.0);
            }
            fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
                fill(&mut self.0, cursor)
            }
            fn blank() -> Self {
                Self(String::new())
            }
        }
    )*};
}

id! {
    /// A tenant. It comes from the credential, never from what a client says.
    OrgId;
    /// One OpenClaw installation with its bridge.
    InstanceId;
    /// A person of an org.
    MemberId;
    /// A conversation; also the id of its session when it belongs to a gateway session.
    ConversationId;
    /// A durable event; unique, made by its publisher (a UUIDv7) or derived by the hub (a UUIDv5).
    EventId;
    /// A command: a UUIDv7 made by the client, the idempotency key everywhere.
    CommandId;
    /// An entity without its type, for instance the id of a message or of a run.
    EntityId;
    /// One process run of an instance.
    BootId;
    /// A random string per writer start of an org; positions are only valid together with it.
    Epoch;
}

/// The unit of subscription and of ordering.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline, with = "String"))]
pub enum Scope {
    /// `org`: everything but messages, runs, steps and marks.
    Org,
    /// `conversation/<id>`: messages, runs and steps of one conversation.
    Conversation(ConversationId),
    /// `member/<id>`: what only this person sees. A client may say `member/self` when it subscribes without a position.
    Member(MemberId),
}

impl Scope {
    /// Reads `org`, `conversation/<id>` or `member/<id>`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        match split_at_byte(text, b'/') {
            None if text == "org" => Ok(Self::Org),
            Some(("conversation", id)) => Ok(Self::Conversation(ConversationId::new(id)?)),
            Some(("member", id)) => Ok(Self::Member(MemberId::new(id)?)),
            _ => Err(refused(text)),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org => f.write_str("org"),
            Self::Conversation(id) => f.write_str("conversation/").and_then(|()| f.write_str(id.as_str())),
            Self::Member(id) => f.write_str("member/").and_then(|()| f.write_str(id.as_str())),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// The key of an entity inside its scope: `type/id`, for instance `task/in_7:t_1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline, with = "String"))]
pub struct EntityKey(String);

impl EntityKey {
    /// Joins a type of the catalogue (or `x.<vendor>.<name>`) and an id.
    pub fn new(kind: &str, id: &str) -> Result<Self, IdError> {
        let mut key = String::with_capacity(kind.len() + 1 + id.len());
        key.push_str(kind);
        key.push('/');
        key.push_str(id);
        if is_id(kind) && is_id(id) { Ok(Self(key)) } else { Err(refused(&key)) }
    }

    /// Reads `type/id`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let (kind, id) = split_at_byte(text, b'/').ok_or_else(|| refused(text))?;
        Self::new(kind, id)
    }

    pub(crate) const fn empty() -> Self {
        Self(String::new())
    }

    /// `type/id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    pub fn entity_type(&self) -> &str {
        split_at_byte(&self.0, b'/').map_or("", |(kind, _)| kind)
    }

    /// The part after the slash.
    pub fn id(&self) -> &str {
        split_at_byte(&self.0, b'/').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_owns_its_id_and_what_hangs_below_it() {
        assert!(belongs_to("in_1", "in_1"));
        assert!(belongs_to("in_1:main", "in_1"));
        assert!(!belongs_to("in_12", "in_1"));
        assert!(!belongs_to("in_2:main", "in_1"));
    }

    #[test]
    fn scopes_survive_a_round_trip() {
        for text in ["org", "conversation/in_1:abc", "member/mb_1"] {
            assert_eq!(Scope::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "orgs", "conversation/", "conversation/a b", "x/y", "org/"] {
            assert!(Scope::parse(text).is_err(), "{text}");
        }
    }
}
