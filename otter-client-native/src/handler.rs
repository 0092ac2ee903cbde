//! The integrator's hook: carries out the commands that people give to an instance.

use std::future::Future;
use std::pin::Pin;

use otter_proto::id::CommandId;
use serde_json::Value;

use crate::client::Client;

/// A command to carry out.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRequest {
    /// Its id: the idempotency key for whatever it leads to.
    pub id: CommandId,
    /// Its kind, for instance `message.send`.
    pub kind: String,
    /// What the kind carries.
    pub data: Value,
    /// Who asked: `{type, id, name}`.
    pub by: Value,
    /// It was begun earlier and its end is not known: find out before doing it again.
    pub again: bool,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Done; the word says more, for instance `alreadyEnded`.
    Completed(Option<String>),
    /// Tried, and failed.
    Failed {
        /// A word for programs.
        code: String,
        /// A sentence that says what to do.
        message: String,
    },
    /// Not tried: this instance does not do it.
    Rejected {
        /// A word for programs.
        code: String,
        /// A sentence that says what to do.
        message: String,
    },
    /// It may or may not have happened.
    Unknown,
}

impl CommandOutcome {
    /// Done.
    pub const fn completed() -> Self {
        Self::Completed(None)
    }

    /// Done, with an answer for people. At most 256 KiB of it, as JSON, are kept; the command's row shows the head.
    pub fn answered(text: impl Into<String>) -> Self {
        Self::Completed(Some(text.into()))
    }

    /// Not a command this instance knows.
    pub fn unsupported(kind: &str) -> Self {
        Self::Rejected {
            code: "unsupported".to_owned(),
            message: format!("this instance does not carry out `{kind}`"),
        }
    }
}

/// A future of a handler.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = CommandOutcome> + Send + 'a>>;

/// Carries out commands. Every asynchronous function from a client and a request to an outcome is one.
///
/// It is called once per command, and again with [`CommandRequest::again`] after a crash when the command is of a
/// kind that may be repeated; any other one ends as `outcomeUnknown` instead.
pub trait CommandHandler: Send + Sync + 'static {
    /// Carries out one command. Up to 16 run at once. One that panics ends as `outcomeUnknown`; one that is not done ten
    /// seconds after [`Client::shutdown`] is stopped, and begun again or called unknown at the next start.
    fn handle(&self, client: Client, request: CommandRequest) -> HandlerFuture<'_>;
}

impl<F, T> CommandHandler for F
where
    F: Fn(Client, CommandRequest) -> T + Send + Sync + 'static,
    T: Future<Output = CommandOutcome> + Send + 'static,
{
    fn handle(&self, client: Client, request: CommandRequest) -> HandlerFuture<'_> {
        Box::pin(self(client, request))
    }
}
