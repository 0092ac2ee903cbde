//! The past of a conversation, up to thousands of rows.

use std::fmt::Write as _;

use anyhow::Result;
use otter_client_native::EventDraft;
use otter_proto::UnixMillis;
use serde_json::{Value, json};

use super::room::Room;
use super::{Machine, draft};
use crate::script::Line;

/// Events of one local transaction.
const CHUNK: usize = 200;
/// Rows of the past lie so far apart, and conversations are so much older than each other, in milliseconds.
const APART_MS: u64 = 240_000;
const OLDER_MS: u64 = 1_140_000;

impl Machine {
    /// Publishes what was said before, each row after the one before it. Their ids never change, so that telling it
    /// again changes nothing.
    pub(super) async fn tell_past(&self, room: &Room, now: UnixMillis) -> Result<()> {
        let rows = self.past(room);
        let count = rows.len() as u64;
        let words: u64 = room.conversation.title.split(' ').map(|word| word.len() as u64).sum();
        let last = now.0.saturating_sub(words % 13 * OLDER_MS);
        let mut events: Vec<EventDraft> = Vec::new();
        let mut after: Option<String> = None;
        for (at, (author, text)) in (0_u64..).zip(rows) {
            let id = format!("{}:past-{at}", room.id);
            let sent_at = UnixMillis(last.saturating_sub((count - at) * APART_MS)).to_string();
            let mut data = json!({
                "conversationId": room.id, "author": author, "text": text, "status": "complete", "sentAt": sent_at,
            });
            if let Some(after) = after.replace(id.clone()) {
                data["after"] = after.into();
            }
            events.push(draft("message.created", &id, Some(&room.id), &data)?);
            if events.len() == CHUNK {
                self.client.publish_all(std::mem::take(&mut events)).await?;
            }
        }
        self.client.publish_all(events).await?;
        Ok(())
    }

    /// Authors and texts, oldest first.
    fn past(&self, room: &Room) -> Vec<(Value, String)> {
        let person = || json!({ "type": "external", "name": "You, earlier" });
        let agent = || json!({ "type": "agent", "id": self.agent(room.agent), "name": room.agent.name });
        let mut rows = Vec::new();
        for line in room.conversation.past {
            match line {
                Line::Person(text) => rows.push((person(), (*text).to_owned())),
                Line::Agent(text) => rows.push((agent(), (*text).to_owned())),
                Line::Log(count) => {
                    for n in 0..*count {
                        rows.push(if n % 9 == 0 { (person(), asked(n)) } else { (agent(), built(n)) });
                    }
                }
                Line::LongLog => rows.push((agent(), long_log())),
            }
        }
        rows
    }
}

fn asked(n: u64) -> String {
    let questions = ["How is the build?", "Anything new?", "Why did the last one take so long?", "And now?"];
    let question =
        questions.get(usize::try_from(n / 9).unwrap_or(0) % questions.len()).copied().unwrap_or_default();
    question.to_owned()
}

fn built(n: u64) -> String {
    let seconds = 400 + n * 37 % 260;
    match n % 7 {
        0 => {
            format!("Build {n} **failed** after {seconds} s: `checkout::totals` expects 1,200 and got 1,199.")
        }
        3 => {
            format!("Build {n} is green in {seconds} s.\n\n- 214 crates\n- 1,204 tests\n- {} warnings", n % 5)
        }
        _ => format!("Build {n} is green in {seconds} s."),
    }
}

/// Longer than a row may be: browsers get its head and fetch the whole when somebody wants it.
fn long_log() -> String {
    let mut log = String::from("The whole log of the build that failed, as you asked:\n\n```text\n");
    for n in 0..1_800 {
        let (s, cs) = (n * 31 / 100, n * 31 % 100);
        let _ = writeln!(log, "[{s:>5}.{cs:02}s] compiling crate-{n:04} v0.{}.{} (registry)", n % 17, n % 23);
    }
    log + "error[E0308]: mismatched types in checkout/src/totals.rs:118\n```\n"
}
