//! Events of integrators at the door: a rule instead of rows of the catalogue.

use otter_proto::catalogue::{self, VENDOR_ENTITY};
use otter_proto::effect::{Effect, EffectOp};
use otter_proto::error::ErrorCode;
use otter_proto::event::NewEvent;
use otter_proto::frame::Lane;
use otter_proto::id::{InstanceId, Scope, belongs_to};
use otter_proto::limits::{MAX_VENDOR_EFFECTS, VENDOR_EVENT_BYTES};
use otter_proto::text::{Cursor, drop_nulls};

use super::{canonical, malformed, own_conversation};
use crate::ledger::fact::{Refusal, Source};
use crate::ledger::json;
use crate::ledger::vendor::{VendorEffect, VendorFact};

/// Checks an event of an integrator, but for who caused it.
pub(super) fn fact(instance: &InstanceId, lane: Lane, event: &NewEvent) -> Result<VendorFact, Refusal> {
    let refuse = |code, pointer: &str| Err(Refusal::at(code, pointer));
    let Some(vendor) = catalogue::vendor(&event.kind) else { return refuse(ErrorCode::UnknownKind, "/kind") };
    if lane != VENDOR_ENTITY.lane {
        return refuse(ErrorCode::WrongLane, "/kind");
    }
    if !belongs_to(event.subject.as_str(), instance.as_str()) {
        return refuse(ErrorCode::NotOwner, "/subject");
    }
    let scope = match &event.conversation {
        None => Scope::Org,
        Some(id) => Scope::Conversation(own_conversation(instance, id)?),
    };
    let data = canonical(event.data.as_str(), "/data")?;
    if !data.starts_with('{') {
        return refuse(ErrorCode::InvalidData, "/data");
    }
    if json::string(&data, "instanceId").is_some_and(|id| id != instance.as_str()) {
        return refuse(ErrorCode::NotOwner, "/data/instanceId");
    }
    let Some(effects) = &event.effects else { return refuse(ErrorCode::InvalidData, "/effects") };
    let effects = canonical(effects.as_str(), "/effects")?;
    if data.len() + effects.len() > VENDOR_EVENT_BYTES {
        return Err(Refusal::new(ErrorCode::TooLarge));
    }
    Ok(VendorFact {
        id: event.id.clone(),
        kind: event.kind.clone(),
        scope,
        caused_by: event.caused_by.clone(),
        source: Source::Instance(instance.clone()),
        effects: read(&Owner { instance, vendor }, &effects, &data)?,
        data,
    })
}

/// Whose entities may be written.
struct Owner<'a> {
    instance: &'a InstanceId,
    vendor: &'a str,
}

fn read(owner: &Owner<'_>, effects: &str, data: &str) -> Result<Vec<VendorEffect>, Refusal> {
    let mut texts = Vec::new();
    let list = Cursor::new(effects).array(&mut |cursor| cursor.value().map(|text| texts.push(text)));
    if list.is_err() || texts.is_empty() {
        return Err(Refusal::at(ErrorCode::InvalidData, "/effects"));
    }
    if texts.len() > MAX_VENDOR_EFFECTS {
        return Err(Refusal::at(ErrorCode::TooLarge, "/effects"));
    }
    let mut all: Vec<VendorEffect> = Vec::new();
    for (at, text) in texts.into_iter().enumerate() {
        let within = |refusal: Refusal| Refusal {
            pointer: Some(format!("/effects/{at}{}", refusal.pointer.unwrap_or_default())),
            ..refusal
        };
        let effect = one(owner, text, data).map_err(within)?;
        if all.iter().any(|other| other.key == effect.key) {
            return Err(within(Refusal::at(ErrorCode::InvalidData, "/entity")));
        }
        all.push(effect);
    }
    Ok(all)
}

/// One effect; pointers begin at it.
fn one(owner: &Owner<'_>, text: &str, data: &str) -> Result<VendorEffect, Refusal> {
    let effect = Effect::read(&mut Cursor::new(text)).map_err(|error| malformed(&error, text))?;
    let (op, key) = (effect.op, effect.entity);
    if catalogue::vendor(key.entity_type()) != Some(owner.vendor) {
        return Err(Refusal::at(ErrorCode::NotPublisher, "/entity"));
    }
    if !belongs_to(key.id(), owner.instance.as_str()) {
        return Err(Refusal::at(ErrorCode::NotOwner, "/entity"));
    }
    let writes = matches!(op, EffectOp::Put | EffectOp::Merge);
    if effect.value.is_some_and(|value| !writes || !value.starts_with('{')) {
        return Err(Refusal::at(ErrorCode::InvalidData, "/value"));
    }
    let value = match op {
        EffectOp::Put => Some(drop_nulls(effect.value.unwrap_or(data))).filter(|value| value != data),
        EffectOp::Merge => effect.value.map(str::to_owned),
        EffectOp::Delete | EffectOp::Evict => None,
    };
    Ok(VendorEffect { op, key, value })
}
