//! Panics: the package is told, because a panic inside a callback of the browser would go unseen.

use std::cell::RefCell;
use std::panic::PanicHookInfo;

use js_sys::Function;
use otter_proto::text::write_u64;
use wasm_bindgen::JsValue;

thread_local! {
    /// Whom to tell: the core that was entered last.
    static CURRENT: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Has panics told to the core that was entered last.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(tell));
}

/// A core is entered.
pub(crate) fn enter(notify: &Function) {
    CURRENT.with(|current| {
        let same = current.borrow().as_ref().is_some_and(|function| function == notify);
        if !same {
            current.replace(Some(notify.clone()));
        }
    });
}

fn tell(info: &PanicHookInfo<'_>) {
    let mut text = String::from(info.payload().downcast_ref::<&str>().copied().unwrap_or("panic"));
    if let Some(place) = info.location() {
        text.push_str(" at ");
        text.push_str(place.file());
        text.push(':');
        write_u64(&mut text, place.line().into());
    }
    let notify = CURRENT.with(|current| current.take());
    if let Some(notify) = notify {
        drop(notify.call1(&JsValue::UNDEFINED, &JsValue::from_str(&text)));
    }
}
