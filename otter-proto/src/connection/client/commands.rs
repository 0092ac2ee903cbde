//! The commands of this client: sent again until they are answered, and followed until they end.

use crate::Instant;
use crate::connection::client::event::CommandState;
use crate::error::{ErrorBody, ErrorCode};
use crate::frame::{Command, Reply};
use crate::id::CommandId;
use crate::limits::Limits;
use crate::text;
use crate::wire::Json;

/// The open and refused commands, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Commands {
    entries: Vec<Entry>,
    tokens: u64,
    refilled: Instant,
    interval_ms: u64,
    /// The longest message that the hub takes; `None` before it said so.
    frame_bytes: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    command: Command,
    state: CommandState,
    /// It has to go out, not before `not_before`.
    queued: bool,
    not_before: Instant,
    tries: u32,
    /// It only says what was read or put away: nobody waits for it, there may be many, and its order among others says
    /// nothing.
    mark: bool,
}

impl Entry {
    fn new(command: Command, state: CommandState, queued: bool, not_before: Instant) -> Self {
        let mark = command.kind.ends_with(".markRead") || command.kind == "feed.archive";
        Self { command, state, queued, not_before, tries: 0, mark }
    }

    fn is_unanswered(&self) -> bool {
        matches!(self.state, CommandState::Held | CommandState::Sent)
    }

    fn is_refused(&self) -> bool {
        matches!(self.state, CommandState::Refused(_))
    }
}

/// What a reply means for its command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing: it is not open here, or it will be asked again.
    None,
    /// On the hub's disk.
    Accepted,
    /// Refused for good.
    Refused(ErrorBody),
}

/// A stage that was not known before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) state: CommandState,
    /// The data of a command that had no answer until now.
    pub(super) unanswered: Option<Json>,
}

impl Commands {
    /// Takes a new command. An error is its immediate refusal.
    pub(super) fn add(&mut self, command: Command, now: Instant) -> Result<(), ErrorBody> {
        self.fits(&command)?;
        let entry = Entry::new(command, CommandState::Held, true, now);
        let open = self.entries.iter().filter(|open| open.is_unanswered() && open.mark == entry.mark);
        if open.count() >= MAX_UNANSWERED {
            let words = "too many commands wait for an answer; try again when some are answered";
            return Err(ErrorBody::retryable(ErrorCode::TooManyOpen, words));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Whether a message can hold the command. The hub closes the connection for good over one that is too long, so
    /// it must not go out.
    pub(super) fn fits(&self, command: &Command) -> Result<(), ErrorBody> {
        let most = self.frame_bytes.unwrap_or(Limits::V1.frame_bytes);
        let said = command.id.as_str().len() + command.kind.len() + command.data.as_str().len();
        if (AROUND.len() + said) as u64 <= most {
            return Ok(());
        }
        let mut words = String::from("a command has at most ");
        text::write_u64(&mut words, most);
        words.push_str(" bytes in all");
        Err(ErrorBody::new(ErrorCode::TooLarge, words))
    }

    /// Refuses a command that was waiting.
    pub(super) fn refuse(&mut self, id: &CommandId, error: ErrorBody) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.command.id == *id) {
            entry.state = CommandState::Refused(error);
        }
    }

    /// Keeps a command that this client itself refuses, for `retry` and `dismiss`, or one that was accepted before, which
    /// is asked again: the hub may have lost it.
    pub(super) fn keep(&mut self, command: Command, state: CommandState, now: Instant) {
        let queued = matches!(state, CommandState::Accepted);
        self.entries.push(Entry::new(command, state, queued, now));
    }

    /// A new connection: every unanswered command goes out again, at most so many per minute.
    pub(super) fn welcomed(&mut self, limits: &Limits, now: Instant) {
        self.frame_bytes = Some(limits.frame_bytes);
        let half = (limits.commands_per_minute / 2).max(1);
        (self.tokens, self.refilled, self.interval_ms) = (half, now, 60_000 / half);
        self.entries.iter_mut().filter(|entry| entry.is_unanswered()).for_each(|entry| entry.queued = true);
    }

    /// The hub may have lost what it had accepted: every command not seen to end is asked again.
    pub(super) fn epoch_changed(&mut self) {
        self.entries.iter_mut().filter(|entry| !entry.is_refused()).for_each(|entry| entry.queued = true);
    }

