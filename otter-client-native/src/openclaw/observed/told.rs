//! What was published once and for all, by id: feed items and activities.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::openclaw::observed::Observed;

/// Ids of what was told, newest last. An older one is told again at worst, and the hub keeps it once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    feed: VecDeque<String>,
    jobs: VecDeque<String>,
}

impl Observed {
    /// Notes a feed item; false when it was told before.
    pub(crate) fn note_item(&mut self, id: &str) -> bool {
        let is_news = note(&mut self.told.feed, id);
        self.touch_told(is_news)
    }

    /// Notes a finished job; false when it was told before.
    pub(crate) fn note_job(&mut self, id: &str) -> bool {
        let is_news = note(&mut self.told.jobs, id);
        self.touch_told(is_news)
    }

    /// Forgets what was told, so that it is told anew.
    pub(super) fn forget_told(&mut self) {
        self.told = Told::default();
        self.touch_told(true);
    }

    fn touch_told(&mut self, is_news: bool) -> bool {
        if is_news {
            self.dirty.insert("told/all".into());
        }
        is_news
    }
}

fn note(list: &mut VecDeque<String>, id: &str) -> bool {
    if list.iter().any(|known| known == id) {
        return false;
    }
    list.push_back(id.to_owned());
    while list.len() > MAX_TOLD {
        list.pop_front();
    }
    true
}

/// More than the plugin and the gateway list.
const MAX_TOLD: usize = 256;
