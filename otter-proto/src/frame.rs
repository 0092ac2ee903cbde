//! Frames: the protocol messages of both directions.
//!
//! A WebSocket message holds one or more frames separated by a newline. `type` comes first when we write and is
//! accepted anywhere when we read; unknown members are ignored.

mod client;
mod data;
mod hub;

pub use client::{
    Ack, Bye, ClientFrame, ClientInfo, Command, Fetch, Hello, Pong, Probe, Publish, Signal, Subscribe,
    Unsubscribe, VersionRange,
};
pub use data::{Events, Page, PageKey, SnapshotPage, SnapshotRow};
pub use hub::{
    Accepted, CommandDispatch, Drain, HubBye, HubFrame, LaneCursor, Lanes, Notice, Ping, Principal,
    PrincipalType, Probed, Published, Refuse, Rejection, Reply, Resync, ServerInfo, Subscribed,
    SubscribedMode, Welcome,
};

use std::borrow::Cow;

use crate::text::{Cursor, TextError, TextErrorKind, split_at_byte};
use crate::wire::words;

/// Why a text is not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, or a member is missing or wrong.
    #[error("bad frame: {0}")]
    Bad(#[from] TextError),
    /// The `type` is not known here.
    #[error("unknown frame type `{0}`")]
    Unknown(String),
}

words! {
    /// An independent FIFO of an outbox.
    pub enum Lane {
        /// Activity, the feed, sessions and repositories.
        Bulk = "bulk",
        /// Everything else, integrators' kinds too.
        Main = "main",
    }
}

/// The frames of one WebSocket message.
pub fn split(message: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(message);
    let next = move || {
        let message = rest?;
        let (frame, after) =
            split_at_byte(message, b'\n').map_or((message, None), |(frame, after)| (frame, Some(after)));
        rest = after;
        Some(frame)
    };
    std::iter::from_fn(next).filter(|frame| !frame.is_empty())
}

/// The `type` of a frame: at once when it comes first, else by reading the whole object.
pub(crate) fn frame_type(text: &str) -> Result<Cow<'_, str>, TextError> {
    const FIRST: &str = "{\"type\":";
    if text.starts_with(FIRST) {
        return Cursor::new(text.get(FIRST.len()..).unwrap_or_default()).string();
    }
    let mut found = None;
    let mut cursor = Cursor::new(text);
    cursor.object(&mut |key, cursor| {
        if key == "type" {
            found = Some(cursor.string()?.into_owned());
            return Ok(());
        }
        cursor.value().map(|_| ())
    })?;
    found.map(Cow::Owned).ok_or_else(|| TextError::new(TextErrorKind::Missing, 0).inside(&["type"], 0))
}

/// Defines an enum of frames with its codec. A word `in` a feature is read only by builds with that feature.
macro_rules! frames {
    ($(#[$meta:meta])* pub enum $name:ident $(<$life:lifetime>)? {
        $($(#[$vdoc:meta])* $variant:ident($frame:ty) = $word:literal $(in $feature:literal)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name $(<$life>)? { $($(#[$vdoc])* $variant($frame),)* }

        impl $(<$life>)? $name $(<$life>)? {
            /// The `type` of every frame of this direction.
            pub const TYPES: &'static [&'static str] = &[$($word,)*];

            /// Reads one frame.
            pub fn decode(text: & $($life)? str) -> Result<Self, $crate::frame::FrameError> {
                let mut frame = match &*$crate::frame::frame_type(text)? {
                    $($(#[cfg(feature = $feature)])? $word => Self::$variant(<$frame>::blank()),)*
                    other => {
                        let head = $crate::text::head(other, 64).to_owned();
                        return Err($crate::frame::FrameError::Unknown(head));
                    }
                };
                let cursor = &mut $crate::text::Cursor::new(text);
                match &mut frame {
                    $($(#[cfg(feature = $feature)])? Self::$variant(frame) => frame.fill(cursor)?,)*
                    #[allow(unreachable_patterns)]
                    _ => {}
                }
                cursor.end()?;
                Ok(frame)
            }

            /// Appends this frame's JSON text.
            pub fn encode(&self, out: &mut String) {
                match self { $(Self::$variant(frame) => frame.write(out),)* }
            }
        }
    };
}

use frames;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorBody, ErrorCode};

    #[test]
    fn of_a_member_that_comes_twice_the_last_counts() {
        let text = r#"{"type":"refuse","error":{"code":"overloaded","message":"a","retryable":true,"retryAfterMs":5},
            "error":{"code":"revoked","message":"b","retryable":false}}"#;
        let error = ErrorBody::new(ErrorCode::Revoked, "b");
        assert_eq!(HubFrame::decode(text), Ok(HubFrame::Refuse(Refuse { error, supported: None })));
    }
}
