//! Positions per scope.

use crate::id::Scope;
use crate::text::{Cursor, TextError, TextErrorKind};
use crate::wire::Wire;

/// A JSON object from scopes to positions: `{"org":101}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline, transparent))]
pub struct Positions(
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<Scope, u64>"))] pub ScopeMap,
);

/// A map from scopes to seqs, in the order of the scopes. A sorted vector: it is small, and so is its code.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ScopeMap(Vec<(Scope, u64)>);

impl ScopeMap {
    /// Sets the seq of a scope; returns the one before.
    pub fn insert(&mut self, scope: Scope, seq: u64) -> Option<u64> {
        match self.0.binary_search_by(|(known, _)| known.cmp(&scope)) {
            Ok(at) => self.0.get_mut(at).map(|(_, old)| std::mem::replace(old, seq)),
            Err(at) => {
                self.0.insert(at, (scope, seq));
                None
            }
        }
    }

    /// The seq of a scope.
    pub fn get(&self, scope: &Scope) -> Option<&u64> {
        self.0.iter().find(|(known, _)| known == scope).map(|(_, seq)| seq)
    }

    /// The scopes.
    pub fn keys(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter().map(|(scope, _)| scope)
    }

    /// Scopes and seqs.
    pub fn iter(&self) -> impl Iterator<Item = (&Scope, &u64)> {
        self.0.iter().map(|(scope, seq)| (scope, seq))
    }

    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for ScopeMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(Scope, u64)> for ScopeMap {
    fn from_iter<I: IntoIterator<Item = (Scope, u64)>>(pairs: I) -> Self {
        let mut map = Self::default();
        for (scope, seq) in pairs {
            map.insert(scope, seq);
        }
        map
    }
}

impl<const N: usize> From<[(Scope, u64); N]> for ScopeMap {
    fn from(pairs: [(Scope, u64); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl Wire for Positions {
    fn write(&self, out: &mut String) {
        out.push('{');
        for (at, (scope, seq)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            scope.write(out);
            out.push(':');
            seq.write(out);
        }
        out.push('}');
    }
    fn fill(&mut self, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        *self = Self::default();
        cursor.object(&mut |key, cursor| {
            let scope = Scope::parse(key).map_err(|_| cursor.error(TextErrorKind::Id))?;
            self.0.insert(scope, cursor.u64()?);
            Ok(())
        })
    }
    fn blank() -> Self {
        Self::default()
    }
    const OPTIONAL: bool = true;
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}
