//! The local policy: what the hub may ask of this machine and what may leave it. Only its owner can change it.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::openclaw::Scope;

/// What the hub may ask and what may leave the machine. The default allows everything a bridge can do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Policy {
    /// Command kinds that the hub may send; all that the bridge knows when absent.
    pub commands: Option<Vec<String>>,
    /// Parts of session keys; a session whose key contains one never leaves the machine. `:whatsapp:` keeps a
    /// channel private.
    pub exclude_sessions: Vec<String>,
    /// Rights asked of the gateway: `read`, `write`, `approvals`, `admin`. Without `write` nobody can send messages,
    /// without `approvals` agents do not wait for people, without `admin` only approvals of messages sent through the
    /// bridge are seen.
    pub gateway_scopes: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        let gateway_scopes = SCOPES.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self { commands: None, exclude_sessions: Vec::new(), gateway_scopes }
    }
}

impl Policy {
    /// Reads the policy file; a missing one is the default. A file that cannot be read is an error, never a default.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(PolicyError::Io { path: path.into(), source }),
        };
        let policy: Self = serde_json::from_str(&text)
            .map_err(|source| PolicyError::Syntax { path: path.into(), source })?;
        match policy.gateway_scopes.iter().find(|name| scope(name).is_none()) {
            Some(name) => Err(PolicyError::Scope { path: path.into(), name: name.clone() }),
            None => Ok(policy),
        }
    }

    /// Whether the hub may send this kind of command.
    #[must_use]
    pub fn allows(&self, command: &str) -> bool {
        self.commands.as_ref().is_none_or(|commands| commands.iter().any(|allowed| allowed == command))
    }

    /// Whether people may decide approvals through the hub. If not, the bridge does not offer to: an agent would wait
    /// for an answer that nobody can give.
    #[must_use]
    pub fn lets_decide(&self) -> bool {
        self.allows("approval.decide") && self.scopes().contains(&Scope::Approvals)
    }

    /// The rights to ask of the gateway, in a fixed order.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let asked = |name: &str| self.gateway_scopes.iter().any(|scope| scope == name);
        SCOPES.iter().filter(|(name, _)| asked(name)).map(|(_, scope)| *scope).collect()
    }
}

/// Why a policy file is not used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Reading the file went wrong.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not a policy.
    #[error("{path} is not a policy: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where reading it ended.
        #[source]
        source: serde_json::Error,
    },
    /// The file asks for a right that gateways do not know.
    #[error("{path}: there is no gateway scope `{name}` (read, write, approvals, admin)")]
    Scope {
        /// The file.
        path: PathBuf,
        /// The unknown name.
        name: String,
    },
}

const SCOPES: [(&str, Scope); 4] = [
    ("read", Scope::Read),
    ("write", Scope::Write),
    ("approvals", Scope::Approvals),
    ("admin", Scope::Admin),
];

fn scope(name: &str) -> Option<Scope> {
    SCOPES.iter().find(|(known, _)| *known == name).map(|(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn load(text: &str) -> Result<Policy, PolicyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        std::fs::write(&path, text).unwrap();
        Policy::load(&path)
    }

    #[test]
    fn a_missing_file_allows_everything_and_a_broken_one_nothing() {
        assert_eq!(Policy::load(Path::new("/nonexistent/policy.json")).unwrap(), Policy::default());
        assert!(Policy::default().allows("message.send") && Policy::default().lets_decide());
        assert_eq!(Policy::default().scopes().len(), 4);
        assert!(matches!(load("{"), Err(PolicyError::Syntax { .. })));
        assert!(matches!(load(r#"{"comands": []}"#), Err(PolicyError::Syntax { .. })));
        assert!(matches!(load(r#"{"gatewayScopes": ["root"]}"#), Err(PolicyError::Scope { .. })));
    }

    #[test]
    fn a_policy_narrows_what_is_asked_and_what_leaves() {
        let policy = load(
            r#"{"commands": ["message.send"], "excludeSessions": [":whatsapp:"], "gatewayScopes": ["write", "read"]}"#,
        )
        .unwrap();
        assert_eq!((policy.allows("message.send"), policy.allows("run.abort")), (true, false));
        assert_eq!(policy.scopes(), [Scope::Read, Scope::Write]);
        assert_eq!(policy.exclude_sessions, [":whatsapp:"]);
        assert!(!policy.lets_decide());
        assert!(!load(r#"{"gatewayScopes": ["read", "write"]}"#).unwrap().lets_decide());
        assert!(!load(r#"{"commands": ["message.send"]}"#).unwrap().lets_decide());
    }
}
