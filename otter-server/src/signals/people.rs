//! People: who is here, and who writes where.
//!
//! A person is here while one of their sockets is. Lifetimes are on the monotonic clock: a step of the wall clock
//! changes nothing but the times that are shown.

use std::collections::BTreeMap;

use otter_proto::id::{MemberId, Scope};
use otter_proto::kind::{Presence, PresenceState, Typing};
use otter_proto::{Instant, UnixMillis};

use super::check::printed;
use super::{Current, PRESENCE, TYPING, frame};
use crate::fanout::QueuedSignal;

/// How long a `typing` counts.
const TYPING_MS: u64 = 6_000;
/// The same is told again after this long at the earliest.
const TYPING_AGAIN_MS: u64 = 1_000;
/// Conversations in which one person writes at a time.
const MAX_TYPING: usize = 8;
/// People who left and are remembered, so that a reader who was paused meanwhile hears of it.
const MAX_AWAY: usize = 1_024;

/// The people of one org.
#[derive(Debug, Default)]
pub(super) struct People(BTreeMap<MemberId, Person>);

#[derive(Debug)]
struct Person {
    name: Option<String>,
    sockets: usize,
    /// Grows with each socket that comes: what was decided about an earlier departure is void then.
    arrivals: u64,
    state: PresenceState,
    since: UnixMillis,
    number: u64,
    typing: Vec<Writing>,
}

#[derive(Debug)]
struct Writing {
    scope: Scope,
    until: Instant,
    told: Instant,
    number: u64,
}

/// The last socket of a person closed, and none had come by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure(u64);

impl People {
    /// A socket of a person came. `Some` when that is news; it gets the number `next`.
    pub(super) fn came(
        &mut self,
        member: &MemberId,
        name: Option<&str>,
        now: UnixMillis,
        next: u64,
    ) -> Option<QueuedSignal> {
        let person = self.0.entry(member.clone()).or_insert_with(|| Person {
            name: None,
            sockets: 0,
            arrivals: 0,
            state: PresenceState::Offline,
            since: now,
            number: 0,
            typing: Vec::new(),
        });
        person.sockets += 1;
        person.arrivals += 1;
        let renamed = name.is_some() && person.name.as_deref() != name;
        if renamed {
            person.name = name.map(str::to_owned);
        }
        if person.state == PresenceState::Offline {
            person.state = PresenceState::Online;
            person.since = now;
        } else if !renamed {
            return None;
        }
        person.number = next;
        Some(person.presence(member))
    }

    /// A socket of a person is gone. `Some` when it was the last: to be given to [`Self::gone`] after a grace time.
    pub(super) fn left(&mut self, member: &MemberId) -> Option<Departure> {
        let person = self.0.get_mut(member)?;
        person.sockets = person.sockets.saturating_sub(1);
        (person.sockets == 0).then_some(Departure(person.arrivals))
    }

    /// The grace time after a departure is over.
    pub(super) fn gone(
        &mut self,
        member: &MemberId,
        departure: Departure,
        now: UnixMillis,
        next: u64,
    ) -> Option<QueuedSignal> {
        let person = self.0.get_mut(member)?;
        if person.arrivals != departure.0 || person.state == PresenceState::Offline {
            return None;
        }
        person.leave(now, next);
        let news = person.presence(member);
        self.forget_oldest();
        Some(news)
    }

    /// A person does not belong to the org any more: no grace.
    pub(super) fn removed(&mut self, member: &MemberId, now: UnixMillis, next: u64) -> Option<QueuedSignal> {
        let person = self.0.get_mut(member)?;
        let was_here = person.state == PresenceState::Online;
        person.leave(now, next);
        let news = person.presence(member);
        was_here.then_some(news)
    }

    /// A person has another name.
    pub(super) fn renamed(&mut self, member: &MemberId, name: &str, next: u64) -> Option<QueuedSignal> {
        let person = self.0.get_mut(member).filter(|person| person.name.as_deref() != Some(name))?;
        person.name = Some(name.to_owned());
        if person.state == PresenceState::Offline {
            return None;
        }
        person.number = next;
        Some(person.presence(member))
    }

