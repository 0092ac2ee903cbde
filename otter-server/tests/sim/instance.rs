//! An instance: the real publisher over an outbox in memory, and a gateway that makes facts.

use std::collections::BTreeSet;
use std::sync::Arc;

use otter_proto::UnixMillis;
use otter_proto::connection::client::{ConnectionEvent, Phase};
use otter_proto::event::{NewEvent, RecordedEvent};
use otter_proto::frame::{CommandDispatch, Lane};
use otter_proto::id::{BootId, CommandId, ConversationId, EntityId, EntityKey, EventId, InstanceId, Scope};
use otter_proto::kind::CommandStage;
use otter_proto::limits::Limits;
use otter_proto::publish::{Boots, MemoryOutbox, PublishNews, Publisher};
use otter_proto::text::{member_word, write_string};
use otter_proto::wire::Json;
use otter_server::log::Reader;
use otter_server::store::ListAsk;

use crate::client::{Part, conversation};
use crate::hub::org;
use crate::mutants::Mutant;
use crate::product::Questions;
use crate::rng::Rng;
use crate::stream::Writing;
use crate::world::World;

/// What the gateway knows: it can be observed again at any time.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    kind: &'static str,
    subject: String,
    in_conversation: bool,
    caused_by: Option<CommandId>,
    data: String,
}

pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) questions: Questions,
    /// Answers that its gateway is writing.
    pub(crate) writings: Vec<Writing>,
    outbox: MemoryOutbox,
    boots: Boots,
    /// Commands on the disk of the instance.
    journal: BTreeSet<CommandId>,
    /// What its gateway was ever asked to do.
    carried_out: BTreeSet<CommandId>,
    /// What happened so far, oldest first.
    facts: Vec<Fact>,
    /// Gone with the process.
    publisher: Publisher,
    runs: u64,
    /// The disk went back in time, and what was observed with it: the gateway is read again.
    reread: bool,
}

impl Instance {
    pub(crate) fn new(id: &str) -> Self {
        let instance = InstanceId::new(id).unwrap();
        let mut new = Self {
            id: instance.to_string(),
            questions: Questions::default(),
            writings: Vec::new(),
            outbox: MemoryOutbox::default(),
            boots: Boots::default(),
            journal: BTreeSet::new(),
            carried_out: BTreeSet::new(),
            facts: Vec::new(),
            publisher: Publisher::new(),
            runs: 0,
            reread: true,
        };
        let data = format!(
            "{{\"address\":{{\"kind\":\"session\",\"sessionKey\":\"main\"}},\"agentId\":\"{id}:main\",\"instanceId\":\"{id}\"}}"
        );
        let agent = format!("{{\"instanceId\":\"{id}\",\"name\":\"Main\"}}");
        new.facts.push(Self::fact("agent.upserted", &format!("{id}:main"), false, None, agent));
        new.facts.push(Self::fact("conversation.upserted", &format!("{id}:c0"), false, None, data));
        new
    }

    /// A process start. What was observed and lost with the disk is observed again.
    pub(crate) fn boot(&mut self, run: u64, rng: &mut Rng) -> Vec<BootId> {
        self.outbox.open();
        if std::mem::take(&mut self.reread) {
            for fact in self.facts.clone() {
                self.observe(&fact, rng);
            }
        }
        self.boots.start(BootId::new(&format!("b{run}")).unwrap());
        self.boots.ids()
    }

    pub(crate) fn crash(&mut self, mutant: Option<Mutant>) {
        self.publisher = Publisher::new();
        match mutant {
            Some(Mutant::RunsTwice) => self.journal.clear(),
            Some(Mutant::LosesObserved) => self.outbox.lose_tail(Lane::Main, 2),
            _ => {}
        }
    }

    pub(crate) fn fact(
        kind: &'static str,
        subject: &str,
        in_conversation: bool,
        caused_by: Option<&CommandId>,
        data: String,
    ) -> Fact {
        Fact { kind, subject: subject.to_owned(), in_conversation, caused_by: caused_by.cloned(), data }
    }

