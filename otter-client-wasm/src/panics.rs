//! Panics: the package is told, because a panic inside a callback of the browser would go unseen.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::PanicHookInfo;

use otter_proto::text::write_u64;
use wasm_bindgen::JsValue;

use crate::browser::Notify;

thread_local! {
    /// Whom to tell: the core that was entered last.
    /// Never dropped by the thread: a destructor would have to be registered.
    static CURRENT: Cell<Option<ManuallyDrop<Notify>>> = const { Cell::new(None) };
}

/// Has panics told to the core that was entered last.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(tell));
}

/// A core is entered.
pub(crate) fn enter(notify: &Notify) {
    let old = CURRENT.replace(Some(ManuallyDrop::new(notify.clone())));
    drop(old.map(ManuallyDrop::into_inner));
}

fn tell(info: &PanicHookInfo<'_>) {
    let mut text = String::from(info.payload().downcast_ref::<&str>().copied().unwrap_or("panic"));
    if let Some(place) = info.location() {
        text.push_str(" at ");
        text.push_str(place.file());
        text.push(':');
        write_u64(&mut text, place.line().into());
    }
    let notify = CURRENT.take();
    if let Some(notify) = notify {
        drop(notify.tell_panic(&JsValue::UNDEFINED, &text));
    }
}
