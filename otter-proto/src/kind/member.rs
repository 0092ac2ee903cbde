//! Payloads of `member.*`.

use crate::UnixMillis;
use crate::kind::payload;
use crate::wire::words;

words! {
    /// A person's rights; each role includes the ones before it.
    pub enum MemberRole {
        /// Sees everything.
        Viewer = "viewer",
        /// Also writes and decides.
        Member = "member",
        /// Also manages instances and people.
        Admin = "admin",
        /// Also manages admins.
        Owner = "owner",
    }
}

payload! {
    /// `member.joined`.
    pub struct MemberJoined {
        /// A display name.
        name: String,
        /// Rights.
        role: MemberRole,
        /// When.
        joined_at: UnixMillis,
    }

    /// `member.updated`.
    pub struct MemberUpdated {
        /// A display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Rights.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<MemberRole>,
    }

    /// `member.removed`.
    pub struct MemberRemoved {}
}
