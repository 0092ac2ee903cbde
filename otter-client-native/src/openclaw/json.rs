//! Reading foreign JSON field by field: what is absent or of another type is `None`, never an error.

use serde_json::Value;

/// Field access on a gateway payload.
pub(crate) trait Fields {
    /// The value under `key`, `Null` when absent.
    fn field(&self, key: &str) -> &Value;
    /// A string field that is not empty.
    fn text(&self, key: &str) -> Option<&str>;
    /// A field that holds a non-negative integer.
    fn int(&self, key: &str) -> Option<u64>;
    /// A boolean field.
    fn flag(&self, key: &str) -> Option<bool>;
    /// The items of an array field, none when it is something else.
    fn items(&self, key: &str) -> &[Value];
    /// A string field as an owned value.
    fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }
}

impl Fields for Value {
    fn field(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&Self::Null)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.field(key).as_str().filter(|text| !text.is_empty())
    }

    fn int(&self, key: &str) -> Option<u64> {
        let field = self.field(key);
        field.as_u64().or_else(|| whole(field.as_f64()?))
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.field(key).as_bool()
    }

    fn items(&self, key: &str) -> &[Value] {
        self.field(key).as_array().map_or(&[], Vec::as_slice)
    }
}

/// JavaScript peers print large or computed integers as floats now and then.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> Option<u64> {
    (0.0..9_007_199_254_740_992.0).contains(&number).then_some(number as u64)
}
