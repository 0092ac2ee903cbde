use otter_proto::catalogue::Role;
use otter_proto::frame::Signal;
use otter_proto::wire::Json;
use pretty_assertions::assert_eq;

use super::*;
use crate::clock::Moment;
use crate::log::Appended;
use crate::signals::{Sender, Signals};

const HERE: u64 = 1_795_000_000_000;

fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

fn conversation(id: &str) -> Scope {
    Scope::parse(&format!("conversation/{id}")).unwrap()
}

fn presence(id: &str, name: &str, state: &str, since: &str) -> String {
    format!(
        r#"{{"type":"signal","scope":"org","kind":"presence","data":{{"memberId":"{id}","name":"{name}","state":"{state}","since":"2026-11-18T11:06:{since}.000Z"}}}}"#
    )
}

fn typing(active: bool) -> String {
    format!(
        r#"{{"type":"signal","scope":"conversation/in_1:c","kind":"typing","data":{{"memberId":"mb_1","name":"Ada","active":{active}}}}}"#
    )
}

/// One org with a wall clock that a test may step.
#[derive(Default)]
struct Org {
    signals: Signals,
    now: u64,
    step: i64,
}

impl Org {
    fn unix(&self) -> UnixMillis {
        UnixMillis((HERE + self.now).saturating_add_signed(self.step))
    }

    fn came(&mut self, id: &str, name: &str) -> Option<String> {
        let now = self.unix();
        self.signals.came(&member(id), Some(name), now).map(|signal| signal.frame.to_string())
    }

    fn left(&mut self, id: &str) -> Option<Departure> {
        self.signals.left(&member(id))
    }

    fn gone(&mut self, id: &str, departure: Departure) -> Option<String> {
        let now = self.unix();
        self.signals.gone(&member(id), departure, now).map(|signal| signal.frame.to_string())
    }

    fn writes_in(&mut self, scope: &str, data: &str) -> Option<String> {
        let data = Json::new(data).unwrap();
        let signal = Signal { scope: conversation(scope), kind: TYPING.into(), data };
        let at = Moment { now: Instant(self.now), unix: self.unix() };
        let id = member("mb_1");
        let sender = Sender::Member { id: &id, role: Role::Member, follows: true };
        self.signals.accept(sender, &signal, at).unwrap().map(|signal| signal.frame.to_string())
    }

