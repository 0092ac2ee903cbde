//! The contract of Otter: the events, frames and rules that a hub, an OpenClaw bridge and a browser agree on.
//!
//! Everything here is sans-IO: types, state and connection machines. Nothing opens a socket, reads a clock or draws
//! a random number; time enters as [`Instant`], seeds and ids are arguments. The code that a browser needs works on
//! JSON text and contains neither serde nor floats; the typed kinds ([`kind`]) and the JSON Schema sit behind the
//! features `serde` (default) and `schema`.

//!
//! # Reading events
//!
//! A frame is read from text and borrows what it holds; an event is applied by its effects alone.
//!
//! ```
//! use otter_proto::event::RecordedEvent;
//! use otter_proto::frame::HubFrame;
//! use otter_proto::state::ScopeState;
//!
//! let text = r#"{"type":"events","scope":"org","epoch":"e1","events":[{"seq":7,"prev":0,"id":"ev_7",
//!     "at":"2026-11-22T14:00:00.123Z","scope":"org","kind":"task.upserted","source":{"type":"hub"},
//!     "effects":[{"op":"put","entity":"task/in_1:t"}],"data":{"title":"Ship it"}}]}"#;
//! let HubFrame::Events(frame) = HubFrame::decode(text)? else { panic!("another frame") };
//! let mut state = ScopeState::new();
//! for text in frame.events {
//!     state.apply(&RecordedEvent::parse(text)?);
//! }
//! let (key, entity) = state.live().next().expect("one row");
//! assert_eq!((key.as_str(), entity.text.as_str()), ("task/in_1:t", r#"{"title":"Ship it"}"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`connection::client::ClientConnection`] does the rest: positions, holes, snapshots, acknowledgements, reconnects. Readers that want the payload typed use
//! [`event::TypedEvent`]. Programs in other languages start at `schemas/README.md` and `docs/protocol.md`.
//!
//! # Checking data
//!
//! The hub checks what is published once, at its door, with [`kind::check_event`]; the error names the member as a JSON pointer.
//!
//! ```
//! use otter_proto::kind::check_event;
//!
//! let refused = check_event("run.completed", r#"{"endedAt":"2026-11-22T14:00:00.123Z","state":"failed"}"#);
//! assert_eq!(refused.expect("a known kind").expect_err("refused").pointer, "/state");
//! assert!(check_event("run.teleported", "{}").is_none(), "not a kind of this release");
//! ```
//!
//! Whether a program's own output keeps the contract is checked in its tests with `schemas/v1/otter.strict.schema.json`.
//!
//! # Adding a kind
//!
//! Each step has the test that fails when it is forgotten.
//!
//! | step | forgotten, this fails |
//! |---|---|
//! | its payload as a struct in `kind/`, a comment on every member | `every_member_has_words_a_limit_and_a_unit` |
//! | a row in `kind/payloads.rs` | `catalogue_and_payloads_name_the_same_kinds` |
//! | a row in `catalogue/rows.rs`; a new entity type there, too | `catalogue_and_payloads_name_the_same_kinds`, `every_kind_writes_a_known_entity_type_and_names_are_unique` |
//! | limits and fixed words in `kind/rules.rs`, when it has some | the hub's `an_event_that_breaks_the_contract_is_refused_with_its_code_and_pointer` |
//! | a unit for each new integer in `schema/limits.rs` | `every_member_has_words_a_limit_and_a_unit` |
//! | `cargo xtask schemas` | `generated_files_have_not_drifted` |
//! | a fixture in `fixtures/valid/event` (a new type: in `entity`) | `every_kind_has_a_fixture_that_passes_the_door`, `cargo xtask schemas check` |
//! | one that is refused in `fixtures/invalid/event`, when instances publish it | `cargo xtask schemas check` |
//! | its snapshot (`INSTA_UPDATE=always`) | `every_kind_has_a_fixture_that_passes_the_door` |
//!
//! The types of the npm client follow by themselves: `cargo xtask schemas` writes the maps from which `on`, `command`, `entity` and
//! `signal` are typed.
//!
//! A new command takes the same steps with `command` for `event`, and its arm in the hub's `ledger/command`, without which its
//! `the_hub_knows_what_to_do_with_every_command_of_the_catalogue` fails. What may change about an old kind is in
//! `docs/versioning.md`; `cargo xtask schemas check` compares with the last release.

pub mod catalogue;
pub mod connection;
pub mod effect;
pub mod error;
pub mod event;
pub mod frame;
pub mod hash;
pub mod id;
pub mod limits;
pub mod overlay;
pub mod predict;
pub mod slots;
pub mod state;
pub mod text;
mod time;
pub mod wire;

#[cfg(feature = "serde")]
pub mod kind;

#[cfg(feature = "serde")]
pub mod publish;

#[cfg(feature = "schema")]
pub mod schema;

pub use time::{Instant, UnixMillis};