    fn observe(&mut self, fact: &Fact, rng: &mut Rng) {
        let event = NewEvent {
            id: EventId::new(&format!("ev-{:016x}", rng.next())).unwrap(),
            kind: fact.kind.to_owned(),
            subject: EntityId::new(&fact.subject).unwrap(),
            conversation: fact
                .in_conversation
                .then(|| ConversationId::new(&format!("{}:c0", self.id)).unwrap()),
            caused_by: fact.caused_by.clone(),
            observed_at: None,
            data: Json::trusted(fact.data.clone()),
            effects: None,
        };
        self.outbox.append(&event);
        self.publisher.handle_appended();
    }

    pub(crate) fn happens(&mut self, fact: Fact, rng: &mut Rng) {
        self.observe(&fact, rng);
        self.facts.push(fact);
    }

    pub(crate) fn next_run(&mut self) -> String {
        self.runs += 1;
        format!("{}:r{}", self.id, self.runs)
    }

    pub(crate) fn run_started(&mut self, run: &str, rng: &mut Rng) {
        let id = &self.id;
        let started = format!(
            "{{\"agentId\":\"{id}:main\",\"conversationId\":\"{id}:c0\",\"startedAt\":\"2026-11-22T14:00:00.123Z\",\"state\":\"running\"}}"
        );
        self.happens(Self::fact("run.started", run, true, None, started), rng);
    }

    pub(crate) fn answered(&mut self, run: &str, text: &str, status: &str, rng: &mut Rng) {
        let mut answer = format!(
            "{{\"author\":{{\"type\":\"agent\"}},\"conversationId\":\"{}:c0\",\"runId\":\"{run}\",\"status\":\"{status}\",\"text\":",
            self.id
        );
        write_string(&mut answer, text);
        answer.push('}');
        self.happens(Self::fact("message.created", &format!("{run}:answer"), true, None, answer), rng);
    }

    /// An agent's turn at once: three facts in one transaction.
    fn turn(&mut self, rng: &mut Rng) {
        let run = self.next_run();
        self.run_started(&run, rng);
        self.answered(&run, &format!("answer {run}"), "complete", rng);
        let completed = "{\"endedAt\":\"2026-11-22T14:00:01.123Z\",\"state\":\"completed\"}".to_owned();
        self.happens(Self::fact("run.completed", &run, true, None, completed), rng);
    }

    /// Somebody mails.
    fn mail(&mut self, rng: &mut Rng) {
        let item = format!("{}:f{:04x}", self.id, rng.range(0, 0xffff));
        if self.facts.iter().any(|fact| fact.subject == item) {
            return;
        }
        let data = "{\"category\":\"email\",\"occurredAt\":\"2026-11-22T14:00:01.123Z\",\"title\":\"hello\"}"
            .to_owned();
        self.happens(Self::fact("feed.itemAdded", &item, false, None, data), rng);
    }

    /// What the gateway says of its session, on the other lane.
    fn session(&mut self, rng: &mut Rng) {
        let id = self.id.clone();
        let data = format!(
            "{{\"agentId\":\"{id}:main\",\"contextLimit\":{},\"conversationId\":\"{id}:c0\",\"instanceId\":\"{id}\",\"key\":\"main\",\"status\":\"done\"}}",
            rng.range(1, 100)
        );
        self.happens(Self::fact("session.upserted", &format!("{id}:c0"), false, None, data), rng);
    }

