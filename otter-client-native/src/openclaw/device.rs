//! The device identity that a gateway pairs with: an Ed25519 key kept in a file only its owner can read.

mod file;
mod token;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use token::{DeviceToken, TokenKey, TokenStore};

/// An Ed25519 identity. Gateways know it by [`DeviceIdentity::id`]; a new key has to be paired again.
#[derive(Clone)]
pub struct DeviceIdentity {
    key: SigningKey,
}

/// What the signature of a `connect` covers, in the order of the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedConnect<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_mode: &'a str,
    pub(crate) role: &'a str,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) signed_at: u64,
    /// The token exactly as `auth` carries it, empty without one.
    pub(crate) token: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) platform: &'a str,
    pub(crate) device_family: &'a str,
}

impl DeviceIdentity {
    /// Makes the identity of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// Reads the identity from `path`; makes one with mode 0600 when there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, DeviceError> {
        if let Some(text) = file::read(path)? {
            let stored: StoredKey = serde_json::from_slice(&text).map_err(|source| corrupt(path, source))?;
            return stored
                .seed()
                .map(|seed| Self::from_seed(&seed))
                .ok_or_else(|| DeviceError::Key(path.into()));
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| DeviceError::Random(error.to_string()))?;
        let stored = StoredKey { version: 1, seed: URL_SAFE_NO_PAD.encode(seed) };
        file::write(path, &serde_json::to_vec(&stored).map_err(|source| corrupt(path, source))?)?;
        Ok(Self::from_seed(&seed))
    }

    /// The raw public key as base64url without padding.
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// Id of the device: SHA-256 of the raw public key in lowercase hex.
    #[must_use]
    pub fn id(&self) -> String {
        Sha256::digest(self.key.verifying_key().as_bytes()).iter().fold(String::new(), |mut hex, byte| {
            let _infallible = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Signs a `connect` in the v3 form, base64url without padding.
    pub(crate) fn sign(&self, connect: &SignedConnect<'_>) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(connect.payload(&self.id()).as_bytes()).to_bytes())
    }
}

impl std::fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceIdentity").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl SignedConnect<'_> {
    /// The eleven fields that both ends put together.
    fn payload(&self, device: &str) -> String {
        [
            "v3",
            device,
            self.client_id,
            self.client_mode,
            self.role,
            &self.scopes.join(","),
            &self.signed_at.to_string(),
            self.token,
            self.nonce,
            &self.platform.trim().to_ascii_lowercase(),
            &self.device_family.trim().to_ascii_lowercase(),
        ]
        .join("|")
    }
}

/// Why the identity or the tokens of a device could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Reading or writing the file went wrong.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what this program writes.
    #[error("{path} is damaged; remove it to start over (the gateway has to approve the device again)")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where reading it ended.
        #[source]
        source: serde_json::Error,
    },
    /// The file holds no usable key.
    #[error("{0} holds no usable key; remove it to start over (the gateway has to approve the device again)")]
    Key(PathBuf),
    /// The system gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    version: u32,
    seed: String,
}

impl StoredKey {
    fn seed(&self) -> Option<[u8; 32]> {
        URL_SAFE_NO_PAD.decode(&self.seed).ok()?.try_into().ok()
    }
}

fn corrupt(path: &Path, source: serde_json::Error) -> DeviceError {
    DeviceError::Corrupt { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, VerifyingKey};
    use pretty_assertions::assert_eq;
    use serde_json::Value;

    use super::*;

    fn seed() -> [u8; 32] {
        std::array::from_fn(|index| u8::try_from(index).unwrap())
    }

    #[test]
    fn signs_the_published_test_vector() {
        let device = DeviceIdentity::from_seed(&seed());
        let scopes = ["operator.read", "operator.write", "operator.approvals"];
        let connect = SignedConnect {
            client_id: "gateway-client",
            client_mode: "ui",
            role: "operator",
            scopes: &scopes,
            signed_at: 1_795_355_302_926,
            token: "test-token-otter-0001",
            nonce: "f51b9bde-5a53-485b-b898-8764bc5d9e60",
            platform: "linux",
            device_family: "desktop",
        };
        assert_eq!(device.public_key(), "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
        assert_eq!(device.id(), "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c");
        assert_eq!(
            device.sign(&connect),
            "LEkTg6Be4Ug25ydx8lrlI0HEVeTSDgyXQaKDtC0U8eeltEl74W10XWlsLeZqxrHKfX2Rm6KJ8lkloMLJchxtAQ"
        );
    }

    #[test]
    fn every_recorded_connect_verifies() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openclaw");
        let (mut v2, mut v3) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                let params = &line["frame"]["params"];
                if line["frame"]["method"] != "connect" || params["device"]["nonce"].is_null() {
                    continue;
                }
                match verify(params) {
                    Some("v2") => v2 += 1,
                    Some("v3") => v3 += 1,
                    _ => panic!("{}: {params}", path.display()),
                }
            }
        }
        assert_eq!((v2, v3), (1, V3_CONNECTS));
    }

    const V3_CONNECTS: u32 = 31;

    fn verify(params: &Value) -> Option<&'static str> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let device = &params["device"];
        let raw: [u8; 32] = URL_SAFE_NO_PAD.decode(text(&device["publicKey"])).ok()?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&raw).ok()?;
        let id = Sha256::digest(raw).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(id, text(&device["id"]));
        let scopes: Vec<String> = params["scopes"].as_array()?.iter().map(text).collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let [client, auth] = [&params["client"], &params["auth"]];
        let token =
            [&auth["token"], &auth["deviceToken"]].into_iter().find_map(Value::as_str).unwrap_or_default();
        let connect = SignedConnect {
            client_id: &text(&client["id"]),
            client_mode: &text(&client["mode"]),
            role: &text(&params["role"]),
            scopes: &scopes,
            signed_at: device["signedAt"].as_u64()?,
            token,
            nonce: &text(&device["nonce"]),
            platform: &text(&client["platform"]),
            device_family: &text(&client["deviceFamily"]),
        };
        let payload = connect.payload(&id);
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(text(&device["signature"])).ok()?.try_into().ok()?;
        let holds =
            |payload: &str| key.verify_strict(payload.as_bytes(), &Signature::from_bytes(&signature)).is_ok();
        let fields: Vec<&str> = payload.split('|').collect();
        let second_version = format!("v2|{}", fields[1..9].join("|"));
        if holds(&payload) { Some("v3") } else { holds(&second_version).then_some("v2") }
    }

    #[test]
    fn an_identity_survives_a_restart_in_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/device.json");
        let made = DeviceIdentity::load_or_create(&path).unwrap();
        assert_eq!(DeviceIdentity::load_or_create(&path).unwrap().id(), made.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(DeviceIdentity::load_or_create(&path), Err(DeviceError::Corrupt { .. })));
    }

    #[test]
    fn debug_output_holds_no_key() {
        let device = DeviceIdentity::from_seed(&seed());
        assert_eq!(format!("{device:?}"), format!("DeviceIdentity {{ id: {:?}, .. }}", device.id()));
    }
}
