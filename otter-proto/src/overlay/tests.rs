use pretty_assertions::assert_eq;

use super::*;
use crate::UnixMillis;
use crate::effect::{Effect, EffectOp};
use crate::error::ErrorCode;
use crate::id::EventId;
use crate::wire::Positions;

fn scope() -> Scope {
    Scope::parse("conversation/in_1:c").unwrap()
}

fn command(id: &str) -> CommandId {
    CommandId::new(id).unwrap()
}

fn epoch(id: &str) -> Epoch {
    Epoch::new(id).unwrap()
}

fn key(id: &str) -> EntityKey {
    EntityKey::new("message", id).unwrap()
}

fn row(id: &str) -> Predicted {
    Predicted { scope: scope(), key: key(id), text: format!("{{\"text\":\"{id}\"}}") }
}

fn place(id: &str) -> Vec<Place> {
    vec![(scope(), key(id))]
}

fn reply(in_epoch: &str, at: &[(Scope, u64)]) -> Accepted {
    Accepted { epoch: epoch(in_epoch), at: Positions(at.iter().cloned().collect()) }
}

fn event(cause: Option<&str>, entity: &str) -> RecordedEvent<'static> {
    RecordedEvent {
        seq: 7,
        prev: 6,
        id: EventId::new("ev").unwrap(),
        at: UnixMillis(0),
        scope: scope(),
        kind: "message.created".to_owned(),
        source: "{}",
        caused_by: cause.map(command),
        effects: vec![Effect { op: EffectOp::Put, entity: key(entity), value: None }],
        data: "{}",
    }
}

#[test]
fn a_prediction_is_shown_with_the_stage_of_its_command() {
    let mut overlay = Overlay::new();
    assert_eq!(overlay.add(&command("c1"), vec![row("m1")]), place("m1"));
    assert_eq!(overlay.get(&scope(), &key("m1")), Some("{\"text\":\"m1\"}"));
    let stage = |overlay: &Overlay| overlay.local(&scope(), &key("m1")).map(|local| local.stage);
    assert_eq!(stage(&overlay), Some(LocalStage::Held));
    assert_eq!(overlay.set_sent(&command("c1"), true), place("m1"));
    assert_eq!(overlay.set_sent(&command("c1"), true), vec![]);
    assert_eq!(stage(&overlay), Some(LocalStage::Sent));
    assert_eq!(overlay.set_sent(&command("c1"), false), place("m1"));
    assert_eq!(stage(&overlay), Some(LocalStage::Held));
    assert_eq!(overlay.get(&Scope::Org, &key("m1")), None);
    assert_eq!(overlay.add(&command("c1"), vec![row("m9")]), vec![], "the same command again");
}

#[test]
fn it_leaves_when_an_event_of_its_command_is_applied_to_the_entity() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![row("m1"), row("m2")]);
    overlay.add(&command("c2"), vec![row("m3")]);
    assert_eq!(overlay.applied(&event(None, "m1")), vec![]);
    assert_eq!(overlay.applied(&event(Some("c2"), "m1")), vec![]);
    assert_eq!(overlay.applied(&event(Some("c1"), "m1")), place("m1"));
    assert_eq!(overlay.get(&scope(), &key("m1")), None);
    let shown: Vec<_> = overlay.rows(&scope()).map(|row| row.key.clone()).collect();
    assert_eq!(shown, vec![key("m2"), key("m3")]);
}

#[test]
fn it_leaves_at_the_position_of_the_reply_in_the_epoch_of_the_reply() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![row("m1")]);
    assert_eq!(overlay.reached(&scope(), &epoch("a"), 1_000), vec![], "no reply: never");
    overlay.set_sent(&command("c1"), true);
    assert_eq!(overlay.accepted(&command("c1"), reply("a", &[(scope(), 40)])), vec![]);
    assert_eq!(overlay.reached(&scope(), &epoch("a"), 39), vec![]);
    assert_eq!(overlay.reached(&scope(), &epoch("b"), 1_000), vec![]);
    assert_eq!(overlay.reached(&Scope::Org, &epoch("a"), 1_000), vec![]);
    assert_eq!(overlay.accepted_in(&command("c1")), Some(&epoch("a")));
    assert_eq!(overlay.reached(&scope(), &epoch("a"), 40), place("m1"));
    assert_eq!(overlay.accepted_in(&command("c1")), None);
}

#[test]
fn a_reply_that_wrote_nothing_in_the_scope_ends_the_prediction_at_once() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![row("m1")]);
    overlay.accepted(&command("c1"), reply("a", &[(Scope::Org, 4)]));
    assert_eq!(overlay.reached(&scope(), &epoch("a"), 0), place("m1"));
}

#[test]
fn a_second_reply_after_an_epoch_change_counts() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![row("m1")]);
    overlay.accepted(&command("c1"), reply("a", &[(scope(), 40)]));
    overlay.accepted(&command("c1"), reply("b", &[(scope(), 12)]));
    assert_eq!(overlay.reached(&scope(), &epoch("b"), 12), place("m1"));
}

#[test]
fn a_refused_one_stays_with_its_error_until_it_is_removed() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![row("m1")]);
    overlay.set_sent(&command("c1"), true);
    let error = ErrorBody::new(ErrorCode::ALL[0], "no");
    assert_eq!(overlay.refused(&command("c1"), error.clone()), place("m1"));
    assert_eq!(overlay.set_sent(&command("c1"), false), vec![]);
    assert_eq!(overlay.reached(&scope(), &epoch("a"), 1_000), vec![]);
    let want = Local { command: &command("c1"), stage: LocalStage::Refused, error: Some(&error) };
    assert_eq!(overlay.local(&scope(), &key("m1")), Some(want));
    assert_eq!(overlay.remove(&command("c1")), place("m1"));
    assert_eq!(overlay.remove(&command("c1")), vec![]);
    assert_eq!(overlay.local(&scope(), &key("m1")), None);
}

#[test]
fn predictions_are_bounded_and_can_be_forgotten_by_scope() {
    let mut overlay = Overlay::new();
    for n in 0..=MAX_PREDICTED {
        let id = format!("m{n}");
        let added = overlay.add(&command(&id), vec![row(&id)]);
        assert_eq!(added.len(), usize::from(n < MAX_PREDICTED));
    }
    overlay.forget(&Scope::Org);
    assert_eq!(overlay.rows(&scope()).count(), MAX_PREDICTED);
    overlay.forget(&scope());
    assert_eq!(overlay.add(&command("again"), vec![row("again")]), place("again"));
}