    /// The next command to send, and whether this is the first time: the oldest that is due, marks after all others.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<(Command, bool)> {
        let half = 60_000_u64.checked_div(self.interval_ms)?;
        let gained = now.since(self.refilled).checked_div(self.interval_ms)?;
        self.tokens = self.tokens.saturating_add(gained).min(half);
        self.refilled = self.refilled.plus(gained * self.interval_ms);
        let due = |mark: bool| {
            let is_due = |entry: &Entry| entry.queued && entry.not_before <= now && entry.mark == mark;
            self.entries.iter().position(is_due)
        };
        let at = due(false).or_else(|| due(true))?;
        let entry = self.entries.get_mut(at)?;
        if self.tokens < tokens_for(entry, half) {
            return None;
        }
        entry.queued = false;
        let first = entry.state == CommandState::Held;
        if first {
            entry.state = CommandState::Sent;
        }
        self.tokens -= 1;
        Some((entry.command.clone(), first))
    }

    /// When [`Commands::next_due`] has something again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let half = 60_000_u64.checked_div(self.interval_ms).unwrap_or_default();
        let due = |entry: &Entry| {
            let lacking = tokens_for(entry, half).saturating_sub(self.tokens);
            entry.not_before.max(self.refilled.plus(lacking * self.interval_ms))
        };
        self.entries.iter().filter(|entry| entry.queued).map(due).min()
    }

    /// A reply, matched by its id alone: the same id gets the same answer on every connection.
    pub(super) fn replied(&mut self, reply: &Reply, now: Instant) -> Answer {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.command.id == reply.id) else {
            return if reply.accepted.is_some() { Answer::Accepted } else { Answer::None };
        };
        entry.queued = false;
        if reply.accepted.is_some() {
            if entry.is_unanswered() {
                entry.state = CommandState::Accepted;
            }
            return Answer::Accepted;
        }
        let Some(error) = reply.refused.clone() else { return Answer::None };
        let passing = matches!(
            error.code,
            ErrorCode::RateLimited | ErrorCode::Overloaded | ErrorCode::Unavailable | ErrorCode::StorageFull
        );
        if passing && error.retryable && entry.tries < MAX_TRIES {
            entry.tries += 1;
            entry.queued = true;
            entry.not_before = now.plus(error.retry_after_ms.unwrap_or(1_000 << entry.tries));
            return Answer::None;
        }
        entry.state = CommandState::Refused(error.clone());
        Answer::Refused(error)
    }

    /// The command's entity, as the hub has it; `None` when it is not news.
    pub(super) fn entity(&mut self, id: &CommandId, entity: &str) -> Option<News> {
        let at = self.entries.iter().position(|entry| entry.command.id == *id)?;
        let stage = text::member_word(entity, "stage")?.to_owned();
        let ended = is_final(&stage);
        let reached = CommandState::Stage { stage, entity: entity.to_owned() };
        let entry = self.entries.get_mut(at).filter(|entry| entry.state != reached)?;
        let unanswered = entry.is_unanswered().then(|| entry.command.data.clone());
        entry.state = reached.clone();
        entry.queued = false;
        if ended {
            self.entries.remove(at);
        }
        Some(News { state: reached, unanswered })
    }

    /// Takes a refused command away, to dismiss it or to give it again under another id.
    pub(super) fn take_refused(&mut self, id: &CommandId) -> Option<(String, Json)> {
        let at = self.entries.iter().position(|entry| entry.command.id == *id && entry.is_refused())?;
        let entry = self.entries.remove(at);
        Some((entry.command.kind, entry.command.data))
    }

    /// The oldest refused and followed commands beyond what is kept.
    pub(super) fn overflow(&mut self) -> Vec<CommandId> {
        let mut gone = self.drop_oldest(MAX_REFUSED, &Entry::is_refused);
        gone.extend(self.drop_oldest(MAX_FOLLOWED, &|entry| !entry.is_refused() && !entry.is_unanswered()));
        gone
    }

    /// Drops every command that was not answered; returns them.
    pub(super) fn clear(&mut self) -> Vec<CommandId> {
        std::mem::take(&mut self.entries).into_iter().map(|entry| entry.command.id).collect()
    }

    /// The commands without an answer and those that were refused, with why, in the order in which they were given.
    pub(super) fn predictable(&self) -> Vec<(Command, Option<ErrorBody>)> {
        let of = |entry: &Entry| match &entry.state {
            CommandState::Held | CommandState::Sent => Some((entry.command.clone(), None)),
            CommandState::Refused(error) => Some((entry.command.clone(), Some(error.clone()))),
            CommandState::Accepted | CommandState::Stage { .. } => None,
        };
        self.entries.iter().filter_map(of).collect()
    }

    /// The state of a command that is open or refused.
    pub(super) fn state(&self, id: &CommandId) -> Option<&CommandState> {
        self.entries.iter().find(|entry| entry.command.id == *id).map(|entry| &entry.state)
    }

    fn drop_oldest(&mut self, most: usize, which: &dyn Fn(&Entry) -> bool) -> Vec<CommandId> {
        let mut gone = Vec::new();
        while self.entries.iter().filter(|entry| which(entry)).count() > most {
            let Some(at) = self.entries.iter().position(which) else { break };
            gone.push(self.entries.remove(at).command.id);
        }
        gone
    }
}

/// How many of the `half` of a minute's commands have to be left for this one to go: marks leave some to the others.
fn tokens_for(entry: &Entry, half: u64) -> u64 {
    if entry.mark { half / 4 + 1 } else { 1 }
}

/// Whether nothing follows a stage.
fn is_final(stage: &str) -> bool {
    !matches!(stage, "accepted" | "received" | "started")
}

/// Commands that may wait for an answer, and as many marks.
const MAX_UNANSWERED: usize = 200;
/// Refused commands kept until they are retried or dismissed.
const MAX_REFUSED: usize = 200;
/// Accepted commands whose end is awaited.
const MAX_FOLLOWED: usize = 256;
/// How often a command that met a passing error is sent again.
const MAX_TRIES: u32 = 5;
/// What a frame says beyond the members of its command.
const AROUND: &str = r#"{"type":"command","id":"","kind":"","data":}"#;
