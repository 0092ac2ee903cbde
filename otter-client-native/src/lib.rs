//! The native client of Otter and the bridge that joins an OpenClaw gateway to a hub.
//!
//! [`Client`] is a cheap handle to one task that stays connected to a hub. What it publishes is on disk before the
//! call returns and reaches the hub exactly once; what people ask of it goes to a [`CommandHandler`], at most once
//! unless repeating is safe.
//!
//! ```no_run
//! use otter_client_native::{Client, CommandOutcome, CommandRequest};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("wss://hub.example/ws/openclaw")
//!     .token("the token that `otter-server instance add` printed")
//!     .state_dir("/var/lib/my-integration")
//!     .handler(|_client: Client, request: CommandRequest| async move {
//!         CommandOutcome::unsupported(&request.kind)
//!     })
//!     .start()?;
//! println!("connected as {}", client.principal().await?.id);
//! # Ok(())
//! # }
//! ```
//!
//! # What an integrator looks after
//!
//! **Dead letters.** What the hub refuses for good is kept, the newest 10,000 of it, and logged as a warning. Correct the
//! program and publish the fact again under the same entity id; or, where only the hub was too old for it, queue the
//! letters again after its upgrade.
//!
//! **Restatements.** After a lost disk, or a hub restored from a backup, events may be missing at the hub that no outbox
//! has any more: everything observed has to be published again, in the transaction that says so. Without a handler
//! [`ClientBuilder::start_with_events`] tells of both as they happen.
//!
//! ```no_run
//! use otter_client_native::{Client, EventDraft, StoreError};
//!
//! # fn everything() -> Vec<EventDraft> { Vec::new() }
//! # async fn example(client: Client) -> Result<(), StoreError> {
//! for letter in client.store().dead_letters()? {
//!     eprintln!("{}: {} at {:?}", letter.id, letter.code, letter.pointer);
//! }
//! let _again: usize = client.store().run(|tx| tx.requeue_dead_letters()).await?;
//!
//! for (lane, _reason) in client.store().to_restate()? {
//!     let events = everything(); // of this lane
//!     let restated = client.store().run(move |tx| {
//!         for event in &events {
//!             tx.append(event.event())?;
//!         }
//!         tx.restated(lane)
//!     });
//!     restated.await?;
//! }
//! # Ok(())
//! # }
//! ```

pub mod bridge;
mod client;
mod draft;
mod driver;
mod error;
mod events;
mod handler;
mod ids;
mod journal;
pub mod openclaw;
mod outbox;
pub mod policy;
mod state_dir;
mod store;
mod subscription;
pub mod transport;

pub use client::{Client, ClientBuilder, ClientStatus, CommandHandle};
pub use draft::EventDraft;
pub use error::{AppendError, Closed, FlushError, NotLive, NotWelcome, PublishError, StartError, StoreError};
pub use events::{ClientEvent, ScopeUpdate};
pub use handler::{CommandHandler, CommandOutcome, CommandRequest, HandlerFuture};
pub use journal::{CommandEnd, JournalRow, JournalStage};
pub use outbox::{Appended, DeadLetter};
pub use state_dir::{StateDir, StateDirError};
pub use store::{Depth, Store, StoreTx};
pub use subscription::Subscription;
