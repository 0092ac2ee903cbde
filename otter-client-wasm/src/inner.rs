//! The loop around the connection machine. Nothing is borrowed while JavaScript is called.

use std::cell::{RefCell, RefMut};
use std::rc::{Rc, Weak};

use otter_proto::connection::client::{ClientConfig, ClientConnection, Role, Transmit, Wake};
use otter_proto::frame::Principal;
use otter_proto::text::{Cursor, write_string, write_u64};
use otter_proto::wire::Wire;
use wasm_bindgen::JsValue;

use crate::browser::Notify;
use crate::changes::Changes;
use crate::clock::{self, Now};
use crate::message::ToCore;
use crate::panics;
use crate::socket::Socket;
use crate::timer::Timer;

/// What a core is made with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) web_socket: JsValue,
    pub(crate) notify: Notify,
}

/// One reason to run.
#[derive(Debug)]
pub(crate) enum Entry {
    /// The package says something.
    Post(Option<ToCore>),
    /// The timer fired.
    Timer,
    /// The socket is open.
    Opened,
    /// The socket has a problem; before it was open that is its end.
    Failed,
    /// The socket received a message.
    Message(String),
    /// The socket is closed, with a code and a reason.
    Closed(u16, String),
}

/// The core, shared by the class and the callbacks of its socket and timer.
#[derive(Debug)]
pub(crate) struct Shared {
    inner: RefCell<Inner>,
    settings: Settings,
    me: Weak<Self>,
}

#[derive(Debug)]
struct Inner {
    connection: ClientConnection,
    changes: Changes,
    socket: Option<Socket>,
    /// Counts sockets: callbacks of an older one are ignored.
    generation: u32,
    opened: bool,
    timer: Timer,
    seen: Now,
    /// Whether the package knows that there is something to drain.
    notified: bool,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Rc<Self> {
        let now = Now::read();
        let config = ClientConfig {
            name: settings.name.clone(),
            version: settings.version.clone(),
            role: Role::Member,
            capabilities: vec!["binary".to_owned()],
            boots: Vec::new(),
            seed: clock::seed(),
        };
        Rc::new_cyclic(|me| Self {
            inner: RefCell::new(Inner {
                connection: ClientConnection::new(config, now.instant),
                changes: Changes::default(),
                socket: None,
                generation: 0,
                opened: false,
                timer: Timer::new(me.clone()),
                seen: now,
                notified: false,
            }),
            settings,
            me: me.clone(),
        })
    }

    /// Whether a callback belongs to the present socket.
    pub(crate) fn is_current(&self, generation: u32) -> bool {
        self.lock().generation == generation
    }

    /// Runs for one reason, then does what follows from it.
    pub(crate) fn enter(&self, entry: &mut Entry) {
        panics::enter(&self.settings.notify);
        let posted = matches!(entry, Entry::Post(_));
        let now = Now::read();
        let gone = self.lock().handle(entry, now);
        drop(gone);
        loop {
            // A statement of its own, so that the borrow ends before the socket is called.
            let next = self.lock().next();
            match next {
                None => break,
                Some(Transmit::Open) => self.open(now),
                Some(Transmit::Frames(frames)) => self.send(&frames),
                Some(Transmit::Close { code, reason }) => self.close(code, reason),
            }
        }
        let tell = self.lock().settle(now, posted);
        if tell {
            drop(self.settings.notify.tell(&JsValue::UNDEFINED));
        }
    }

    /// What changed, as JSON text.
    pub(crate) fn drain(&self) -> String {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.notified = false;
        inner.changes.take(&inner.connection, |instant| inner.seen.unix_of(instant))
    }

    /// Position and hash of every scope, as JSON text.
    pub(crate) fn hashes(&self) -> String {
        let inner = self.lock();
        let mut out = String::from("{");
        for scope in inner.connection.scopes() {
            let Some(position) = inner.connection.position(scope) else { continue };
            let Some(hash) = inner.connection.hash(scope) else { continue };
            out.push_str(if out.len() == 1 { "" } else { "," });
            scope.write(&mut out);
            out.push_str(":{\"epoch\":");
            write_string(&mut out, position.epoch.as_str());
            out.push_str(",\"pos\":");
            write_u64(&mut out, position.pos);
            out.push_str(",\"hash\":");
            write_string(&mut out, &hash);
            out.push('}');
        }
        out.push('}');
        out
    }

