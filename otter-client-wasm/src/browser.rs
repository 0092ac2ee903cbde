//! What is used of JavaScript, declared here: the bindings of everything else would be most of the glue.

use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(crate) fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub(crate) fn date_now() -> f64;
    #[wasm_bindgen(js_namespace = Math)]
    pub(crate) fn random() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn set_timeout(callback: &Closure<dyn FnMut()>, ms: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(crate) fn clear_timeout(id: &JsValue);

    #[wasm_bindgen(js_namespace = Array)]
    pub(crate) fn of(item: &str) -> JsValue;
    #[wasm_bindgen(js_namespace = Array, js_name = of)]
    pub(crate) fn of2(first: &str, second: &JsValue) -> JsValue;
    #[wasm_bindgen(js_namespace = Reflect, catch)]
    pub(crate) fn construct(constructor: &JsValue, arguments: &JsValue) -> Result<WebSocket, JsValue>;

    #[wasm_bindgen(typescript_type = "(panic?: string) => void")]
    #[derive(Debug, Clone)]
    pub type Notify;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub(crate) fn tell(this: &Notify, this_arg: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub(crate) fn tell_panic(this: &Notify, this_arg: &JsValue, text: &str) -> Result<(), JsValue>;

    #[derive(Debug, Clone)]
    pub(crate) type WebSocket;
    #[wasm_bindgen(method, setter, js_name = binaryType)]
    pub(crate) fn set_binary_type(this: &WebSocket, name: &str);
    #[wasm_bindgen(method, setter, js_name = onopen)]
    pub(crate) fn set_onopen(this: &WebSocket, callback: Option<&Closure<dyn FnMut(Event)>>);
    #[wasm_bindgen(method, setter, js_name = onmessage)]
    pub(crate) fn set_onmessage(this: &WebSocket, callback: Option<&Closure<dyn FnMut(Event)>>);
    #[wasm_bindgen(method, setter, js_name = onerror)]
    pub(crate) fn set_onerror(this: &WebSocket, callback: Option<&Closure<dyn FnMut(Event)>>);
    #[wasm_bindgen(method, setter, js_name = onclose)]
    pub(crate) fn set_onclose(this: &WebSocket, callback: Option<&Closure<dyn FnMut(Event)>>);
    #[wasm_bindgen(method, catch)]
    pub(crate) fn send(this: &WebSocket, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn close(this: &WebSocket) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = close)]
    pub(crate) fn close_with(this: &WebSocket, code: u16, reason: &str) -> Result<(), JsValue>;

    /// A `MessageEvent` or `CloseEvent`.
    pub(crate) type Event;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn data(this: &Event) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn code(this: &Event) -> u16;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn reason(this: &Event) -> String;

    #[wasm_bindgen(js_name = Uint8Array)]
    pub(crate) type Bytes;
    #[wasm_bindgen(constructor, js_class = "Uint8Array")]
    pub(crate) fn new(buffer: &JsValue) -> Bytes;
    /// The bytes, copied into our memory.
    #[wasm_bindgen(method, js_class = "Uint8Array")]
    pub(crate) fn subarray(this: &Bytes, begin: u32) -> Vec<u8>;
}
