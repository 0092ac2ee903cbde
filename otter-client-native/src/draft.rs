//! Events before they are published.

use otter_proto::effect::{Effect, EffectOp};
use otter_proto::event::NewEvent;
use otter_proto::id::{CommandId, ConversationId, EntityId, EntityKey};
use otter_proto::wire::Json;
use serde::Serialize;

use crate::ids;

/// An event to publish, with its id.
#[derive(Debug, Clone)]
pub struct EventDraft(NewEvent);

impl EventDraft {
    /// An event of a kind about an entity. `data` is the payload of the kind.
    pub fn new(kind: &str, subject: EntityId, data: &impl Serialize) -> Result<Self, serde_json::Error> {
        let data = Json::trusted(serde_json::to_string(data)?);
        Ok(Self(NewEvent {
            id: ids::event_id(),
            kind: kind.to_owned(),
            subject,
            conversation: None,
            caused_by: None,
            observed_at: None,
            data,
            effects: None,
        }))
    }

    /// Names the conversation that it belongs to.
    #[must_use]
    pub fn conversation(mut self, conversation: ConversationId) -> Self {
        self.0.conversation = Some(conversation);
        self
    }

    /// Names the command that caused it.
    #[must_use]
    pub fn caused_by(mut self, command: CommandId) -> Self {
        self.0.caused_by = Some(command);
        self
    }

    /// An integrator's event (`x.<vendor>.<name>`) puts an entity of its own, `x.<vendor>.<type>/<instance>:<rest>`: the
    /// event's data becomes its value.
    #[must_use]
    pub fn put(self, entity: EntityKey) -> Self {
        self.effect(EffectOp::Put, entity, None)
    }

    /// It merges its data into an entity of its own, when that is there; `null` removes a member.
    #[must_use]
    pub fn merge(self, entity: EntityKey) -> Self {
        self.effect(EffectOp::Merge, entity, None)
    }

    /// It puts an entity of its own with another value than the event's data.
    pub fn put_value(self, entity: EntityKey, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(self.effect(EffectOp::Put, entity, Some(&serde_json::to_string(value)?)))
    }

    /// It merges something else than its data into an entity of its own, when that is there.
    pub fn merge_value(self, entity: EntityKey, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(self.effect(EffectOp::Merge, entity, Some(&serde_json::to_string(value)?)))
    }

    /// It takes an entity of its own out of the live window; people can still scroll back to it.
    #[must_use]
    pub fn evict(self, entity: EntityKey) -> Self {
        self.effect(EffectOp::Evict, entity, None)
    }

    /// It removes an entity of its own.
    #[must_use]
    pub fn delete(self, entity: EntityKey) -> Self {
        self.effect(EffectOp::Delete, entity, None)
    }

    fn effect(mut self, op: EffectOp, entity: EntityKey, value: Option<&str>) -> Self {
        let before = self.0.effects.take().map(Json::into_string);
        let mut all = before.map_or_else(|| "[".to_owned(), |all| all.trim_end_matches(']').to_owned() + ",");
        Effect { op, entity, value }.write(&mut all);
        all.push(']');
        self.0.effects = Some(Json::trusted(all));
        self
    }

    /// The event.
    pub const fn event(&self) -> &NewEvent {
        &self.0
    }

    /// The event.
    pub fn into_event(self) -> NewEvent {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integrators_event_says_what_it_does() {
        let key = |id: &str| EntityKey::new("x.acme.deployment", id).unwrap();
        let draft =
            EventDraft::new("x.acme.deployed", EntityId::new("in_1:2").unwrap(), &json!({"list": [[1]]}))
                .unwrap()
                .put(key("in_1:2"))
                .merge_value(key("in_1:1"), &json!({"tags": ["a"]}))
                .unwrap()
                .evict(key("in_1:0"));
        let want = r#"[{"op":"put","entity":"x.acme.deployment/in_1:2"},{"op":"merge","entity":"x.acme.deployment/in_1:1","value":{"tags":["a"]}},{"op":"evict","entity":"x.acme.deployment/in_1:0"}]"#;
        assert_eq!(draft.event().effects.as_ref().map(Json::as_str), Some(want));
    }
}
