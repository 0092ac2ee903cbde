//! The native client of Otter and the bridge that joins an OpenClaw gateway to a hub.

pub mod openclaw;
