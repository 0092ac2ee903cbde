//! The native client of Otter and the bridge that joins an OpenClaw gateway to a hub.

pub mod bridge;
pub mod openclaw;
pub mod policy;
