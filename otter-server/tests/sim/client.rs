//! The clients: members with browsers and instances with outboxes, both on the real client machine.

use std::collections::{BTreeMap, BTreeSet};

use otter_proto::connection::client::{
    ClientConfig, ClientConnection, ConnectionEvent, ListState, Phase, Role, ScopePhase, Transmit,
};
use otter_proto::frame::{Principal, PrincipalType};
use otter_proto::id::{CommandId, Scope};
use otter_proto::wire::Json;

use crate::hub::org;
use crate::instance::Instance;
use crate::link::LinkId;
use crate::oracle::Oracle;
use crate::screen::Screen;
use crate::world::{Happening, World};

/// What a client is.
pub(crate) enum Part {
    /// A person with a browser, who knows of so many instances.
    Member {
        /// How many.
        instances: usize,
    },
    /// An instance with its disk.
    Instance(Box<Instance>),
}

/// One client process and what outlives it.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) part: Part,
    /// The running process; `None` while it is down.
    pub(crate) machine: Option<ClientConnection>,
    pub(crate) link: Option<LinkId>,
    /// Commands of this process run that it has not seen refused.
    pub(crate) commands: BTreeMap<CommandId, String>,
    /// How far back its lists of messages go.
    lists: BTreeMap<Scope, ListState>,
    /// What it follows at present.
    pub(crate) follows: BTreeSet<Scope>,
    pub(crate) screen: Screen,
    /// The person closed the browser for good.
    pub(crate) away: bool,
    seed: u64,
    runs: u64,
    next_timer: u64,
}

impl Client {
    pub(crate) fn member(at: usize, instances: usize, seed: u64) -> Self {
        Self::new(format!("mb_{at}"), Part::Member { instances }, seed)
    }

    pub(crate) fn instance(at: usize, seed: u64) -> Self {
        let id = format!("in_{at}");
        let part = Part::Instance(Box::new(Instance::new(&id)));
        Self::new(id, part, seed)
    }

    fn new(id: String, part: Part, seed: u64) -> Self {
        Self {
            id,
            part,
            machine: None,
            link: None,
            commands: BTreeMap::new(),
            lists: BTreeMap::new(),
            follows: BTreeSet::new(),
            screen: Screen::default(),
            away: false,
            seed,
            runs: 0,
            next_timer: 0,
        }
    }

    pub(crate) fn is_member(&self) -> bool {
        matches!(self.part, Part::Member { .. })
    }

    pub(crate) fn principal(&self) -> Principal {
        let principal_type = if self.is_member() { PrincipalType::Member } else { PrincipalType::Instance };
        let role = self.is_member().then(|| "member".to_owned());
        Principal { principal_type, id: self.id.clone(), org: org(), name: Some(self.id.clone()), role }
    }
}

/// The conversation of an instance.
pub(crate) fn conversation(instance: &str, at: u64) -> Scope {
    Scope::parse(&format!("conversation/{instance}:c{at}")).unwrap()
}

impl World {
    pub(crate) fn client_starts(&mut self, at: usize) {
        let now = self.instant();
        let client = &mut self.clients[at];
        if client.machine.is_some() || client.away {
            return;
        }
        client.runs += 1;
        let role = if client.is_member() { Role::Member } else { Role::Instance };
        let boots = match &mut client.part {
            Part::Member { .. } => Vec::new(),
            Part::Instance(instance) => instance.boot(client.runs, &mut self.rng),
        };
        let config = ClientConfig {
            name: "sim".to_owned(),
            version: "0".to_owned(),
            role,
            capabilities: Vec::new(),
            boots,
            seed: client.seed.wrapping_add(client.runs),
        };
        let mut machine = ClientConnection::new(config, now);
        if let Part::Member { instances } = client.part {
            client.follows =
                (0..instances).map(|instance| conversation(&format!("in_{instance}"), 0)).collect();
            client.follows.insert(Scope::Org);
            for scope in &client.follows {
                machine.subscribe(scope.clone(), now);
            }
            machine.subscribe(Scope::parse("member/self").unwrap(), now);
            client.follows.insert(Scope::parse(&format!("member/{}", client.id)).unwrap());
        }
        machine.start(now);
        client.machine = Some(machine);
        self.drive_client(at);
    }

