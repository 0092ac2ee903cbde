//! The state hash: a sum over entities, so that it can be kept up to date entity by entity.

use crate::id::EntityKey;
use crate::text::write_u64;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// What one live entity adds to the hash of its scope: FNV-1a64 of `type/id`, NUL, rev in decimal, NUL, canonical
/// text. The hash of a scope is the sum mod 2^64.
pub fn entity(key: &EntityKey, rev: u64, text: &str) -> u64 {
    let mut digits = String::with_capacity(20);
    write_u64(&mut digits, rev);
    let mut hash = OFFSET;
    for part in [key.as_str(), "\0", &digits, "\0", text] {
        for byte in part.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash
}

/// The wire form of a hash: 16 hex digits.
pub fn hex(hash: u64) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut out = String::with_capacity(16);
    for at in (0..16).rev() {
        let digit = usize::try_from(hash >> (4 * at) & 15).unwrap_or_default();
        out.push(DIGITS.get(digit).copied().unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a_of_key_rev_and_text() {
        let key = EntityKey::parse("task/in_1:t").unwrap();
        let bytes = b"task/in_1:t\x0042\x00{\"a\":1}";
        let want = bytes.iter().fold(OFFSET, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        assert_eq!(entity(&key, 42, "{\"a\":1}"), want);
        assert_eq!(hex(want), format!("{want:016x}"));
        assert_eq!(hex(0x0000_0000_0000_00ab), "00000000000000ab");
    }
}
