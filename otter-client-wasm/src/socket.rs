//! One WebSocket and its callbacks.

use std::rc::Weak;

use js_sys::{Array, Function, Reflect, Uint8Array};
use otter_proto::limits::SUBPROTOCOL;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::inner::{Entry, Shared};

type Callback = Closure<dyn FnMut(JsValue)>;

/// A socket; closed and silent once it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: WebSocket,
    // Kept alive as long as the socket may call them.
    _callbacks: [Callback; 4],
}

/// What a socket says.
#[derive(Debug, Clone, Copy)]
enum Says {
    Opened,
    Message,
    Error,
    Closed,
}

impl Socket {
    /// Opens a socket. Its callbacks carry `generation`, by which those of an old socket are told apart.
    pub(crate) fn open(
        constructor: &Function,
        url: &str,
        generation: u32,
        shared: &Weak<Shared>,
    ) -> Result<Self, JsValue> {
        let protocols = Array::of1(&JsValue::from_str(SUBPROTOCOL));
        let arguments = Array::of2(&JsValue::from_str(url), &protocols);
        let socket: WebSocket = Reflect::construct(constructor, &arguments)?.unchecked_into();
        socket.set_binary_type(BinaryType::Arraybuffer);
        let callbacks = [Says::Opened, Says::Message, Says::Error, Says::Closed]
            .map(|says| callback(says, generation, shared.clone()));
        let [opened, message, error, closed] = &callbacks;
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onerror(Some(error.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Ok(Self { socket, _callbacks: callbacks })
    }

    /// The socket itself, to call it while nothing is borrowed.
    pub(crate) fn handle(&self) -> WebSocket {
        self.socket.clone()
    }

    /// Closes with a code, which the drop alone would not send.
    pub(crate) fn close(self, code: u16, reason: &str) {
        self.silence();
        // Refused for codes that a page may not send; the drop closes without one.
        drop(self.socket.close_with_code_and_reason(code, reason));
    }

    fn silence(&self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onerror(None);
        self.socket.set_onclose(None);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.silence();
        drop(self.socket.close());
    }
}

fn callback(says: Says, generation: u32, shared: Weak<Shared>) -> Callback {
    Closure::new(move |event: JsValue| {
        let Some(shared) = shared.upgrade() else { return };
        let mut entry = match says {
            Says::Opened => Entry::Opened,
            Says::Error => Entry::Failed,
            Says::Message => match text_of(&event.unchecked_into::<MessageEvent>().data()) {
                Some(text) => Entry::Message(text),
                None => return,
            },
            Says::Closed => {
                let event: CloseEvent = event.unchecked_into();
                Entry::Closed(event.code(), event.reason())
            }
        };
        if shared.is_current(generation) {
            shared.enter(&mut entry);
        }
    })
}

fn text_of(data: &JsValue) -> Option<String> {
    match data.as_string() {
        Some(text) => Some(text),
        None => String::from_utf8(Uint8Array::new(data).to_vec()).ok(),
    }
}
