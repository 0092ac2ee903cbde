"""A member and an instance that know Otter only from docs/protocol.md talk over a real hub, and check every frame.

    python conversation.py path/to/otter-server [transcript.jsonl]

With a second argument the frames are kept: the golden transcript of a whole conversation.
"""
import asyncio
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from websockets.asyncio.client import connect
from consumer import Schema, Scope, parse

SUBPROTOCOL = "otter.v1.json"
strict = Schema("otter.strict.schema.json")
transcript = []


class Connection:
    """One end of a WebSocket: counts data frames, answers pings, keeps what came by type."""

    def __init__(self, name, ws):
        self.name, self.ws, self.frames, self.scopes, self.pos = name, ws, [], {}, {}
        self.data_frames = 0

    async def send(self, frame):
        strict.of[f"#/$defs/{frame['type'].capitalize()}Frame"].validate(frame)
        transcript.append({"from": self.name, "frame": frame})
        await self.ws.send(json.dumps(frame))

    async def receive(self):
        message = await asyncio.wait_for(self.ws.recv(), 60)
        for text in message.split("\n"):
            frame = parse(text)
            strict.check(frame)  # what our hub says is exactly what it published
            transcript.append({"from": "hub", "to": self.name, "frame": json.loads(text)})
            await self.take(frame)
            self.frames.append(frame)

    async def take(self, frame):
        scope = frame.get("scope")
        if frame["type"] == "ping":
            await self.send({"type": "pong", "pos": self.pos})
        if frame["type"] in ("subscribed", "snapshot", "events"):
            state = self.scopes.setdefault(scope, Scope())
            for event in frame.get("events", []):
                assert event["prev"] <= self.pos.get(scope, 0), f"a hole in {scope}"
                self.pos[scope] = max(self.pos.get(scope, 0), event["seq"])
            state.take(frame)
            if frame["type"] == "snapshot":
                self.pos[scope] = max(self.pos.get(scope, 0), frame["asOf"])
            if "hash" in frame and frame["type"] == "events":
                assert state.hash() == frame["hash"], "the state hash differs"
        if frame["type"] in ("snapshot", "events", "page"):
            self.data_frames += 1
            await self.send({"type": "ack", "frames": self.data_frames})

    async def until(self, wanted, what):
        """Receives until a frame satisfies `wanted`; gives it."""
        seen = 0
        while True:
            for frame in self.frames[seen:]:
                seen += 1
                if wanted(frame):
                    return frame
            await self.receive()
            assert not any(frame["type"] in ("error", "refuse", "bye") for frame in self.frames[seen:]), f"{what}: {self.frames[-1]}"

    async def row(self, scope, key, holds, what):
        """Receives until an entity is as it should be; gives it."""
        while not (key in self.scopes.get(scope, {}) and holds(self.scopes[scope][key][0])):
            await self.receive()
        return self.scopes[scope][key][0]


def instant():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


class Publisher:
    """The outbox of an instance, kept in memory: numbers the events of each lane."""

    def __init__(self, connection):
        self.connection, self.next = connection, {"main": 1, "bulk": 1}

    async def publish(self, lane, *events):
        frame = {"type": "publish", "lane": lane, "producerEpoch": 1, "first": self.next[lane], "events": []}
        for kind, subject, data, more in events:
            frame["events"].append({"id": f"ev_{uuid.uuid4()}", "kind": kind, "subject": subject, **more, "data": data})
        self.next[lane] += len(events)
        await self.connection.send(frame)
        up_to = self.next[lane] - 1
        answer = await self.connection.until(lambda f: f["type"] == "published" and f["lane"] == lane and f["upTo"] >= up_to, "published")
        assert not answer.get("rejected") and not answer.get("error"), answer


async def instance_begins(connection):
    await connection.send({"type": "hello", "protocol": {"min": 1, "max": 1}, "client": {"name": "conversation", "version": "1"}, "boots": [f"b_{uuid.uuid4().hex}"]})
    welcome = await connection.until(lambda f: f["type"] == "welcome", "welcome")
    me = welcome["principal"]["id"]
    outbox = Publisher(connection)
    conversation = f"{me}:c1"
    await outbox.publish(
        "main",
        ("agent.upserted", f"{me}:main", {"instanceId": me, "name": "Main Otter"}, {}),
        ("conversation.upserted", conversation, {"instanceId": me, "agentId": f"{me}:main", "address": {"kind": "session", "sessionKey": "agent:main:main"}}, {}),
    )
    await outbox.publish("bulk", ("feed.itemAdded", f"{me}:f1", {"category": "alert", "severity": "info", "title": "hello", "instanceId": me, "occurredAt": instant()}, {}))
    return me, conversation, outbox


async def instance_answers(connection, me, conversation, outbox):
    """Carries out one `message.send`: takes it, runs, streams, answers."""
    command = await connection.until(lambda f: f["type"] == "command", "a command")
    inside, asked, run = {"conversation": conversation}, {"causedBy": command["id"]}, f"{me}:r1"
    await outbox.publish(
        "main",
        ("command.updated", command["id"], {"stage": "received"}, {}),
        ("message.deliveryChanged", f"{me}:{command['id']}:user", {"delivery": {"state": "taken"}}, inside | asked),
        ("run.started", run, {"conversationId": conversation, "agentId": f"{me}:main", "state": "running", "startedAt": instant()}, inside | asked),
        ("command.updated", command["id"], {"stage": "completed"}, {}),
    )
    await connection.send({"type": "signal", "scope": f"conversation/{conversation}", "kind": "message.delta", "data": {"runId": run, "offset": 0, "text": "Hel"}})
    await outbox.publish(
        "main",
        ("message.created", f"{run}:answer", {"conversationId": conversation, "author": {"type": "agent", "id": f"{me}:main", "name": "Main Otter"}, "text": "Hello \U0001f9a6", "status": "complete", "runId": run}, inside),
        ("run.completed", run, {"state": "completed", "endedAt": instant(), "usage": {"input": 10, "output": 2}}, inside),
    )