    /// The inside. It is only locked already when a trap left it so; then the package replaces this core.
    fn lock(&self) -> RefMut<'_, Inner> {
        // Not `borrow_mut`, whose message brings the formatting of strings with it.
        let Ok(inner) = self.inner.try_borrow_mut() else { panic!("entered while locked") };
        inner
    }

    fn open(&self, now: Now) {
        let generation = {
            let mut inner = self.lock();
            inner.generation += 1;
            inner.opened = false;
            inner.generation
        };
        let old = self.lock().socket.take();
        drop(old);
        let opened = Socket::open(&self.settings.web_socket, &self.settings.url, generation, &self.me);
        let mut inner = self.lock();
        match opened {
            Ok(socket) => inner.socket = Some(socket),
            Err(_) => inner.connection.handle_failed(now.instant),
        }
    }

    fn send(&self, frames: &str) {
        let socket = self.lock().socket.as_ref().map(Socket::handle);
        if let Some(socket) = socket {
            // It fails only for a socket that is not open any more, whose close is on its way.
            drop(socket.send(frames));
        }
    }

    fn close(&self, code: u16, reason: &str) {
        let socket = {
            let mut inner = self.lock();
            inner.generation += 1;
            inner.socket.take()
        };
        if let Some(socket) = socket {
            socket.close(code, reason);
        }
    }
}

impl Inner {
    /// Hands one thing to the machine; returns a socket that has to be dropped outside.
    fn handle(&mut self, entry: &mut Entry, now: Now) -> Option<Socket> {
        if now.jumped_since(&self.seen) {
            self.connection.handle_wake(Wake::ClockJump, now.instant);
        }
        self.seen = now;
        match entry {
            Entry::Post(message) => {
                if let Some(message) = message.take() {
                    self.posted(message, now);
                }
            }
            Entry::Timer => {
                self.timer.fired();
                self.connection.handle_timeout(now.instant);
            }
            Entry::Opened => {
                self.opened = true;
                self.connection.handle_opened(now.instant);
            }
            Entry::Message(text) => self.connection.handle_message(text, now.instant),
            // After the opening an error is always followed by a close, which says more.
            Entry::Failed if self.opened => {}
            Entry::Failed => return self.ended(|connection| connection.handle_failed(now.instant)),
            Entry::Closed(..) if !self.opened => {
                return self.ended(|connection| connection.handle_failed(now.instant));
            }
            Entry::Closed(code, reason) => {
                return self.ended(|connection| connection.handle_closed(*code, reason, now.instant));
            }
        }
        None
    }

    fn ended(&mut self, tell: impl FnOnce(&mut ClientConnection)) -> Option<Socket> {
        self.generation += 1;
        tell(&mut self.connection);
        self.socket.take()
    }

    fn posted(&mut self, message: ToCore, now: Now) {
        let connection = &mut self.connection;
        let now = now.instant;
        match message {
            ToCore::Start(earlier) => {
                let principal = earlier.map(|text| Principal::read(&mut Cursor::new(text.as_str())));
                if let Some(Ok(principal)) = principal {
                    connection.introduce(principal);
                }
                connection.start(now);
            }
            ToCore::Stop => connection.stop(now),
            ToCore::Subscribe(scope) => connection.subscribe(scope, now),
            ToCore::Unsubscribe(scope) => connection.unsubscribe(&scope),
            ToCore::Forget(scope) => {
                connection.forget(&scope);
                self.changes.forget(&scope);
            }
            ToCore::Listen(kinds) => self.changes.listen(kinds),
            ToCore::Command { id, kind, data, state } => connection.restore(id, &kind, data, state, now),
            ToCore::Retry { id, again } => {
                connection.retry(&id, again, now);
            }
            ToCore::Dismiss(id) => {
                connection.dismiss(&id);
            }
            ToCore::Signal { scope, kind, data } => connection.signal(scope, &kind, data),
            ToCore::More { scope, kind } => connection.more(scope, &kind),
            ToCore::Text { scope, key } => connection.fetch_text(scope, key),
            ToCore::Wake(wake) => connection.handle_wake(wake, now),
        }
    }

    /// Takes over what happened; returns what the socket has to do next.
    fn next(&mut self) -> Option<Transmit> {
        while let Some(event) = self.connection.poll_event() {
            self.changes.take_in(event, &self.connection, self.seen.unix);
        }
        self.connection.poll_transmit()
    }

    /// Arms the timer; returns whether the package has to be told that there is something to drain.
    fn settle(&mut self, now: Now, posted: bool) -> bool {
        self.timer.arm(self.connection.poll_timeout(), now.instant);
        let tell = !posted && !self.notified && !self.changes.is_empty();
        self.notified |= tell;
        tell
    }
}
