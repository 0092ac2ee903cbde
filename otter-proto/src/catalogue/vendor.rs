//! Names of integrators, `x.<vendor>.<name>`: a rule instead of rows.
//!
//! An event of such a kind says itself what it does, in `effects`: at most [`MAX_VENDOR_EFFECTS`] of them, each on an
//! entity whose type has the same vendor and whose id belongs to the instance that publishes. With a conversation the
//! entities live there, else in the org. A command of such a kind goes to the instance that its data names.
//!
//! [`MAX_VENDOR_EFFECTS`]: crate::limits::MAX_VENDOR_EFFECTS

use super::rows::by_instance;
use super::{CommandRow, EntityRow, Safety, ScopeRule, Window};
use crate::frame::Lane;
use crate::text::split_at_byte;

/// The longest name, in bytes.
const NAME_BYTES: usize = 100;
/// The longest vendor, in bytes.
const VENDOR_BYTES: usize = 32;

/// Every entity type of integrators. Each type has this window for itself; all types of a scope share
/// [`VENDOR_WINDOW`] besides.
pub const VENDOR_ENTITY: EntityRow = EntityRow {
    name: "x.*",
    scope: ScopeRule::Org,
    lane: Lane::Main,
    order_key: "at",
    window: Window { rows: 500, bytes: VENDOR_WINDOW.bytes, open_rows: 0, open_bytes: 0 },
    cut: None,
};

/// What the live rows of all integrators' types of one scope hold together.
pub const VENDOR_WINDOW: Window = Window { rows: 1_000, bytes: 768 << 10, open_rows: 0, open_bytes: 0 };

/// Every command of integrators.
pub const VENDOR_COMMAND: CommandRow = by_instance("x.*", Safety::Once);

/// The vendor of an integrator's kind, entity type or command; `None` when the name is not `x.<vendor>.<name>`.
///
/// A vendor is up to 32 of `a-z`, `0-9` and `-`, a name one or more words of letters and digits joined by dots; each
/// begins with a lower-case letter. The whole has at most 100 bytes.
pub fn vendor(name: &str) -> Option<&str> {
    let (vendor, rest) = split_at_byte(name.strip_prefix("x.")?, b'.')?;
    let fits = name.len() <= NAME_BYTES && vendor.len() <= VENDOR_BYTES;
    let is_vendor = starts_low(vendor.as_bytes())
        && vendor.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_word = |word: &[u8]| starts_low(word) && word.iter().all(u8::is_ascii_alphanumeric);
    (fits && is_vendor && rest.as_bytes().split(|byte| *byte == b'.').all(is_word)).then_some(vendor)
}

fn starts_low(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_vendor() {
        let long = format!("x.acme.{}", "a".repeat(93));
        for name in ["x.acme.deployment", "x.a-1.b2C", "x.acme.deployment.started", &long] {
            assert_eq!(vendor(name), name.split('.').nth(1), "{name}");
        }
    }

    #[test]
    fn other_names_have_none() {
        let long_name = format!("x.acme.{}", "a".repeat(94));
        let long_vendor = format!("x.{}.b", "a".repeat(33));
        let odd =
            ["", "x", "x.", "x.acme", "x.acme.", "x..b", "y.acme.b", "X.acme.b", "x.Acme.b", "x.acme.B"];
        let more = [
            "x.acme.b.",
            "x.acme..b",
            "x.ac_me.b",
            "x.acme.b-c",
            "x.1a.b",
            "x.acme.1",
            "x.acme.b c",
            "x.ac\u{e9}.b",
        ];
        for name in odd.into_iter().chain(more).chain([&*long_name, &*long_vendor]) {
            assert_eq!(vendor(name), None, "{name}");
        }
    }
}
