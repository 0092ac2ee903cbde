//! What an instance keeps on its disk, and what its agent does. Without a publisher yet.

use otter_proto::connection::client::ConnectionEvent;
use otter_proto::frame::{Lane, Publish};
use otter_proto::id::BootId;
use otter_proto::wire::Json;
use otter_server::log::Reader;

use crate::client::Part;
use crate::world::World;

pub(crate) struct Instance {
    id: String,
    boots: Vec<BootId>,
    events: Vec<Json>,
    acked: u64,
    sent: u64,
    online: bool,
    commands: Vec<String>,
}

impl Instance {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), boots: Vec::new(), events: Vec::new(), acked: 0, sent: 0, online: false, commands: Vec::new() }
    }

    pub(crate) fn boot(&mut self, run: u64) -> Vec<BootId> {
        self.boots.insert(0, BootId::new(&format!("b{run}")).unwrap());
        self.boots.truncate(64);
        self.boots.clone()
    }

    pub(crate) fn crash(&mut self) {
        self.online = false;
    }

    fn append(&mut self, id: u64, kind: &str, subject: &str, conversation: bool, data: &str) {
        let scope = if conversation { format!(",\"conversation\":\"{}:c0\"", self.id) } else { String::new() };
        self.events.push(Json::trusted(format!(
            "{{\"id\":\"ev-{id:016x}\",\"kind\":\"{kind}\",\"subject\":\"{subject}\"{scope},\"data\":{data}}}"
        )));
    }

    pub(crate) fn judge(&self, _: &str, reader: &Reader) {
        assert_eq!(self.acked as usize, self.events.len(), "{} did not get rid of its outbox", self.id);
        let _ = reader;
    }
}

impl World {
    pub(crate) fn instance_acts(&mut self, at: usize) {
        let unique = self.rng.next();
        let Part::Instance(instance) = &mut self.clients[at].part else { return };
        let id = instance.id.clone();
        if instance.events.is_empty() {
            instance.append(unique, "conversation.upserted", &format!("{id}:c0"), false, &format!("{{\"instanceId\":\"{id}\",\"agentId\":\"{id}:main\",\"address\":{{\"kind\":\"session\",\"sessionKey\":\"main\"}}}}"));
            return;
        }
        let run = format!("{id}:r{unique:016x}");
        instance.append(unique, "run.started", &run, true, &format!("{{\"conversationId\":\"{id}:c0\",\"agentId\":\"{id}:main\",\"state\":\"running\",\"startedAt\":\"2026-11-22T14:00:00.123Z\"}}"));
        instance.append(unique ^ 1, "message.created", &format!("{run}:answer"), true, &format!("{{\"conversationId\":\"{id}:c0\",\"author\":{{\"type\":\"agent\"}},\"text\":\"t {unique}\",\"status\":\"complete\",\"runId\":\"{run}\"}}"));
        instance.append(unique ^ 2, "run.completed", &run, true, "{\"state\":\"completed\",\"endedAt\":\"2026-11-22T14:00:00.123Z\"}");
    }

    pub(crate) fn instance_publishes(&mut self, at: usize) -> bool {
        let client = &mut self.clients[at];
        let (Part::Instance(instance), Some(machine)) = (&mut client.part, &mut client.machine) else { return false };
        if !instance.online || instance.sent >= instance.events.len() as u64 {
            return false;
        }
        let first = instance.sent + 1;
        let events: Vec<Json> = instance.events.iter().skip(instance.sent as usize).take(4).cloned().collect();
        instance.sent += events.len() as u64;
        machine.publish(Publish { lane: Lane::Main, producer_epoch: 1, first, events, rejected_seen: None });
        true
    }

    pub(crate) fn instance_event(&mut self, at: usize, event: ConnectionEvent) {
        let unique = self.rng.next();
        let Part::Instance(instance) = &mut self.clients[at].part else { return };
        match event {
            ConnectionEvent::Welcome { lanes: Some(lanes), .. } => {
                instance.online = true;
                instance.acked = lanes.main.up_to;
                instance.sent = lanes.main.up_to;
            }
            ConnectionEvent::Status(status) => instance.online &= status.phase == otter_proto::connection::client::Phase::Online,
            ConnectionEvent::Published(published) => {
                assert_eq!(published.rejected, Vec::new());
                instance.acked = instance.acked.max(published.up_to);
                if published.error.is_some() {
                    instance.sent = published.up_to;
                }
            }
            ConnectionEvent::Dispatch(command) => {
                let id = command.id.to_string();
                if command.kind == "message.send" && !instance.commands.contains(&id) {
                    instance.commands.push(id.clone());
                    instance.append(unique, "command.updated", &id, false, "{\"stage\":\"completed\"}");
                    let user = format!("{}:{id}:user", instance.id);
                    instance.append(unique ^ 1, "message.deliveryChanged", &user, true, "{\"delivery\":{\"state\":\"delivered\"}}");
                }
            }
            _ => {}
        }
    }
}