    /// A command arrives, perhaps again: it is carried out once.
    fn dispatched(&mut self, command: &CommandDispatch, rng: &mut Rng) {
        let delivered = format!("{}:{}:user", self.id, command.id);
        let first = self.journal.insert(command.id.clone());
        if first {
            let is_new = self.carried_out.insert(command.id.clone());
            assert!(is_new, "{}: {} is carried out a second time", self.id, command.id);
        }
        if first && command.cancel {
            self.happens(
                Self::fact(
                    "command.updated",
                    command.id.as_str(),
                    false,
                    Some(&command.id),
                    "{\"stage\":\"cancelled\"}".to_owned(),
                ),
                rng,
            );
            return;
        }
        if first && command.kind == "approval.decide" {
            self.decided(command, rng);
        } else if first {
            let delivery = "{\"delivery\":{\"state\":\"delivered\"}}".to_owned();
            self.happens(
                Self::fact("message.deliveryChanged", &delivered, true, Some(&command.id), delivery),
                rng,
            );
            self.happens(
                Self::fact(
                    "command.updated",
                    command.id.as_str(),
                    false,
                    Some(&command.id),
                    "{\"stage\":\"completed\"}".to_owned(),
                ),
                rng,
            );
        } else {
            // The hub asks again for what it has forgotten: the answer is known and said again.
            let known: Vec<Fact> = self
                .facts
                .iter()
                .filter(|fact| fact.caused_by.as_ref() == Some(&command.id))
                .cloned()
                .collect();
            for fact in &known {
                self.observe(fact, rng);
            }
        }
    }

    /// Everything the gateway knows is in the log, each new thing once.
    pub(crate) fn judge(&self, name: &str, reader: &Reader) {
        let scope = conversation(&self.id, 0);
        let log = |scope: &Scope| -> Vec<(String, Option<String>, Arc<str>)> {
            let events = reader.events_after(&org(), scope, 0, usize::MAX).unwrap().events;
            let read = |(_, text): (u64, Arc<str>)| {
                let event = RecordedEvent::parse(&text).unwrap();
                let first = event.effects.first().map(|effect| effect.entity.id().to_owned());
                (event.kind.clone(), first, text.clone())
            };
            events.into_iter().map(read).collect()
        };
        let (own, shared) = (log(&scope), log(&Scope::Org));
        let count = |fact: &Fact| {
            let log = if fact.in_conversation { &own } else { &shared };
            let is_of = |(kind, first, text): &&(String, Option<String>, Arc<str>)| {
                *kind == fact.kind
                    && first
                        .as_ref()
                        .map_or_else(|| text.contains(&fact.subject), |first| *first == fact.subject)
            };
            log.iter().filter(is_of).count()
        };
        for fact in &self.facts {
            match fact.kind {
                "message.created" | "run.started" | "run.completed" | "run.aborted" | "run.failed"
                | "feed.itemAdded" => {
                    assert_eq!(count(fact), 1, "{name}: {} of {} in the log", fact.kind, fact.subject);
                }
                "conversation.upserted" => assert_eq!(count(fact), 1, "{name}: {}", fact.subject),
                "session.upserted" => assert!(count(fact) > 0, "{name}: {}", fact.subject),
                _ => {}
            }
        }
        self.judge_questions(name, reader);
        assert_eq!(self.outbox.dead_letters(), [], "{name} has dead letters");
    }
}

impl World {
    /// What is handed to an instance had not ended before the commit that hands it out.
    pub(crate) fn judge_dispatch(&self, command: &CommandDispatch) {
        let key = EntityKey::new("command", command.id.as_str()).unwrap();
        let row = self.hub.engine.reader().whole(&org(), &Scope::Org, &key).unwrap().row;
        let row = row.unwrap_or_else(|| panic!("{} is handed out and not in the log", command.id));
        let stage = member_word(&row.text, "stage").and_then(CommandStage::parse);
        let open = stage.is_some_and(|stage| !stage.is_final());
        assert!(
            open || row.rev >= self.oracle.first_of_commit(),
            "{} is handed out and is {stage:?}",
            command.id
        );
    }

