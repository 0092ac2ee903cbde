//! Answers that are being written: a gateway that writes them, and the bridge that tells of it as it goes.

use otter_proto::connection::client::ClientConnection;
use otter_proto::id::{EntityId, Scope};
use otter_proto::text::write_string;
use otter_proto::wire::Json;

use crate::client::{Part, conversation};
use crate::instance::Instance;
use crate::rng::Rng;
use crate::world::World;

/// Runs that one gateway writes at the same time.
const AT_ONCE: usize = 2;
/// What answers are made of: characters of one, two and three bytes, and two that are two UTF-16 units each.
const WORDS: [&str; 5] = ["so ", "über ", "das → ", "🦦 ", "\"quoted\"\n"];

/// An answer that the gateway is writing. It lives at the gateway: a crash of the bridge leaves it as it is.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) run: EntityId,
    pub(crate) text: String,
}

impl Writing {
    fn delta(&self, offset: usize, text: &str) -> Json {
        let mut data = format!("{{\"offset\":{offset},\"runId\":\"{}\",\"text\":", self.run);
        write_string(&mut data, text);
        data.push('}');
        Json::trusted(data)
    }
}

impl Instance {
    /// A run starts, and its text follows.
    fn starts_writing(&mut self, rng: &mut Rng) -> EntityId {
        let run = self.next_run();
        self.run_started(&run, rng);
        let run = EntityId::new(&run).unwrap();
        self.writings.push(Writing { run: run.clone(), text: String::new() });
        run
    }

    /// A run ends: with its answer, with half of it, or without.
    fn stops_writing(&mut self, rng: &mut Rng) {
        let at = rng.range(0, self.writings.len() as u64 - 1) as usize;
        let Writing { run, text } = self.writings.remove(at);
        let (kind, state, status) = *rng.pick(&[
            ("run.completed", "\"state\":\"completed\"", "complete"),
            ("run.aborted", "\"state\":\"aborted\"", "aborted"),
            ("run.failed", "\"error\":{\"message\":\"lost\"},\"state\":\"failed\"", "interrupted"),
        ]);
        if !text.is_empty() {
            self.answered(run.as_str(), &text, status, rng);
        }
        let ended = format!("{{\"endedAt\":\"2026-11-22T14:00:01.123Z\",{state}}}");
        self.happens(Self::fact(kind, run.as_str(), true, None, ended), rng);
    }

    /// The bridge tells every text so far anew, as it does after each welcome.
    pub(crate) fn tells_all(&self, machine: &mut ClientConnection) {
        for writing in self.writings.iter().filter(|writing| !writing.text.is_empty()) {
            machine.signal(self.scope(), "message.delta", writing.delta(0, &writing.text));
        }
    }

    pub(crate) fn scope(&self) -> Scope {
        conversation(&self.id, 0)
    }
}

impl World {
    /// The gateway goes on with what it writes.
    pub(crate) fn instance_streams(&mut self, at: usize) {
        let dice = self.rng.range(0, 9);
        let client = &mut self.clients[at];
        let (Part::Instance(instance), Some(machine)) = (&mut client.part, &mut client.machine) else {
            return;
        };
        let open = instance.writings.len();
        if open == 0 || (dice == 0 && open < AT_ONCE) {
            let run = instance.starts_writing(&mut self.rng);
            self.oracle.writes(&run, "");
            return;
        }
        if dice < 3 {
            return instance.stops_writing(&mut self.rng);
        }
        let scope = instance.scope();
        let which = self.rng.range(0, open as u64 - 1) as usize;
        let writing = &mut instance.writings[which];
        let before = writing.text.encode_utf16().count();
        let more = self.rng.pick(&WORDS).repeat(self.rng.range(1, 3) as usize);
        // Now and then the gateway takes back what it wrote and writes something else.
        if dice == 3 {
            writing.text = format!("again: {more}");
        } else {
            writing.text.push_str(&more);
        }
        self.oracle.writes(&writing.run, &writing.text);
        let keyframe = dice == 3 || dice == 4;
        let data = if keyframe { writing.delta(0, &writing.text) } else { writing.delta(before, &more) };
        machine.signal(scope.clone(), "message.delta", data);
        if dice == 5 {
            let data = format!("{{\"phase\":\"tool\",\"runId\":\"{}\"}}", writing.run);
            machine.signal(scope, "run.progress", Json::trusted(data));
            let data = format!("{{\"at\":\"2026-11-22T14:00:00.123Z\",\"instanceId\":\"{}\"}}", instance.id);
            machine.signal(Scope::Org, "instance.heartbeat", Json::trusted(data));
        }
    }

    /// Every bridge tells its texts once more.
    pub(crate) fn instances_tell_all(&mut self) {
        for at in 0..self.clients.len() {
            let client = &mut self.clients[at];
            if let (Part::Instance(instance), Some(machine)) = (&client.part, &mut client.machine) {
                instance.tells_all(machine);
                self.drive_client(at);
            }
        }
    }
}
