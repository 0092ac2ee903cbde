//! What a client connection is told at its start.

use crate::id::BootId;

/// Which kind of principal connects; it decides how patient reconnects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person's page or program.
    Member,
    /// An instance's bridge.
    Instance,
}

/// The settings of a [`super::ClientConnection`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// The program's name, told to the hub.
    pub name: String,
    /// The program's version, told to the hub.
    pub version: String,
    /// Who connects.
    pub role: Role,
    /// Optional abilities to offer, for instance `binary`.
    pub capabilities: Vec<String>,
    /// Instances only: this process run first, then earlier ones, at most 64.
    pub boots: Vec<BootId>,
    /// Spreads reconnects; different in every process.
    pub seed: u64,
}
