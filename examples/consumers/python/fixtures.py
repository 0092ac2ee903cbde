"""Runs the fixtures of the contract: what is valid passes, what is invalid is refused where it says, what is of a newer
release is read, ignored, passed on or ends the reader as docs/versioning.md says."""
import json
import sys
from jsonschema.exceptions import best_match
from consumer import V1, Schema, parse

UNIONS = {"event": "Event", "hub": "HubFrame", "client": "ClientFrame", "command": "Command", "signal": "Signal", "entity": "Entity"}
catalogue = parse((V1 / "catalogue.json").read_text())


def files(folder):
    for file in sorted((V1 / "fixtures" / folder).glob("*.json")):
        yield f"{folder}/{file.stem}", file.read_text()


def escaped(steps):
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def pointers(errors):
    """Where each error is; of a missing member, where it should be."""
    found = set()
    for error in errors:
        if error.context:
            found |= pointers(error.context)
        steps = list(error.absolute_path)
        if error.validator == "required":
            steps += [next(name for name in error.validator_value if name not in error.instance)]
        found.add(escaped(steps))
    return found


def row(part, key, name, **more):
    return next((row for row in catalogue[part] if row[key] == name and all(row[k] == v for k, v in more.items())), None)


def errors_of(schema, group, value):
    """The errors of a value, with the definition looked up the way a reader does."""
    check = lambda reference, part, prefix="": [prefix + at for at in pointers(schema.of[reference].iter_errors(part))]
    if group == "command":
        found = row("commands", "command", value["kind"])
        return check(found["payload"], value["data"], "/data") if found else ["/kind"]
    if group == "event":
        found = row("kinds", "kind", value.get("kind"))
        return check("#/$defs/NewEvent", value) + (check(found["payload"], value.get("data"), "/data") if found else [])
    found = row("frames", "frame", value.get("type"), **{"from": group})
    if found is None:
        return ["/type"]
    errors = check(found["schema"], value)
    for at, event in enumerate(value.get("events", []) if group == "hub" else []):
        kind = row("kinds", "kind", event.get("kind"))
        errors += check(kind["event"] if kind else "#/$defs/RecordedEvent", event, f"/events/{at}")
    return errors


def valid(schema, strict):
    for folder, union in UNIONS.items():
        for name, text in files(f"valid/{folder}"):
            if "/x." in name:
                continue  # integrators' names are not in the unions
            for each in (schema, strict):
                error = best_match(each.of[f"#/$defs/{union}"].iter_errors(parse(text)))
                yield name, error is None, error


def invalid(schema):
    for group, member in (("event", "event"), ("command", "command"), ("client", "frame"), ("hub", "frame")):
        for name, text in files(f"invalid/{group}"):
            case = parse(text)
            if not case["schema"]:
                continue  # only a hub can tell
            value = parse(case["raw"]) if "raw" in case else case[member]
            found = errors_of(schema, group, value)
            yield name, case["expect"].get("pointer") in found, found


def outcome(schema, frame):
    if row("frames", "frame", frame["type"], **{"from": "hub"}) is None:
        return "ignores"
    errors = errors_of(schema, "hub", frame)
    if errors:
        return "stops" if all(at.endswith("/op") for at in errors) else errors
    for event in frame.get("events", []):
        kind = row("kinds", "kind", event["kind"])
        if kind is None or any(effect["entity"].split("/")[0] != kind["entity"] for effect in event["effects"]):
            return "relays"
    return "reads"


def future(schema):
    for name, text in files("future/hub"):
        case = parse(text)
        got = outcome(schema, parse(case["raw"]) if "raw" in case else case["frame"])
        yield name, got == case["expect"]["outcome"], got


if __name__ == "__main__":
    schema, strict = Schema(), Schema("otter.strict.schema.json")
    results = [*valid(schema, strict), *invalid(schema), *future(schema)]
    wrong = [(name, found) for name, passed, found in results if not passed]
    for name, found in wrong:
        print(f"{name}: {found}")
    print(f"{len(results) - len(wrong)} of {len(results)} fixtures as they should")
    sys.exit(bool(wrong))
