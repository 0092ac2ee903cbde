//! The bundle: one JSON Schema (2020-12) with everything in `$defs`, references never inlined.

mod entities;
mod envelope;
mod frames;
mod unions;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::catalogue;
use crate::kind;
use crate::schema::limits;
use crate::schema::normalise::{Nulls, normalise_frame, normalise_payload, open};

/// Definitions by name.
pub(super) type Defs = BTreeMap<String, Value>;

/// The name of each payload's definition, by kind, command or signal.
pub(super) type Payloads = BTreeMap<&'static str, String>;

/// The whole bundle.
pub(super) fn bundle() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let payloads = payloads(&mut generator);
    generator.subschema_for::<kind::VendorCommand>();
    frames::generate(&mut generator);
    let mut defs: Defs = generator.take_definitions(true).into_iter().collect();
    for (name, def) in &mut defs {
        if frames::is_frame_part(name) {
            normalise_frame(def);
        } else {
            normalise_payload(def, nulls(name, &payloads));
        }
    }
    limits::of_payloads(&payloads, &mut defs);
    envelope::add(&payloads, &mut defs);
    entities::add(&payloads, &mut defs);
    frames::add(&mut defs);
    unions::add(&payloads, &mut defs);
    limits::of_the_rest(&payloads, &mut defs);
    for (name, def) in &mut defs {
        open(name, def);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:otter:protocol:v1",
        "title": "Otter protocol, version 1",
        "description": "Frames, events, entities and commands. Objects are open: ignore members you do not know. Unknown kinds are relayed and stored, never an error for a reader.",
        "anyOf": [reference("ClientFrame"), reference("HubFrame")],
        "$defs": Map::from_iter(defs),
    })
}

/// A reference to a definition.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// `Task` of `task`.
pub(super) fn pascal(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator, name: &'static str, payloads: &mut Payloads) {
    generator.subschema_for::<T>();
    payloads.insert(name, T::schema_name().into_owned());
}

macro_rules! payloads {
    ($($group:ident: { $($name:literal => $ty:ident,)* })*) => {
        fn payloads(generator: &mut SchemaGenerator) -> Payloads {
            let mut payloads = Payloads::new();
            $($(add::<kind::$ty>(generator, $name, &mut payloads);)*)*
            payloads
        }
    };
}

kind::payloads::with_payloads!(payloads);

/// Where `null` removes a member: in what is merged into an entity.
fn nulls(def: &str, payloads: &Payloads) -> Nulls {
    let Some((name, _)) = payloads.iter().find(|(_, payload)| *payload == def) else { return Nulls::Absent };
    match (*name, catalogue::kind(name).map(|row| row.class)) {
        ("task.update", _) => Nulls::RemoveBut(&["title", "status"]),
        ("conversation.update", _) | (_, Some(catalogue::Class::Upsert | catalogue::Class::Update)) => {
            Nulls::RemoveBut(&[])
        }
        (_, Some(catalogue::Class::Create | catalogue::Class::Remove) | None) => Nulls::Absent,
    }
}
