//! One WebSocket and its callbacks.

use std::rc::Weak;

use otter_proto::limits::SUBPROTOCOL;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use crate::browser::{Bytes, Event, WebSocket, construct, of, of2};
use crate::inner::{Entry, Shared};

type Callback = Closure<dyn FnMut(Event)>;

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
        constructor: &JsValue,
        url: &str,
        generation: u32,
        shared: &Weak<Shared>,
    ) -> Result<Self, JsValue> {
        let socket = construct(constructor, &of2(url, &of(SUBPROTOCOL)))?;
        socket.set_binary_type("arraybuffer");
        let callbacks = [Says::Opened, Says::Message, Says::Error, Says::Closed]
            .map(|says| callback(says, generation, shared.clone()));
        let [opened, message, error, closed] = &callbacks;
        socket.set_onopen(Some(opened));
        socket.set_onmessage(Some(message));
        socket.set_onerror(Some(error));
        socket.set_onclose(Some(closed));
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
        drop(self.socket.close_with(code, reason));
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
    Closure::new(move |event: Event| {
        let Some(shared) = shared.upgrade() else { return };
        let mut entry = match says {
            Says::Opened => Entry::Opened,
            Says::Error => Entry::Failed,
            Says::Message => match text_of(&event.data()) {
                Some(text) => Entry::Message(text),
                None => return,
            },
            Says::Closed => Entry::Closed(event.code(), event.reason()),
        };
        if shared.is_current(generation) {
            shared.enter(&mut entry);
        }
    })
}

fn text_of(data: &JsValue) -> Option<String> {
    match data.as_string() {
        Some(text) => Some(text),
        None => String::from_utf8(Bytes::new(data).subarray(0)).ok(),
    }
}