    /// What was asked for half a minute ago has ended: everybody was there.
    pub(crate) fn judge_commands(&self, reader: &Reader) {
        let ask = ListAsk { entity_type: "command", before: None, limit: usize::MAX, max_bytes: usize::MAX };
        let settled = UnixMillis(self.unix().0 - 30_000);
        for row in reader.list_page(&org(), &Scope::Org, ask).unwrap().rows {
            let word = |name| member_word(&row.row.text, name).unwrap();
            let is_open = CommandStage::parse(word("stage")).is_none_or(|stage| !stage.is_final());
            let is_new = UnixMillis::parse(word("issuedAt")).is_some_and(|at| at > settled);
            assert!(!is_open || is_new, "{} waits although everybody is there", row.key);
        }
    }

    pub(crate) fn instance_acts(&mut self, at: usize) {
        if self.clients[at].machine.is_none() {
            return;
        }
        let Part::Instance(instance) = &mut self.clients[at].part else { return };
        match self.rng.range(0, 17) {
            0..=2 => instance.session(&mut self.rng),
            3 | 4 => instance.asks(&mut self.rng),
            5 => instance.stops_waiting(&mut self.rng),
            6 => instance.mail(&mut self.rng),
            7..=10 => instance.turn(&mut self.rng),
            _ => self.instance_streams(at),
        }
    }

    /// The disk of an instance loses what was written last, or forgets what was acknowledged.
    pub(crate) fn instance_disk_fails(&mut self, at: usize) {
        let Part::Instance(instance) = &mut self.clients[at].part else { return };
        for lane in [Lane::Main, Lane::Bulk] {
            if self.rng.one_in(2) {
                instance.outbox.lose_tail(lane, self.rng.range(1, 3) as usize);
                instance.reread = true;
            } else {
                instance.outbox.trim(lane, 1);
            }
        }
    }

    /// Sends what the publisher has; false when there is nothing.
    pub(crate) fn instance_publishes(&mut self, at: usize) -> bool {
        let now = self.instant();
        let client = &mut self.clients[at];
        let (Part::Instance(instance), Some(machine)) = (&mut client.part, &mut client.machine) else {
            return false;
        };
        match instance.publisher.poll_publish(&instance.outbox, now).unwrap() {
            Some(publish) => {
                machine.publish(publish);
                true
            }
            None => false,
        }
    }

    pub(crate) fn instance_event(&mut self, at: usize, event: ConnectionEvent) {
        let now = self.instant();
        let client = &mut self.clients[at];
        let Part::Instance(instance) = &mut client.part else { return };
        let news = match event {
            ConnectionEvent::Welcome { lanes: Some(lanes), .. } => {
                if self.outcome.restores == 0 {
                    self.oracle.judge_lanes(at, &lanes);
                }
                instance.boots.welcomed();
                if let Some(machine) = &mut client.machine {
                    instance.tells_all(machine);
                }
                instance.publisher.handle_welcome(&lanes, &Limits::V1, &mut instance.outbox).unwrap()
            }
            ConnectionEvent::Published(published) => {
                self.oracle.acked(at, &published);
                instance.publisher.handle_published(&published, &mut instance.outbox, now).unwrap()
            }
            ConnectionEvent::Status(status) if status.phase != Phase::Online => {
                instance.publisher.handle_disconnected();
                Vec::new()
            }
            ConnectionEvent::Dispatch(command) => {
                instance.dispatched(&command, &mut self.rng);
                Vec::new()
            }
            _ => Vec::new(),
        };
        for each in news {
            match each {
                PublishNews::Restate { .. } => {
                    self.outcome.restated += 1;
                    for fact in instance.facts.clone() {
                        instance.observe(&fact, &mut self.rng);
                    }
                }
                PublishNews::DeadLetters { .. } => {
                    panic!("{} has dead letters: {:?}", instance.id, instance.outbox.dead_letters())
                }
                PublishNews::Refused { .. } | PublishNews::Reconnect => {}
            }
        }
    }
}
