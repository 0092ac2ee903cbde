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
    let text = format!("{{\"text\":\"{id}\"}}");
    Predicted { kind: "message.created", class: Class::Create, scope: scope(), key: key(id), text }
}

fn patch(class: Class, text: &str) -> Predicted {
    Predicted { kind: "task.upserted", class, scope: scope(), key: key("m1"), text: text.to_owned() }
}

fn local<'a>(overlay: &'a Overlay, id: &str) -> Option<Local<'a>> {
    overlay.view(&scope(), &key(id), None)?.1
}

fn text(overlay: &Overlay, base: Option<&str>) -> Option<String> {
    overlay.view(&scope(), &key("m1"), base).map(|(text, _)| text.into_owned())
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
    assert_eq!(text(&overlay, None).as_deref(), Some("{\"text\":\"m1\"}"));
    let stage = |overlay: &Overlay| local(overlay, "m1").map(|local| local.stage);
    assert_eq!(stage(&overlay), Some(LocalStage::Held));
    assert_eq!(overlay.set_sent(&command("c1"), true), place("m1"));
    assert_eq!(overlay.set_sent(&command("c1"), true), vec![]);
    assert_eq!(stage(&overlay), Some(LocalStage::Sent));
    assert_eq!(overlay.set_sent(&command("c1"), false), place("m1"));
    assert_eq!(stage(&overlay), Some(LocalStage::Held));
    assert_eq!(overlay.view(&Scope::Org, &key("m1"), None), None);
    assert_eq!(overlay.scopes_of(&command("c1")), [scope()]);
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
    assert_eq!(text(&overlay, None), None);
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
    let id = command("c1");
    let want = Local { command: &id, stage: LocalStage::Refused, error: Some(&error) };
    assert_eq!(local(&overlay, "m1"), Some(want));
    assert_eq!(overlay.remove(&command("c1")), place("m1"));
    assert_eq!(overlay.remove(&command("c1")), vec![]);
    assert_eq!(text(&overlay, None), None);
}

#[test]
fn a_created_row_is_the_hubs_as_soon_as_the_hub_has_it() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![row("m1")]);
    let hubs = overlay.view(&scope(), &key("m1"), Some("{}"));
    assert_eq!(hubs, Some((Cow::Borrowed("{}"), None)));
}

#[test]
fn patches_of_several_commands_are_merged_in_their_order_and_leave_one_by_one() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![patch(Class::Update, r#"{"pinned":true,"title":"a"}"#)]);
    overlay.add(&command("c2"), vec![patch(Class::Update, r#"{"title":"b"}"#)]);
    let hubs = r#"{"agentId":"x","title":"0"}"#;
    let base = Some(hubs);
    assert_eq!(text(&overlay, base).as_deref(), Some(r#"{"agentId":"x","pinned":true,"title":"b"}"#));
    let (_, local) = overlay.view(&scope(), &key("m1"), base).unwrap();
    assert_eq!(local.unwrap().command, &command("c2"));
    overlay.applied(&event(Some("c1"), "m1"));
    assert_eq!(text(&overlay, base).as_deref(), Some(r#"{"agentId":"x","title":"b"}"#));
    overlay.applied(&event(Some("c2"), "m1"));
    assert_eq!(overlay.view(&scope(), &key("m1"), base), Some((Cow::Borrowed(hubs), None)));
}

#[test]
fn a_patch_of_an_absent_entity_shows_nothing_except_a_mark() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![patch(Class::Update, r#"{"a":1}"#)]);
    assert_eq!(text(&overlay, None), None);
    overlay.add(&command("c2"), vec![patch(Class::Upsert, r#"{"b":2,"c":null}"#)]);
    assert_eq!(text(&overlay, None).as_deref(), Some(r#"{"b":2}"#));
}

#[test]
fn a_refused_patch_shows_what_the_hub_has_and_the_error() {
    let mut overlay = Overlay::new();
    overlay.add(&command("c1"), vec![patch(Class::Update, r#"{"state":"decided"}"#)]);
    let error = ErrorBody::new(ErrorCode::AlreadyDecided, "Ada decided first");
    assert_eq!(overlay.refused(&command("c1"), error.clone()), place("m1"));
    let base = r#"{"state":"pending"}"#;
    let id = command("c1");
    let want = Local { command: &id, stage: LocalStage::Refused, error: Some(&error) };
    assert_eq!(overlay.view(&scope(), &key("m1"), Some(base)), Some((Cow::Borrowed(base), Some(want))));
    assert_eq!(overlay.remove(&id), place("m1"));
    assert_eq!(overlay.view(&scope(), &key("m1"), Some(base)), Some((Cow::Borrowed(base), None)));
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
