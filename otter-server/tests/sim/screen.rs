//! What a person sees beyond the state: own words before the hub has them, texts that grow, and who is here.

use std::collections::{BTreeMap, BTreeSet};

use otter_proto::connection::client::ConnectionEvent;
use otter_proto::id::{CommandId, EntityId, EntityKey, Scope};
use otter_proto::slots::is_over;
use otter_proto::text::member_word;

use crate::client::Part;
use crate::hub::org;
use crate::world::World;

/// The screen of one browser.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// Texts of running answers, put together from what the machine said of them.
    texts: BTreeMap<(Scope, EntityId), Shown>,
    here: BTreeSet<String>,
    /// Messages of this process run, and whether they were visible.
    own: BTreeMap<CommandId, Own>,
}

#[derive(Debug, Default)]
struct Shown {
    text: String,
    /// Which text of the gateway it was the beginning of, and how much of it.
    version: usize,
    len: usize,
}

#[derive(Debug)]
struct Own {
    scope: Scope,
    key: EntityKey,
    visible: bool,
}

impl Screen {
    /// A message was typed.
    pub(crate) fn typed(&mut self, command: &CommandId, instance: &str, scope: Scope) {
        let key = EntityKey::new("message", &format!("{instance}:{command}:user")).unwrap();
        self.own.insert(command.clone(), Own { scope, key, visible: false });
    }

    /// A conversation is not looked at any more.
    pub(crate) fn left(&mut self, scope: &Scope) {
        self.own.retain(|_, own| own.scope != *scope);
    }

    fn takes(&mut self, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::Slot { scope, run, from, text } => {
                let key = (scope.clone(), run.clone());
                let Some(text) = text else {
                    self.texts.remove(&key);
                    return;
                };
                let shown = self.texts.entry(key).or_default();
                let kept: Vec<u16> = shown.text.encode_utf16().take(*from as usize).collect();
                shown.text = String::from_utf16(&kept).expect("a text is cut between characters") + text;
            }
            ConnectionEvent::Signal { scope: Scope::Org, kind, data } if kind == "presence" => {
                let who = member_word(data.as_str(), "memberId").unwrap().to_owned();
                if member_word(data.as_str(), "state") == Some("online") {
                    self.here.insert(who);
                } else {
                    self.here.remove(&who);
                }
            }
            ConnectionEvent::SignalsOver { scope: Scope::Org } => self.here.clear(),
            _ => {}
        }
    }
}

impl World {
    /// A machine of a person told something.
    pub(crate) fn screen_takes(&mut self, at: usize, event: &ConnectionEvent) {
        if let ConnectionEvent::Signal { scope, kind, data } = event
            && kind == "typing"
        {
            let who = member_word(data.as_str(), "memberId").unwrap().to_owned();
            self.oracle.judge_typing(&who, scope);
        }
        self.clients[at].screen.takes(event);
    }

    /// What the machine told in one go is drawn: every frame of a screen is right.
    pub(crate) fn draw(&mut self, at: usize) {
        if !self.clients[at].is_member() {
            return;
        }
        let reader = self.hub.engine.reader();
        let restored = self.outcome.restores > 0;
        let client = &mut self.clients[at];
        let (name, follows) = (&client.id, &client.follows);
        let Some(machine) = &client.machine else { return };
        for ((scope, run), shown) in &mut client.screen.texts {
            let Scope::Conversation(conversation) = scope else { panic!("{name}: a text of {scope}") };
            assert_eq!(
                machine.slot(conversation, run),
                Some(shown.text.as_str()),
                "{name}: what was told of {run} is not its text"
            );
            let state = machine.state(scope);
            assert!(
                !state.is_some_and(|state| is_over(state, run)),
                "{name} shows a text of {run}, which is over"
            );
            let reached = self.oracle.reached(run, &shown.text, (shown.version, shown.len));
            (shown.version, shown.len) = reached.unwrap_or_else(|| {
                panic!("{name} shows {:?} of {run}, which is not its text or was longer before", shown.text)
            });
            self.outcome.texts += 1;
        }
        if restored {
            // What was accepted and then taken back by a restore is shown again once it is accepted again.
            return;
        }
        for own in client.screen.own.values_mut().filter(|own| follows.contains(&own.scope)) {
            let visible = machine.entity(&own.scope, &own.key).is_some();
            if own.visible && !visible {
                let row = reader.whole(&org(), &own.scope, &own.key).unwrap().row;
                assert!(row.is_some_and(|row| !row.live), "{name}: {} was there and is gone", own.key);
            }
            own.visible = visible;
        }
    }

    /// After the calm: everybody sees who is here, and the whole text of what is being written.
    pub(crate) fn judge_screens(&self) {
        let is_here = |id: &&String| self.clients.iter().any(|client| client.id == **id && !client.away);
        let members = self.clients.iter().filter(|client| client.is_member());
        let here: BTreeSet<String> =
            members.clone().map(|client| &client.id).filter(is_here).cloned().collect();
        for client in members.filter(|client| !client.away) {
            assert_eq!(client.screen.here, here, "{}: who is here", client.id);
            let mut wanted = BTreeMap::new();
            for of in &self.clients {
                let Part::Instance(instance) = &of.part else { continue };
                if client.follows.contains(&instance.scope()) {
                    let open = instance.writings.iter().filter(|writing| !writing.text.is_empty());
                    wanted.extend(open.map(|open| (open.run.clone(), open.text.clone())));
                }
            }
            let texts = client.screen.texts.iter().filter(|((scope, _), _)| client.follows.contains(scope));
            let shown: BTreeMap<_, _> =
                texts.map(|((_, run), shown)| (run.clone(), shown.text.clone())).collect();
            assert_eq!(shown, wanted, "{}: answers that are being written", client.id);
        }
        for client in &self.clients {
            let Part::Instance(instance) = &client.part else { continue };
            let kept = self.hub.signals.current(&instance.scope(), self.instant());
            let runs =
                kept.iter().filter_map(|of| of.key.split_once(' ')).filter(|(kind, _)| *kind != "typing");
            for (_, run) in runs {
                let open = instance.writings.iter().any(|writing| writing.run.as_str() == run);
                assert!(open, "the hub keeps signals of {run}, which is over");
            }
        }
    }
}
