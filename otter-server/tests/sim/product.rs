//! What people do besides writing: they decide, keep lists of tasks, pin and read. And a gateway that asks them.

use std::collections::BTreeMap;

use otter_proto::connection::client::ClientConnection;
use otter_proto::event::RecordedEvent;
use otter_proto::frame::CommandDispatch;
use otter_proto::id::{CommandId, Scope};
use otter_proto::text::member_word;
use otter_proto::wire::Json;
use otter_server::log::Reader;
use otter_server::store::ListAsk;

use crate::hub::org;
use crate::instance::Instance;
use crate::rng::Rng;
use crate::world::World;

const RESOLVED: &str = "\"resolvedAt\":\"2026-11-22T14:00:02.123Z\"";

/// The gateway's own record of what it asked: the truth about how each question ended.
#[derive(Debug, Default)]
pub(crate) struct Questions(BTreeMap<String, Option<&'static str>>);

impl Instance {
    /// The agent asks before it runs something.
    pub(crate) fn asks(&mut self, rng: &mut Rng) {
        let (id, question) = (self.id.clone(), format!("{}:a{}", self.id, self.questions.0.len()));
        let data = format!(
            "{{\"allowedDecisions\":[\"allow-once\",\"deny\"],\"command\":\"rm\",\"conversationId\":\"{id}:c0\",\"instanceId\":\"{id}\",\"requestedAt\":\"2026-11-22T14:00:01.123Z\",\"state\":\"pending\"}}"
        );
        self.happens(Self::fact("approval.requested", &question, false, None, data), rng);
        self.questions.0.insert(question, None);
    }

    /// The gateway stops waiting for one that nobody answered in time.
    pub(crate) fn stops_waiting(&mut self, rng: &mut Rng) {
        let open: Vec<String> =
            self.questions.0.iter().filter(|(_, end)| end.is_none()).map(|(id, _)| id.clone()).collect();
        if open.is_empty() {
            return;
        }
        let question = rng.pick(&open).clone();
        let data = format!("{{{RESOLVED},\"state\":\"expired\"}}");
        self.happens(Self::fact("approval.expired", &question, false, None, data), rng);
        self.questions.0.insert(question, Some("expired"));
    }

    /// A decision arrives. Whether the gateway still waits, only it knows; what it knows is told before the answer.
    pub(crate) fn decided(&mut self, command: &CommandDispatch, rng: &mut Rng) {
        let question = member_word(command.data.as_str(), "approvalId").unwrap_or_default().to_owned();
        let stage = if self.questions.0.get(&question) == Some(&None) {
            let data = format!("{{\"outcome\":\"denied\",{RESOLVED},\"state\":\"resolved\"}}");
            self.happens(Self::fact("approval.resolved", &question, false, Some(&command.id), data), rng);
            self.questions.0.insert(question, Some("resolved"));
            "{\"stage\":\"completed\"}"
        } else {
            "{\"error\":{\"code\":\"expired\",\"message\":\"the gateway does not wait any more\"},\"stage\":\"failed\"}"
        };
        let ended =
            Self::fact("command.updated", command.id.as_str(), false, Some(&command.id), stage.to_owned());
        self.happens(ended, rng);
    }

    /// Every question ended as the gateway says, after one decision at a time.
    pub(crate) fn judge_questions(&self, name: &str, reader: &Reader) {
        let ask = ListAsk { entity_type: "approval", before: None, limit: usize::MAX, max_bytes: usize::MAX };
        let rows = reader.list_page(&org(), &Scope::Org, ask).unwrap().rows;
        for (question, end) in &self.questions.0 {
            let row = rows.iter().find(|row| row.key.id() == question);
            let row = row.unwrap_or_else(|| panic!("{name}: {question} is not in the log"));
            let state = member_word(&row.row.text, "state").unwrap();
            match end {
                Some(end) => assert_eq!(state, *end, "{name}: {question} ended otherwise at the gateway"),
                None => assert_eq!(state, "pending", "{name}: {question} waits at the gateway"),
            }
        }
        let mut states: BTreeMap<String, String> = BTreeMap::new();
        for (_, text) in reader.events_after(&org(), &Scope::Org, 0, usize::MAX).unwrap().events {
            let event = RecordedEvent::parse(&text).unwrap();
            let Some(after) = event.kind.strip_prefix("approval.") else { continue };
            let Some(effect) = event.effects.first() else { continue };
            let before = states.insert(effect.entity.id().to_owned(), after.to_owned());
            let fits = match after {
                "requested" => before.is_none(),
                "decided" => matches!(before.as_deref(), Some("requested" | "reopened")),
                "reopened" => before.as_deref() == Some("decided"),
                _ => matches!(before.as_deref(), Some("requested" | "decided" | "reopened")),
            };
            assert!(fits, "{name}: {after} of {} after {before:?}", effect.entity);
        }
    }
}

impl World {
    /// A person does something with the rows that their browser shows.
    pub(crate) fn member_uses_the_product(&mut self, at: usize, conversation: &str, id: CommandId) {
        let now = self.instant();
        let what = self.rng.range(0, 6);
        let number = self.rng.range(1, 30);
        let flag = self.rng.one_in(2);
        let client = &mut self.clients[at];
        let Some(machine) = &mut client.machine else { return };
        let (kind, data) = match what {
            0 | 1 => match shown(machine, "approval", "state", "pending") {
                Some((approval, rev)) => (
                    "approval.decide",
                    format!("{{\"approvalId\":\"{approval}\",\"decision\":\"deny\",\"rev\":{rev}}}"),
                ),
                None => return,
            },
            2 => (
                "conversation.update",
                format!("{{\"conversationId\":\"{conversation}\",\"pinned\":{flag}}}"),
            ),
            3 => (
                "conversation.markRead",
                format!("{{\"conversationId\":\"{conversation}\",\"messageCount\":{number}}}"),
            ),
            4 | 5 => match shown(machine, "feedItem", "category", "email") {
                Some((item, _)) if what == 4 => {
                    ("feed.archive", format!("{{\"archived\":{flag},\"itemIds\":[\"{item}\"]}}"))
                }
                Some((item, _)) => ("feed.markRead", format!("{{\"itemIds\":[\"{item}\"]}}")),
                None => return,
            },
            _ => match shown(machine, "task", "status", "todo") {
                Some((task, _)) if flag => {
                    ("task.update", format!("{{\"taskId\":\"{task}\",\"title\":\"again {number}\"}}"))
                }
                _ => ("task.create", format!("{{\"title\":\"do {number}\"}}")),
            },
        };
        if kind == "approval.decide" {
            // It may be called off, which opens the question again.
            client.commands.insert(id.clone(), data.clone());
        }
        machine.command(id, kind, Json::trusted(data), now);
    }
}

/// A row that a person sees, with the rev they saw.
fn shown(machine: &ClientConnection, entity_type: &str, member: &str, word: &str) -> Option<(String, u64)> {
    let rows = machine.state(&Scope::Org)?.live();
    rows.filter(|(key, _)| key.entity_type() == entity_type)
        .find(|(_, entity)| member_word(&entity.text, member) == Some(word))
        .map(|(key, entity)| (key.id().to_owned(), entity.rev))
}
