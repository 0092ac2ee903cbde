//! Bearer tokens of instances: `otter_in_<id>_<secret>_<checksum>`.
//!
//! The prefix lets scanners of source code find a leaked token, the id names the row, and the checksum refuses a
//! mistyped token without a look into the store.

use otter_proto::id::InstanceId;

use crate::auth::secret::{NoRandomness, Secret, random_id};

const PREFIX: &str = "otter_in_";
const INSTANCE: &str = "in_";

/// A token of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceToken {
    /// Whose token it is.
    pub instance: InstanceId,
    /// What proves it.
    pub secret: Secret,
}

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It does not have the form of a token.
    #[error("this is not a token of an instance; those begin with `otter_in_`")]
    Form,
    /// A character is wrong or missing.
    #[error("the token is damaged: its checksum does not fit; copy it again")]
    Checksum,
}

impl InstanceToken {
    /// A new instance and its token.
    pub fn random() -> Result<Self, NoRandomness> {
        let id = random_id(INSTANCE)?;
        let instance = InstanceId::new(&id).map_err(|_| NoRandomness)?;
        Ok(Self { instance, secret: Secret::random_base32()? })
    }

    /// Reads a token; looks at nothing but the text.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let rest = text.strip_prefix(PREFIX).ok_or(TokenError::Form)?;
        let (body, checksum) = text.rsplit_once('_').ok_or(TokenError::Form)?;
        let mut parts = rest.split('_');
        let (Some(id), Some(secret), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Form);
        };
        if checksum != checksum_of(body) {
            return Err(TokenError::Checksum);
        }
        let instance = InstanceId::new(&format!("{INSTANCE}{id}")).map_err(|_| TokenError::Form)?;
        Ok(Self { instance, secret: Secret::presented(secret) })
    }

    /// The token's text, shown once.
    pub fn expose(&self) -> Secret {
        let id = self.instance.as_str();
        let body = format!("{PREFIX}{}_{}", id.strip_prefix(INSTANCE).unwrap_or(id), self.secret.expose());
        Secret::presented(&format!("{body}_{}", checksum_of(&body)))
    }
}

/// CRC-32 (IEEE) as 8 hex digits.
fn checksum_of(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    format!("{:08x}", !crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32() {
        assert_eq!(checksum_of("123456789"), "cbf43926");
    }

    #[test]
    fn a_token_reads_back_as_itself() {
        let token = InstanceToken::random().unwrap();
        assert_eq!(InstanceToken::parse(token.expose().expose()), Ok(token));
    }

    #[test]
    fn every_mistyped_character_is_noticed() {
        let text = InstanceToken::random().unwrap().expose().expose().to_owned();
        for at in PREFIX.len()..text.len() {
            let mut typo = text.clone().into_bytes();
            typo[at] = if typo[at] == b'a' { b'b' } else { b'a' };
            let typo = String::from_utf8(typo).unwrap();
            assert!(InstanceToken::parse(&typo).is_err(), "{at}");
        }
    }

    #[test]
    fn other_texts_are_not_tokens() {
        for text in ["", "otter_in_", "otter_in_a_b", "otter_in_a_b_c_d", "otter_xx_a_b_00000000"] {
            assert_eq!(InstanceToken::parse(text), Err(TokenError::Form), "{text}");
        }
        assert_eq!(InstanceToken::parse("otter_in_a_b_00000000"), Err(TokenError::Checksum));
    }
}
