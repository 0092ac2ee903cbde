//! TypeScript declarations from the bundle, so that there is one source of truth and no second derive.

use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str = "// Generated from schemas/v1/otter.schema.json by `cargo xtask schemas`. Do not edit.\n";

/// One exported type per definition of the bundle, and the maps that `client.on`, `client.entity` and `client.command` use.
pub(super) fn declarations(bundle: &Value) -> String {
    let mut out = HEAD.to_owned();
    for (name, def) in bundle["$defs"].as_object().into_iter().flatten() {
        doc(&mut out, "", def);
        if def["type"] == "object" && def["oneOf"].is_null() && def["properties"].is_object() {
            let _ = writeln!(out, "export interface {name} {}\n", object(def, ""));
        } else {
            let _ = writeln!(out, "export type {name} = {};\n", expression(def, ""));
        }
    }
    map(
        &mut out,
        "EventMap",
        "The event of each kind.",
        crate::catalogue::KINDS.iter().map(|row| row.name),
        |kind| find(bundle, kind, "Event"),
    );
    map(
        &mut out,
        "EntityMap",
        "The entity of each type.",
        crate::catalogue::ENTITIES.iter().map(|row| row.name),
        |name| Some(format!("{}Entity", pascal(name))),
    );
    map(
        &mut out,
        "CommandMap",
        "The data of each command.",
        crate::catalogue::COMMANDS.iter().map(|row| row.name),
        |kind| find(bundle, kind, "Command").map(|name| format!("{name}['data']")),
    );
    map(
        &mut out,
        "SignalMap",
        "The data of each signal.",
        crate::catalogue::SIGNALS.iter().map(|row| row.name),
        |kind| find(bundle, kind, "Signal").map(|name| format!("{name}['data']")),
    );
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn map<'a>(
    out: &mut String,
    name: &str,
    words: &str,
    keys: impl Iterator<Item = &'a str>,
    target: impl Fn(&str) -> Option<String>,
) {
    let _ = writeln!(out, "/** {words} */\nexport interface {name} {{");
    for key in keys {
        let _ = writeln!(out, "  '{key}': {};", target(key).unwrap_or_else(|| "unknown".to_owned()));
    }
    out.push_str("}\n\n");
}

/// The definition whose `kind` is the constant `kind`.
fn find(bundle: &Value, kind: &str, suffix: &str) -> Option<String> {
    let defs = bundle["$defs"].as_object()?;
    defs.iter()
        .find(|(name, def)| name.ends_with(suffix) && def["properties"]["kind"]["const"] == kind)
        .map(|(name, _)| name.clone())
}

fn pascal(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn doc(out: &mut String, indent: &str, schema: &Value) {
    if let Some(words) = schema["description"].as_str() {
        let _ = writeln!(out, "{indent}/** {} */", words.replace('\n', " "));
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let mut out = "{\n".to_owned();
    for (key, member) in schema["properties"].as_object().into_iter().flatten() {
        doc(&mut out, &inner, member);
        let required =
            schema["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key.as_str()));
        let _ =
            writeln!(out, "{inner}{key}{}: {};", if required { "" } else { "?" }, expression(member, &inner));
    }
    let _ = write!(out, "{indent}}}");
    out
}

fn expression(schema: &Value, indent: &str) -> String {
    let union = |arms: &Vec<Value>, by: &str| {
        arms.iter().map(|arm| expression(arm, indent)).collect::<Vec<_>>().join(by)
    };
    if let Some(target) = schema["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or("unknown").to_owned();
    }
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    if schema["x-open"] == true {
        // The known words are offered, any other is taken.
        return format!("{} | (string & {{}})", expression(&schema["anyOf"][0], indent));
    }
    if let Some(prefix) = key_prefix(schema) {
        return format!("`{prefix}/${{string}}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    for (key, by) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(arms) = schema[key].as_array() {
            return union(arms, by);
        }
    }
    match &schema["type"] {
        Value::String(word) => named(word, schema, indent),
        Value::Array(words) => words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| named(word, schema, indent))
            .collect::<Vec<_>>()
            .join(" | "),
        _ => "unknown".to_owned(),
    }
}

/// `task` of a pattern that is `task/` and an id.
fn key_prefix(schema: &Value) -> Option<&str> {
    let (prefix, rest) = schema["pattern"].as_str()?.strip_prefix('^')?.split_once('/')?;
    let is_word = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_word && rest.starts_with("[A-Za-z")).then_some(prefix)
}

fn named(word: &str, schema: &Value, indent: &str) -> String {
    match word {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => format!("Array<{}>", expression(&schema["items"], indent)),
        "object" if schema["properties"].is_object() => object(schema, indent),
        "object" if schema["additionalProperties"].is_object() => {
            format!("Record<string, {}>", expression(&schema["additionalProperties"], indent))
        }
        "object" => "Record<string, unknown>".to_owned(),
        _ => "unknown".to_owned(),
    }
}
