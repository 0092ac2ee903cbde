//! The boots of an instance: one per process run, so that the hub can tell a restart from a second copy.

use crate::id::BootId;
use crate::limits::MAX_BOOTS;

/// One process run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Its random id.
    pub id: BootId,
    /// Whether the hub has welcomed it.
    pub welcomed: bool,
}

/// The runs of an instance, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boots(Vec<Boot>);

impl Boots {
    /// Takes the stored runs, newest first.
    pub const fn new(stored: Vec<Boot>) -> Self {
        Self(stored)
    }

    /// A process starts. It gets `fresh`, unless too many runs in a row were never welcomed: then it takes over the
    /// newest, so that the last welcomed one, which the hub may know, is never pushed out.
    pub fn start(&mut self, fresh: BootId) {
        let unwelcomed = self.0.iter().take_while(|boot| !boot.welcomed).count();
        if unwelcomed < MAX_UNWELCOMED {
            self.0.insert(0, Boot { id: fresh, welcomed: false });
            self.0.truncate(MAX_BOOTS);
        }
    }

    /// The hub welcomed this run.
    pub fn welcomed(&mut self) {
        if let Some(newest) = self.0.first_mut() {
            newest.welcomed = true;
        }
    }

    /// What is stored, newest first.
    pub fn list(&self) -> &[Boot] {
        &self.0
    }

    /// What `hello` carries, this run first.
    pub fn ids(&self) -> Vec<BootId> {
        self.0.iter().map(|boot| boot.id.clone()).collect()
    }
}

/// Runs in a row without a welcome, before the newest is reused.
const MAX_UNWELCOMED: usize = 62;

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn boot(n: usize) -> BootId {
        BootId::new(&format!("b{n}")).unwrap()
    }

    #[test]
    fn a_hundred_crashing_starts_never_push_out_the_welcomed_run() {
        let mut boots = Boots::default();
        boots.start(boot(0));
        boots.welcomed();
        for n in 1..=100 {
            boots.start(boot(n));
        }
        let want: Vec<BootId> = (0..=62).rev().map(boot).collect();
        assert_eq!(boots.ids(), want);
        boots.welcomed();
        boots.start(boot(101));
        assert_eq!(boots.ids().len(), 64);
        assert_eq!(boots.ids()[..2], [boot(101), boot(62)]);
    }
}
