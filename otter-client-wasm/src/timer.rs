//! One timer for everything.

use std::rc::Weak;

use otter_proto::Instant;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use crate::browser::{clear_timeout, set_timeout};
use crate::inner::{Entry, Shared};

/// The browser's timer, armed for the earliest moment that was asked for.
#[derive(Debug)]
pub(crate) struct Timer {
    callback: Closure<dyn FnMut()>,
    armed: Option<(JsValue, Instant)>,
}

impl Timer {
    pub(crate) fn new(shared: Weak<Shared>) -> Self {
        let callback = Closure::new(move || {
            if let Some(shared) = shared.upgrade() {
                shared.enter(&mut Entry::Timer);
            }
        });
        Self { callback, armed: None }
    }

    /// Has the callback called at `at`, or earlier: a timer that is armed for an earlier moment stays.
    pub(crate) fn arm(&mut self, at: Option<Instant>, now: Instant) {
        let Some(at) = at else { return self.clear() };
        if self.armed.as_ref().is_some_and(|(_, armed)| *armed <= at) {
            return;
        }
        self.clear();
        let ms = i32::try_from(at.since(now)).unwrap_or(i32::MAX);
        self.armed = Some((set_timeout(&self.callback, ms), at));
    }

    /// The callback was called.
    pub(crate) fn fired(&mut self) {
        self.armed = None;
    }

    pub(crate) fn clear(&mut self) {
        if let Some((id, _)) = self.armed.take() {
            clear_timeout(&id);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clear();
    }
}