    pub(crate) fn client_crashes(&mut self, at: usize) {
        let client = &mut self.clients[at];
        client.machine = None;
        client.commands.clear();
        client.lists.clear();
        client.screen = Screen::default();
        if let Part::Instance(instance) = &mut client.part {
            instance.crash(self.mutant);
        }
        self.oracle.forget(at);
        if let Some(link) = self.clients[at].link.take() {
            self.cut(link);
        }
    }

    pub(crate) fn client_opened(&mut self, link: LinkId) {
        self.with_socket(link, ClientConnection::handle_opened);
    }

    pub(crate) fn client_message(&mut self, link: LinkId, text: &str) {
        self.with_socket(link, |machine, now| machine.handle_message(text, now));
    }

    pub(crate) fn client_lost(&mut self, link: LinkId, code: u16, reason: &str) {
        let Some(at) = self.owner(link) else { return };
        self.clients[at].link = None;
        let now = self.instant();
        if let Some(machine) = &mut self.clients[at].machine {
            machine.handle_closed(code, reason, now);
        }
        self.drive_client(at);
    }

    /// The client whose current socket this is. What an older socket says is not heard.
    fn owner(&self, link: LinkId) -> Option<usize> {
        self.clients.iter().position(|client| client.link == Some(link))
    }

    fn with_socket(&mut self, link: LinkId, act: impl FnOnce(&mut ClientConnection, otter_proto::Instant)) {
        let (Some(at), now) = (self.owner(link), self.instant()) else { return };
        if let Some(machine) = &mut self.clients[at].machine {
            act(machine, now);
        }
        self.drive_client(at);
    }

    pub(crate) fn client_timer(&mut self, at: usize) {
        let now = self.instant();
        let client = &mut self.clients[at];
        if client.next_timer != now.0 {
            return;
        }
        client.next_timer = 0;
        if let Some(machine) = &mut client.machine {
            machine.handle_timeout(now);
        }
        self.drive_client(at);
    }

    /// Something a person or an agent does; again and again while it storms, once more in the calm.
    pub(crate) fn client_acts(&mut self, at: usize) {
        self.client_acts_once(at);
        if self.stormy() {
            let pause = self.rng.range(50, self.faults.idle_ms);
            self.after(pause, Happening::Acts(at));
        }
    }

    pub(crate) fn client_acts_once(&mut self, at: usize) {
        if self.clients[at].is_member() {
            self.member_acts(at);
        } else {
            self.instance_acts(at);
        }
        self.drive_client(at);
    }

    fn member_acts(&mut self, at: usize) {
        let now = self.instant();
        let Part::Member { instances } = self.clients[at].part else { return };
        let target = self.rng.range(0, instances as u64 - 1);
        let scope = conversation(&format!("in_{target}"), 0);
        let dice = self.rng.range(0, 17);
        let id = CommandId::new(&self.rng.uuid_v7()).unwrap();
        if dice > 15 {
            return self.member_types(at, scope);
        }
        if dice > 9 {
            let conversation = scope.to_string().replace("conversation/", "");
            return self.member_uses_the_product(at, &conversation, id);
        }
        let client = &mut self.clients[at];
        let Some(machine) = &mut client.machine else { return };
        match dice {
            0 => {
                machine.unsubscribe(&scope);
                client.follows.remove(&scope);
                client.lists.remove(&scope);
                client.screen.left(&scope);
            }
            1 | 2 => {
                machine.subscribe(scope.clone(), now);
                client.follows.insert(scope);
            }
            4 | 5 => machine.more(scope, "message"),
            3 => {
                let Some(open) = client.commands.keys().next_back().cloned() else { return };
                let data = format!("{{\"commandId\":\"{open}\"}}");
                machine.command(id, "command.cancel", Json::trusted(data), now);
            }
            _ => {
                let text = format!("says {id}");
                let conversation = scope.to_string().replace("conversation/", "");
                let data = format!("{{\"conversationId\":\"{conversation}\",\"text\":\"{text}\"}}");
                client.screen.typed(&id, &format!("in_{target}"), scope);
                machine.command(id.clone(), "message.send", Json::trusted(data), now);
                client.commands.insert(id, text);
            }
        }
    }