    fn writes(&mut self, active: bool) -> Option<String> {
        self.writes_in("in_1:c", &format!(r#"{{"active":{active}}}"#))
    }

    fn current(&self, scope: &Scope) -> Vec<String> {
        self.signals
            .current(scope, Instant(self.now))
            .into_iter()
            .map(|current| current.frame.to_string())
            .collect()
    }

    fn event(&mut self, kind: &str, data: &str) -> Vec<String> {
        let text = format!(
            r#"{{"at":"2026-11-22T14:00:00.000Z","data":{data},"effects":[{{"entity":"member/mb_1","op":"put"}}],"id":"ev_1","kind":"{kind}","prev":0,"scope":"org","seq":1,"source":{{}}}}"#
        );
        let event = Appended { scope: Scope::Org, seq: 1, prev: 0, text: text.into() };
        let now = self.unix();
        let told = self.signals.settle(&Scope::Org, &[&event], now);
        told.into_iter().map(|signal| signal.frame.to_string()).collect()
    }
}

#[test]
fn a_person_is_one_entry_whatever_the_number_of_their_tabs() {
    let mut org = Org::default();
    assert_eq!(org.came("mb_1", "Ada"), Some(presence("mb_1", "Ada", "online", "40")));
    org.now = 5_000;
    assert_eq!((org.came("mb_1", "Ada"), org.came("mb_1", "Ada")), (None, None));
    assert_eq!(org.came("mb_2", "Bo"), Some(presence("mb_2", "Bo", "online", "45")));
    assert_eq!((org.left("mb_1"), org.left("mb_1")), (None, None));
    let here = [presence("mb_1", "Ada", "online", "40"), presence("mb_2", "Bo", "online", "45")];
    assert_eq!(org.current(&Scope::Org), here);
    let departure = org.left("mb_1").unwrap();
    assert_eq!(org.current(&Scope::Org), here, "in the grace time nothing has happened yet");
    org.now = 10_000;
    assert_eq!(org.gone("mb_1", departure), Some(presence("mb_1", "Ada", "offline", "50")));
    assert_eq!(org.current(&Scope::Org), here[1..], "who is away is not told to newcomers");
    let paused = org.signals.latest(&Scope::Org, "presence mb_1", Instant(org.now)).unwrap();
    assert_eq!(&*paused.frame, presence("mb_1", "Ada", "offline", "50"), "but to who was paused meanwhile");
}

#[test]
fn a_reload_and_a_late_end_of_an_old_socket_show_to_nobody() {
    let mut org = Org::default();
    org.came("mb_1", "Ada");
    let reload = org.left("mb_1").unwrap();
    assert_eq!(org.came("mb_1", "Ada"), None);
    assert_eq!(org.gone("mb_1", reload), None);
    let second = org.left("mb_1").unwrap();
    assert_ne!(reload, second);
    org.came("mb_1", "Ada");
    let third = org.left("mb_1").unwrap();
    assert_eq!((org.gone("mb_1", second), org.current(&Scope::Org).len()), (None, 1));
    assert!(org.gone("mb_1", third).is_some());
    assert_eq!((org.gone("mb_1", third), org.current(&Scope::Org)), (None, vec![]));
}

#[test]
fn a_step_of_the_wall_clock_changes_only_what_is_shown() {
    for step in [3_600_000, -3_600_000] {
        let mut org = Org::default();
        org.came("mb_1", "Ada");
        org.writes(true);
        org.step = step;
        org.now = 5_999;
        assert_eq!(org.current(&conversation("in_1:c")), [typing(true)]);
        assert_eq!(org.current(&Scope::Org), [presence("mb_1", "Ada", "online", "40")]);
        org.now = 6_000;
        assert_eq!(org.current(&conversation("in_1:c")), Vec::<String>::new());
        assert_eq!(org.current(&Scope::Org), [presence("mb_1", "Ada", "online", "40")]);
        let departure = org.left("mb_1").unwrap();
        assert!(org.gone("mb_1", departure).is_some());
        assert_eq!(org.current(&Scope::Org), Vec::<String>::new());
    }
}

#[test]
fn who_writes_is_said_by_the_hub_and_lives_6_seconds() {
    let mut org = Org::default();
    assert_eq!(org.writes(true), None, "nobody is here");
    org.came("mb_1", "Ada");
    let claim = r#"{"active":true,"memberId":"mb_2","name":"Bo"}"#;
    assert_eq!(org.writes_in("in_1:c", claim), Some(typing(true)));
    org.now = 900;
    assert_eq!(org.writes(true), None, "told a moment ago");
    org.now = 6_800;
    assert_eq!(org.current(&conversation("in_1:c")), [typing(true)], "but it counts from here");
    assert_eq!(org.current(&conversation("in_1:d")), Vec::<String>::new());
    assert_eq!(org.writes(true), Some(typing(true)));
    assert_eq!(org.writes(false), Some(typing(false)));
    assert_eq!((org.writes(false), org.current(&conversation("in_1:c"))), (None, vec![]));
    let paused = org.signals.latest(&conversation("in_1:c"), "typing mb_1", Instant(org.now)).unwrap();
    assert_eq!(&*paused.frame, typing(false));
}

#[test]
fn a_person_writes_in_a_few_conversations_at_most_and_in_none_when_away() {
    let mut org = Org::default();
    org.came("mb_1", "Ada");
    for n in 0..100 {
        assert!(org.writes_in(&format!("in_1:{n}"), r#"{"active":true}"#).is_some());
    }
    let written = (0..100).filter(|n| !org.current(&conversation(&format!("in_1:{n}"))).is_empty());
    assert_eq!(written.collect::<Vec<_>>(), (92..100).collect::<Vec<_>>());
    let departure = org.left("mb_1").unwrap();
    org.gone("mb_1", departure);
    assert_eq!(org.current(&conversation("in_1:99")), Vec::<String>::new());
}

#[test]
fn names_follow_the_log_and_who_was_removed_vanishes_at_once() {
    let mut org = Org::default();
    org.came("mb_1", "Ada");
    assert_eq!(
        org.event("member.updated", r#"{"name":"Ada L."}"#),
        [presence("mb_1", "Ada L.", "online", "40")]
    );
    assert_eq!(org.event("member.updated", r#"{"role":"viewer"}"#), Vec::<String>::new());
    org.writes(true);
    org.now = 10_000;
    assert_eq!(org.event("member.removed", "{}"), [presence("mb_1", "Ada L.", "offline", "50")]);
    assert_eq!((org.current(&Scope::Org), org.current(&conversation("in_1:c"))), (vec![], vec![]));
    assert_eq!(org.event("member.removed", "{}"), Vec::<String>::new());
    let departure = org.left("mb_1").unwrap();
    assert_eq!(org.gone("mb_1", departure), None, "their sockets close a moment later");
}

#[test]
fn who_left_is_remembered_within_a_limit() {
    let mut org = Org::default();
    for n in 0..2 * MAX_AWAY {
        let id = format!("mb_{n}");
        org.came(&id, "x");
        let departure = org.left(&id).unwrap();
        org.gone(&id, departure);
    }
    let known = |n: usize| org.signals.latest(&Scope::Org, &format!("presence mb_{n}"), Instant(0)).is_some();
    let kept: Vec<_> = (0..2 * MAX_AWAY).filter(|n| known(*n)).collect();
    assert_eq!(kept, (MAX_AWAY..2 * MAX_AWAY).collect::<Vec<_>>());
}
