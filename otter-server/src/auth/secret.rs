//! Random secrets and how they are stored and compared.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Text that never reaches a log: `Debug` prints `***`, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The system has no random bytes for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

impl Secret {
    /// A new secret of 32 random bytes as base64url, 43 characters.
    pub fn random() -> Result<Self, NoRandomness> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)))
    }

    /// A new secret of 32 random bytes as base32, 52 characters of `a-z2-7`: it may stand between underscores.
    pub fn random_base32() -> Result<Self, NoRandomness> {
        Ok(Self(base32(&random_bytes::<32>()?)))
    }

    /// Takes a secret that somebody presented.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text itself, for the one place that hands it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it. The secret has 256 random bits, so a fast hash is enough.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The SHA-256 of a [`Secret`].
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// What no secret hashes to in practice: compared with when an id is not known, so that it takes as long.
    pub const NONE: Self = Self([0; 32]);

    /// Takes 32 stored bytes; anything else matches nothing.
    pub fn from_stored(bytes: &[u8]) -> Self {
        bytes.try_into().map_or(Self::NONE, Self)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `presented` is the secret, in a time that does not depend on where they differ.
    pub fn matches(&self, presented: &Secret) -> bool {
        self.0.ct_eq(&presented.hash().0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

/// A new public id: `prefix` and 16 characters of `a-z2-7` (80 random bits).
pub fn random_id(prefix: &str) -> Result<String, NoRandomness> {
    Ok(format!("{prefix}{}", base32(&random_bytes::<10>()?)))
}

fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// RFC 4648 base32 in lower case, without padding.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (mut out, mut pending, mut bits) = (String::new(), 0_u32, 0_u32);
    let mut push = |index: u32| out.extend(ALPHABET.get(index as usize & 31).map(|&c| char::from(c)));
    for &byte in bytes {
        pending = (pending << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(pending >> bits);
        }
    }
    if bits > 0 {
        push(pending << (5 - bits));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_agrees_with_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "my"), ("fo", "mzxq"), ("foobar", "mzxw6ytboi")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_secret_matches_only_its_own_hash() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert!(one.hash().matches(&one));
        assert!(!one.hash().matches(&other));
        assert!(!SecretHash::NONE.matches(&one));
        assert!(!SecretHash::from_stored(b"short").matches(&Secret::presented("")));
    }

    #[test]
    fn secrets_do_not_print() {
        let secret = Secret::random().unwrap();
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "*** SecretHash");
    }
}