    /// A person writes in a conversation, or stopped to. `Some` when others are to hear of it.
    pub(super) fn writes(
        &mut self,
        member: &MemberId,
        scope: &Scope,
        active: bool,
        now: Instant,
        next: u64,
    ) -> Option<QueuedSignal> {
        let person = self.0.get_mut(member).filter(|person| person.state == PresenceState::Online)?;
        person.typing.retain(|writing| writing.until > now);
        let known = person.typing.iter().position(|writing| writing.scope == *scope);
        if !active {
            person.typing.remove(known?);
            return Some(person.typing(member, scope, false, next));
        }
        let until = now.plus(TYPING_MS);
        if let Some(writing) = known.and_then(|at| person.typing.get_mut(at)) {
            writing.until = until;
            if now.since(writing.told) < TYPING_AGAIN_MS {
                return None;
            }
            (writing.told, writing.number) = (now, next);
        } else {
            if person.typing.len() >= MAX_TYPING {
                person.typing.remove(0);
            }
            person.typing.push(Writing { scope: scope.clone(), until, told: now, number: next });
        }
        Some(person.typing(member, scope, true, next))
    }

    /// What a newcomer of a scope has to hear.
    pub(super) fn current(&self, scope: &Scope, now: Instant) -> Vec<Current> {
        match scope {
            Scope::Org => {
                let here = self.0.iter().filter(|(_, person)| person.state == PresenceState::Online);
                here.map(|(member, person)| person.presence(member).into()).collect()
            }
            Scope::Conversation(_) => {
                self.0.iter().filter_map(|(member, person)| person.writing(member, scope, now)).collect()
            }
            Scope::Member(_) => Vec::new(),
        }
    }

    /// What a reader who could not take signals has to hear of one person.
    pub(super) fn latest(&self, scope: &Scope, kind: &str, member: &str, now: Instant) -> Option<Current> {
        let (member, person) = self.0.get_key_value(&MemberId::new(member).ok()?)?;
        match (kind, scope) {
            (PRESENCE, Scope::Org) => Some(person.presence(member).into()),
            (TYPING, Scope::Conversation(_)) => {
                let ended = || Current::from(person.typing(member, scope, false, 0));
                Some(person.writing(member, scope, now).unwrap_or_else(ended))
            }
            _ => None,
        }
    }

    /// Keeps the number of people who are away within its limit: those who left first go.
    fn forget_oldest(&mut self) {
        let away = |person: &Person| person.state == PresenceState::Offline && person.sockets == 0;
        if self.0.values().filter(|person| away(person)).count() > MAX_AWAY {
            let oldest =
                self.0.iter().filter(|(_, person)| away(person)).min_by_key(|(_, person)| person.number);
            if let Some(oldest) = oldest.map(|(member, _)| member.clone()) {
                self.0.remove(&oldest);
            }
        }
    }
}

impl Person {
    fn leave(&mut self, now: UnixMillis, number: u64) {
        if self.state == PresenceState::Online {
            (self.state, self.since, self.number) = (PresenceState::Offline, now, number);
        }
        self.typing.clear();
    }

    fn presence(&self, member: &MemberId) -> QueuedSignal {
        let (member_id, name, state) = (member.clone(), self.name.clone(), self.state);
        let data = printed(&Presence { member_id, name, state, since: self.since }).unwrap_or_default();
        QueuedSignal {
            scope: Scope::Org,
            key: format!("{PRESENCE} {member}"),
            number: self.number,
            frame: frame(&Scope::Org, PRESENCE, data),
        }
    }

    fn writing(&self, member: &MemberId, scope: &Scope, now: Instant) -> Option<Current> {
        let writing = self.typing.iter().find(|writing| writing.scope == *scope && writing.until > now)?;
        Some(self.typing(member, scope, true, writing.number).into())
    }

    fn typing(&self, member: &MemberId, scope: &Scope, active: bool, number: u64) -> QueuedSignal {
        let typing = Typing { member_id: Some(member.clone()), name: self.name.clone(), active };
        QueuedSignal {
            scope: scope.clone(),
            key: format!("{TYPING} {member}"),
            number,
            frame: frame(scope, TYPING, printed(&typing).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
