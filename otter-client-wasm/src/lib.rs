//! The browser client of Otter: the connection machine of `otter-proto` driven over a WebSocket and one timer.
//!
//! `Core` is the whole boundary, described in `npm/boundary.d.ts`: messages go in as JSON text, and what changed
//! comes out as JSON text when it is asked for. It uses nothing but global timers and clocks and the WebSocket
//! constructor it is given, so that it runs in pages, workers and Node alike. People use the package
//! `@otter-camp/client` around it.

#![cfg(any(target_arch = "wasm32", test, doc))]
// Elsewhere the part that is tested natively has no user.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod changes;
#[cfg(target_arch = "wasm32")]
mod clock;
#[cfg(target_arch = "wasm32")]
mod core;
#[cfg(target_arch = "wasm32")]
mod inner;
mod message;
#[cfg(target_arch = "wasm32")]
mod panics;
#[cfg(target_arch = "wasm32")]
mod socket;
#[cfg(target_arch = "wasm32")]
mod timer;

#[cfg(target_arch = "wasm32")]
pub use core::Core;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
