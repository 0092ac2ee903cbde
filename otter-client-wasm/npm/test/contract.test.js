// The fixtures and reducer vectors of the contract, through the built package on its real core.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { createClient } from '../index.node.js';
import { createFakeHub, welcome } from './fake-hub.js';

const fixtures = new URL('../../../schemas/v1/fixtures/', import.meta.url);
const files = (folder) =>
  readdirSync(new URL(`${folder}/`, fixtures)).map((file) => [file.slice(0, -5), readFileSync(new URL(`${folder}/${file}`, fixtures), 'utf8').trim()]);
const wait = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const EPOCH = 'e7Zq2mX0';

const clients = [];
after(() => clients.forEach((client) => client.close()));

/** A client whose hub has welcomed it and said that there is nothing in the scope. */
async function connected(scope, head = 0, rows = []) {
  const hub = createFakeHub();
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: hub.WebSocket });
  clients.push(client);
  client.scope(scope).subscribe(() => {});
  for (let tries = 0; hub.sockets.length === 0 && tries < 500; tries += 1) await wait(5);
  const socket = hub.last();
  socket.open();
  const [hello] = socket.take('hello');
  const ask = hello.subscribe.find((each) => each.scope === scope);
  const answer = (sub, at) => ({ type: 'subscribed', scope, sub, epoch: EPOCH, head: at, mode: 'snapshot' });
  socket.say(welcome(), answer(ask.sub, head), { type: 'snapshot', scope, epoch: EPOCH, entities: rows, asOf: head, head });
  await wait();
  return { client, socket, answer };
}

/** Says texts as they are in the file. */
const sayText = (socket, text) => {
  const bytes = new TextEncoder().encode(text);
  socket.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
};

test('every run of every vector ends in its hash', async () => {
  const vectors = files('state');
  assert.ok(vectors.length >= 20);
  let pages = 0;
  for (const [name, text] of vectors) {
    const vector = JSON.parse(text);
    for (const run of vector.runs) {
      const highest = Math.max(0, ...vector.start.map((row) => row.rev));
      const { client, socket, answer } = await connected(vector.scope, highest, vector.start);
      for (const frame of run.frames) {
        if (frame.type === 'subscribed') {
          socket.say({ type: 'resync', scope: vector.scope, reason: 'test' });
          await wait();
          const [again] = socket.take('subscribe');
          socket.say(answer(again.sub, frame.head));
        } else if (frame.type === 'page') {
          client.list(frame.rows[0].entity.split('/')[0], { scope: vector.scope }).get().more();
          await wait();
          const [asked] = socket.take('fetch');
          socket.say({ ...frame, id: asked.id });
          pages += 1;
        } else {
          // The vectors begin in the middle of a history: what came before is not missed.
          const pos = (await client.hashes())[vector.scope]?.pos ?? 0;
          socket.say(frame.events ? { ...frame, events: frame.events.map((event) => ({ ...event, prev: Math.min(event.prev, pos) })) } : frame);
        }
      }
      await wait();
      assert.equal((await client.hashes())[vector.scope].hash, vector.hash, `${name}: ${run.description}`);
      client.close();
    }
  }
  assert.ok(pages >= 10, 'fetched pages are answers to a fetch');
});

const CATALOGUE = JSON.parse(readFileSync(new URL('../catalogue.json', fixtures), 'utf8'));
const scopeOf = (type, value) =>
  ({ org: 'org', member: 'member/self', conversation: `conversation/${value.conversationId}` })[CATALOGUE.entities.find((each) => each.entity === type).scope];
const split = (key) => [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];

test('every event is told as it came, and its effects are applied', async () => {
  for (const [name, text] of files('valid/event')) {
    const event = JSON.parse(text);
    const { effects, data, seq, prev } = event;
    const known = effects.filter(({ op }) => op !== 'put').map(({ entity }) => ({ entity, rev: 1, value: { before: 'it' } }));
    const { client, socket } = await connected(event.scope, prev, known);
    const seen = [];
    client.on('*', (each) => seen.push(each));
    await wait();
    sayText(socket, `{"type":"events","scope":"${event.scope}","epoch":"${EPOCH}","events":[${text}]}`);
    await wait(20);
    assert.deepEqual(seen, [event], name);
    assert.equal((await client.hashes())[event.scope].pos, seq, name);
    for (const { op, entity, value = data } of effects) {
      const shown = client.entity(...split(entity)).get();
      const kept = Object.entries(value).filter(([, each]) => each !== null || op === 'put');
      if (op === 'delete') assert.equal(shown, undefined, name);
      if (op === 'put' || op === 'merge') assert.deepEqual(kept.map(([key]) => shown?.[key]), kept.map(([, each]) => each), `${name} ${op}s ${entity}`);
    }
    client.close();
  }
});

test('every row is an entity, and every signal is heard', async () => {
  for (const [name, text] of files('valid/entity')) {
    const { entity, value, ...row } = JSON.parse(text);
    const [type, id] = split(entity);
    const scope = scopeOf(type, value);
    const { client } = await connected(scope, row.rev, [{ entity, value, ...row }]);
    await wait(20);
    // An approval says its rev besides: who decides names what they saw.
    const { rev = row.rev, ...shown } = client.entity(type, id).get();
    assert.deepEqual({ rev, ...shown }, { ...value, id, rev: row.rev }, name);
    client.close();
  }
  for (const [name, text] of files('valid/signal')) {
    const { client, socket } = await connected('org');
    sayText(socket, `{"type":"signal","scope":"org",${text.slice(1)}`);
    await wait();
    assert.equal(client.connection.get().phase, 'online', name);
    client.close();
  }
});

const ENDS = ['refuse', 'bye', 'drain'];

test('valid and future frames are read, ignored or end the client as the contract says', async () => {
  const cases = [
    ...files('valid/hub').map(([name, text]) => [`valid/${name}`, text, 'reads']),
    ...files('future/hub').map(([name, text]) => {
      const one = JSON.parse(text);
      return [`future/${name}`, one.raw ?? JSON.stringify(one.frame), one.expect.outcome];
    }),
  ];
  for (const [name, text, outcome] of cases) {
    const { client, socket } = await connected('org');
    const type = JSON.parse(text).type;
    const seen = [];
    client.on('*', (event) => seen.push(event));
    sayText(socket, text.replaceAll('"prev":6', '"prev":0'));
    await wait();
    await wait(20);
    if (outcome === 'stops') {
      assert.equal(client.connection.get().phase, 'stopped', name);
    } else if (!ENDS.includes(type)) {
      assert.deepEqual(socket.closed, [], `${name} does not end the connection`);
      assert.equal(client.connection.get().phase, 'online', name);
    }
    if (outcome === 'relays') assert.equal(seen.length, 1, `${name}: the event is passed on`);
    client.close();
  }
});

test('a frame that breaks the contract costs a new start of its scope or of the connection, nothing else', async () => {
  for (const [name, text] of files('invalid/hub')) {
    const one = JSON.parse(text);
    const { client, socket } = await connected('org');
    sayText(socket, one.raw ?? JSON.stringify(one.frame));
    await wait(20);
    assert.notEqual(client.connection.get().phase, 'stopped', name);
    client.close();
  }
});
