//! The class that JavaScript sees.

use std::rc::Rc;

use otter_proto::text::{self, Cursor};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::Notify;
use crate::inner::{Entry, Settings, Shared};
use crate::message::ToCore;
use crate::panics;

/// The client. `npm/boundary.d.ts` describes it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Core {
    shared: Rc<Shared>,
}

#[wasm_bindgen]
impl Core {
    /// Makes a client that does nothing yet. `options` is JSON text, `web_socket` a constructor.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, web_socket: JsValue, notify: Notify) -> Self {
        panics::install();
        let read = |path| {
            let raw = text::member(options, path)?;
            Cursor::new(raw).string().ok().map(std::borrow::Cow::into_owned)
        };
        let settings = Settings {
            url: read("url").unwrap_or_default(),
            name: read("client.name").unwrap_or_default(),
            version: read("client.version").unwrap_or_default(),
            web_socket,
            notify,
        };
        Self { shared: Shared::new(settings) }
    }

    /// Takes one message. A message that is not understood is ignored.
    pub fn post(&self, message: &str) {
        if let Ok(message) = ToCore::parse(message) {
            self.shared.enter(&mut Entry::Post(Some(message)));
        }
    }

    /// What changed since the last drain; empty when nothing did.
    pub fn drain(&self) -> String {
        self.shared.drain()
    }

    /// Epoch, position and state hash of every followed scope.
    pub fn hashes(&self) -> String {
        self.shared.hashes()
    }
}
