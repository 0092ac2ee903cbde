//! Which session began which: what a private session begins is private, too.

use std::collections::BTreeSet;

use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::Observed;

impl Observed {
    /// Notes that one session began another; false when that was known.
    pub(crate) fn note_descent(&mut self, child: &SessionKey, parent: &SessionKey) -> bool {
        let is_known = self.parents.get(child).is_some_and(|parents| parents.contains(parent));
        if is_known || child == parent {
            return false;
        }
        self.forget_descent();
        let parents = self.parents.entry(child.clone()).or_default();
        parents.insert(parent.clone());
        self.touch_descent(child);
        true
    }

    /// Whether a session or one that it comes from is excluded.
    pub(super) fn descends_from_excluded(&self, key: &SessionKey) -> bool {
        let is_excluded =
            |key: &SessionKey| self.excluded.iter().any(|part| key.as_str().contains(part.as_str()));
        let (mut seen, mut open) = (BTreeSet::new(), vec![key]);
        while let Some(key) = open.pop() {
            if is_excluded(key) {
                return true;
            }
            if seen.insert(key) {
                open.extend(self.parents.get(key).into_iter().flatten());
            }
        }
        false
    }

    /// Makes room for another one. What is private stays so; the frames of any other session name its parents again.
    fn forget_descent(&mut self) {
        while self.parents.len() >= MAX_CHILDREN {
            let is_public = |key: &&SessionKey| !self.descends_from_excluded(key);
            let public = self.parents.keys().find(is_public);
            let Some(key) = public.or_else(|| self.parents.keys().next()).cloned() else { return };
            self.parents.remove(&key);
            self.touch_descent(&key);
        }
    }

    fn touch_descent(&mut self, child: &SessionKey) {
        self.dirty.insert(format!("parents/{}", child.as_str()));
    }
}

const MAX_CHILDREN: usize = 8_192;