async def member_begins(connection, conversation):
    await connection.send({"type": "hello", "protocol": {"min": 1, "max": 1}, "client": {"name": "conversation", "version": "1"}, "subscribe": [{"scope": "org", "sub": 1}, {"scope": "member/self", "sub": 2}]})
    await connection.row("org", f"conversation/{conversation}", lambda row: True, "the conversation")
    await connection.send({"type": "subscribe", "scope": f"conversation/{conversation}", "sub": 3})
    await connection.until(lambda f: f["type"] == "snapshot" and f["scope"] == f"conversation/{conversation}", "its snapshot")


async def member_speaks(connection, me, conversation):
    command, scope = str(uuid.UUID(int=uuid7())), f"conversation/{conversation}"
    await connection.send({"type": "signal", "scope": scope, "kind": "typing", "data": {"active": True}})
    await connection.send({"type": "command", "id": command, "kind": "message.send", "data": {"conversationId": conversation, "text": "ship it"}})
    reply = await connection.until(lambda f: f["type"] == "reply" and f["id"] == command, "a reply")
    assert "accepted" in reply, reply
    await connection.row(scope, f"message/{me}:{command}:user", lambda row: row["delivery"]["state"] == "taken", "its delivery")
    return command


async def member_looks_back(connection, me, conversation, command):
    scope = f"conversation/{conversation}"
    answer = await connection.row(scope, f"message/{me}:r1:answer", lambda row: True, "the answer")
    assert answer["text"] == "Hello \U0001f9a6"
    await connection.row(scope, f"run/{me}:r1", lambda row: row["state"] == "completed", "the end of the run")
    await connection.row("org", f"command/{command}", lambda row: row["stage"] == "completed", "the end of the command")
    await connection.send({"type": "fetch", "id": 1, "scope": scope, "entityType": "message", "limit": 1})
    newest = await connection.until(lambda f: f["type"] == "page" and f["id"] == 1, "a page")
    assert [row["entity"] for row in newest["rows"]] == [f"message/{me}:r1:answer"], newest
    await connection.send({"type": "fetch", "id": 2, "scope": scope, "entityType": "message", "before": newest["next"]})
    older = await connection.until(lambda f: f["type"] == "page" and f["id"] == 2, "an older page")
    assert [row["entity"] for row in older["rows"]] == [f"message/{me}:{command}:user"], older
    await connection.send({"type": "command", "id": str(uuid.UUID(int=uuid7())), "kind": "task.create", "data": {"title": ""}})
    refused = await connection.until(lambda f: f["type"] == "reply" and "refused" in f, "a refusal")
    assert (refused["refused"]["code"], refused["refused"]["pointer"]) == ("invalidData", "/data/title"), refused
    await connection.send({"type": "probe", "n": 1})
    await connection.until(lambda f: f["type"] == "probed" and f["n"] == 1, "probed")


def uuid7():
    return (int(time.time() * 1000) << 80) | (7 << 76) | (uuid.uuid4().int & ((1 << 76) - 1)) & ~(3 << 62) | (2 << 62)


class Hub:
    """The program, on a free port, with an owner who has signed in and an instance with a token."""

    def __init__(self, binary, folder):
        common = ["--data-dir", folder]
        arguments = [binary, *common, "--listen", "127.0.0.1:0", "--dev"]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        link = re.search(r"(http://localhost:\d+)/auth#t=(\S+)", line)
        assert link, f"the hub printed no setup link: {line!r}"
        self.origin, token = link.groups()
        self.address = self.origin.replace("http", "ws")
        body = json.dumps({"token": token, "name": "Ada"}).encode()
        self.wait()
        headers = {"Content-Type": "application/json", "Origin": self.origin}
        with urllib.request.urlopen(urllib.request.Request(f"{self.origin}/auth/confirm", body, headers)) as answer:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.token = subprocess.check_output([binary, "instance", "add", "--name", "laptop", *common], text=True, stderr=subprocess.DEVNULL).strip()

    def wait(self):
        for _ in range(1200):
            try:
                return urllib.request.urlopen(f"{self.origin}/readyz").close()
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the hub does not answer")

    def member(self):
        headers = {"Cookie": self.cookie}
        return connect(f"{self.address}/ws", subprotocols=[SUBPROTOCOL], origin=self.origin, additional_headers=headers, ping_interval=None)

    def instance(self):
        headers = {"Authorization": f"Bearer {self.token}"}
        return connect(f"{self.address}/ws/openclaw", subprotocols=[SUBPROTOCOL], additional_headers=headers, ping_interval=None)


async def converse(hub):
    async with hub.instance() as below, hub.member() as above:
        instance, member = Connection("instance", below), Connection("member", above)
        me, conversation, outbox = await instance_begins(instance)
        await member_begins(member, conversation)
        answering = asyncio.create_task(instance_answers(instance, me, conversation, outbox))
        command = await member_speaks(member, me, conversation)
        await answering
        await member_looks_back(member, me, conversation, command)
        await member.send({"type": "bye", "reason": "done"})
        return member


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(sys.argv[1], folder)
        try:
            member = asyncio.run(converse(hub))
        finally:
            hub.process.terminate()
            hub.process.wait()
    if len(sys.argv) > 2:
        states = {scope: {"pos": member.pos[scope], "hash": state.hash()} for scope, state in member.scopes.items()}
        lines = [*transcript, {"states": states}]
        pathlib.Path(sys.argv[2]).write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines))
    print(f"{len(transcript)} frames of a conversation, each as the contract says")