    /// A person writes, or stops to; whoever follows the conversation sees it.
    fn member_types(&mut self, at: usize, scope: Scope) {
        let active = self.rng.one_in(2);
        let client = &mut self.clients[at];
        let Some(machine) = &mut client.machine else { return };
        if client.follows.contains(&scope) {
            self.oracle.types(&client.id, &scope);
            machine.signal(scope, "typing", Json::trusted(format!("{{\"active\":{active}}}")));
        }
    }

    /// A person closes the browser for good.
    pub(crate) fn client_leaves(&mut self, at: usize) {
        let now = self.instant();
        let client = &mut self.clients[at];
        client.away = true;
        if let Some(machine) = &mut client.machine {
            machine.stop(now);
        }
        self.drive_client(at);
        self.clients[at].machine = None;
    }

    /// Drains a client's machine: what happened, what goes to the socket, its timer.
    pub(crate) fn drive_client(&mut self, at: usize) {
        loop {
            let Some(machine) = &mut self.clients[at].machine else { return };
            if let Some(event) = machine.poll_event() {
                self.client_event(at, event);
            } else if let Some(transmit) = machine.poll_transmit() {
                self.client_transmit(at, transmit);
            } else if !self.instance_publishes(at) {
                break;
            }
        }
        self.draw(at);
        let client = &mut self.clients[at];
        let timeout = client.machine.as_ref().and_then(ClientConnection::poll_timeout);
        if let Some(time) = timeout
            && (client.next_timer == 0 || time.0 < client.next_timer)
        {
            let time = time.0.max(self.now + 1);
            client.next_timer = time;
            self.at(time, Happening::ClientTimer(at));
        }
    }

    fn client_transmit(&mut self, at: usize, transmit: Transmit) {
        match transmit {
            Transmit::Open => {
                self.hang_up(at);
                let link = self.connect(at);
                self.clients[at].link = Some(link);
            }
            Transmit::Frames(text) => {
                if let Some(link) = self.clients[at].link {
                    self.send_up(link, Happening::Up(link, text));
                }
            }
            Transmit::Close { .. } => self.hang_up(at),
        }
    }

    fn hang_up(&mut self, at: usize) {
        if let Some(link) = self.clients[at].link.take() {
            self.send_up(link, Happening::GoneAtHub(link));
        }
    }

    fn client_event(&mut self, at: usize, event: ConnectionEvent) {
        if self.trace {
            println!("        {} {event:?}", self.clients[at].id);
        }
        if self.clients[at].is_member() {
            self.screen_takes(at, &event);
        }
        match event {
            ConnectionEvent::Event { scope, seq, text, .. } => {
                self.outcome.answers += 1;
                self.oracle.applied(at, &scope, seq, &text);
            }
            ConnectionEvent::Scope { scope, phase, .. } => {
                self.oracle.interrupted(at, &scope, phase == ScopePhase::Live);
            }
            ConnectionEvent::List { scope, state, .. } => {
                self.outcome.pages += u64::from(!state.loading);
                self.clients[at].lists.insert(scope, state);
            }
            other => self.instance_event(at, other),
        }
    }

    /// After the calm: everybody is online, and has the hub's state.
    pub(crate) fn judge(&mut self) {
        let reader = self.hub.engine.reader();
        self.oracle.judge_log(&reader);
        self.judge_screens();
        self.judge_commands(&reader);
        for client in self.clients.iter().filter(|client| !client.away) {
            let machine =
                client.machine.as_ref().unwrap_or_else(|| panic!("{} is down after the calm", client.id));
            assert_eq!(
                machine.phase(),
                Phase::Online,
                "{} is not online after the calm: {:?}",
                client.id,
                machine.status()
            );
            let counters = machine.counters();
            assert_eq!(
                (counters.bad_frames, counters.hash_mismatches),
                (0, 0),
                "{}: {counters:?}",
                client.id
            );
            self.outcome.resyncs += counters.resyncs;
            assert!(self.outcome.lost_frames > 0 || counters.gaps == 0, "{}: {counters:?}", client.id);
            for scope in &client.follows {
                assert_eq!(machine.scope_phase(scope), Some(ScopePhase::Live), "{} {scope}", client.id);
                Oracle::judge_state(&client.id, scope, machine, &reader);
                Oracle::judge_rows(&client.id, scope, machine, client.lists.get(scope), &reader);
            }
            if let Part::Instance(instance) = &client.part {
                instance.judge(&client.id, &reader);
            }
        }
    }
}
