"""A reader of Otter's contract: checks frames by the published schema, reduces them, proves itself on every vector."""
import json, pathlib
from jsonschema import Draft202012Validator

V1 = pathlib.Path(__file__).parents[3] / "schemas/v1"

class Number(str):
    """A fraction as the hub wrote it: canonical text is passed on, never formatted again."""

def parse(text):
    return json.loads(text, parse_float=Number)

class Schema:
    """Validators by definition. A frame is looked up by its type and an event by its kind: then an error says where it
    is, and a kind that is not known yet is no error."""
    def __init__(self, file="otter.schema.json"):
        defs, rows = parse((V1 / file).read_text())["$defs"], parse((V1 / "catalogue.json").read_text())
        self.of = {f"#/$defs/{name}": Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": defs}) for name in defs}
        self.frames = {row["frame"]: self.of[row["schema"]] for row in rows["frames"] if row["from"] == "hub"}
        self.events = {row["kind"]: self.of[row["event"]] for row in rows["kinds"]}
    def check(self, frame):
        self.frames[frame["type"]].validate(frame)
        for event in frame.get("events", []):
            self.events.get(event["kind"], self.of["#/$defs/RecordedEvent"]).validate(event)

def canonical(value):  # what is hashed: keys by byte, no spaces, minimal escapes
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)

def merge(target, patch):  # RFC 7396
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    merged.update({key: merge(merged.get(key), value) for key, value in patch.items()})
    return {key: value for key, value in merged.items() if patch.get(key, value) is not None}

class Scope(dict):
    """The entities of one scope: key -> (value, rev, live)."""
    def take(self, frame):
        if frame["type"] == "subscribed" and frame["mode"] == "snapshot":
            self.clear()
        for row in frame.get("entities", []) + frame.get("rows", []):  # of a snapshot, of a page
            if row["rev"] > self.get(row["entity"], (None, -1))[1]:
                self[row["entity"]] = (row["value"], row["rev"], row.get("live", True))
        for event in frame.get("events", []):
            for effect in event["effects"]:
                self.apply(event["seq"], effect["op"], effect["entity"], effect.get("value", event["data"]))
    def apply(self, seq, op, key, value):
        old, rev, live = self.get(key, (None, -1, False))
        if op not in ("put", "merge", "evict", "delete"):
            raise SystemExit(f"this reader is too old: it does not know `{op}`")
        if seq > rev and (key in self or op == "put"):
            match op:
                case "put": self[key] = (value, seq, True)
                case "merge": self[key] = (merge(old, value), seq, live)
                case "evict": self[key] = (old, seq, False)
                case "delete": del self[key]
    def rows(self):
        return [{"entity": key, "rev": rev, "value": value} for key, (value, rev, live) in sorted(self.items()) if live]
    def hash(self):
        texts = ("\0".join((row["entity"], str(row["rev"]), canonical(row["value"]))) for row in self.rows())
        return f"{sum(map(fnv1a, texts)) % 2**64:016x}"

def fnv1a(text, hashed=0xCBF29CE484222325):
    for byte in text.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
    return hashed

if __name__ == "__main__":
    schema, vectors = Schema(), sorted((V1 / "fixtures/state").glob("*.json"))
    for vector, run in ((vector, run) for vector in map(parse, (file.read_text() for file in vectors)) for run in vector["runs"]):
        scope = Scope({row["entity"]: (row["value"], row["rev"], True) for row in vector["start"]})
        for frame in run["frames"]:
            schema.check(frame)
            scope.take(frame)
        assert (scope.rows(), scope.hash()) == (vector["entities"], vector["hash"]), f"{vector['description']} {run['description']}"
    print(f"{len(vectors)} vectors end as they should")
