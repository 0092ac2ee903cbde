//! Device tokens: what a gateway hands to a paired device so that it can come back without the shared token.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::openclaw::connection::Secret;
use crate::openclaw::device::{DeviceError, corrupt, file};

/// What a device token is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenKey {
    /// Address of the gateway.
    pub gateway_url: String,
    /// The device it was minted for.
    pub device_id: String,
    /// The client id it was minted for.
    pub client_id: String,
    /// The role it was minted for.
    pub role: String,
}

/// A device token and the scopes it was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceToken {
    /// The token.
    pub token: Secret,
    /// Scopes that it covers; asking for more is refused.
    pub scopes: Vec<String>,
}

/// Device tokens in one private file.
#[derive(Debug)]
pub struct TokenStore {
    path: PathBuf,
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: TokenKey,
    token: String,
    scopes: Vec<String>,
}

impl TokenStore {
    /// Opens the store at `path`; a missing file is an empty store.
    pub fn open(path: &Path) -> Result<Self, DeviceError> {
        let entries = match file::read(path)? {
            Some(text) => serde_json::from_slice(&text).map_err(|source| corrupt(path, source))?,
            None => Vec::new(),
        };
        Ok(Self { path: path.into(), entries })
    }

    /// The token stored for `key`.
    #[must_use]
    pub fn get(&self, key: &TokenKey) -> Option<DeviceToken> {
        let entry = self.entries.iter().find(|entry| entry.key == *key)?;
        Some(DeviceToken { token: Secret::new(entry.token.clone()), scopes: entry.scopes.clone() })
    }

    /// Stores the token of `key`, or forgets it.
    pub fn set(&mut self, key: &TokenKey, token: Option<&DeviceToken>) -> Result<(), DeviceError> {
        self.entries.retain(|entry| entry.key != *key);
        self.entries.extend(token.map(|token| Entry {
            key: key.clone(),
            token: token.token.reveal().to_owned(),
            scopes: token.scopes.clone(),
        }));
        file::write(
            &self.path,
            &serde_json::to_vec(&self.entries).map_err(|source| corrupt(&self.path, source))?,
        )
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_token_belongs_to_one_gateway_and_device() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let key = TokenKey {
            gateway_url: "ws://127.0.0.1:18789".into(),
            device_id: "d".into(),
            client_id: "gateway-client".into(),
            role: "operator".into(),
        };
        let other = TokenKey { gateway_url: "ws://127.0.0.1:1".into(), ..key.clone() };
        let token = DeviceToken { token: Secret::new("t"), scopes: vec!["operator.read".into()] };
        TokenStore::open(&path).unwrap().set(&key, Some(&token)).unwrap();
        let mut store = TokenStore::open(&path).unwrap();
        assert_eq!((store.get(&key), store.get(&other)), (Some(token), None));
        store.set(&key, None).unwrap();
        assert_eq!(TokenStore::open(&path).unwrap().get(&key), None);
    }
}
