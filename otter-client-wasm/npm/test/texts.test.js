import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientWith } from '../client.js';
import { createClient } from '../index.node.js';
import { createRoom } from '../room.js';
import { createFakeCore } from '../testing.js';
import { C, SCOPE, createFakeHub, resumed, snapshot } from './fake-hub.js';

const KEY = 'message/in_a:m9';
const HEAD = { author: { type: 'agent' }, conversationId: C, sentAt: '2026-11-24T10:00:01.000Z', status: 'complete', text: 'head', truncated: true };
const LIVE = { phase: 'live', reason: null };
const settle = () => new Promise((resolve) => setImmediate(resolve));
const show = { reset: [SCOPE], put: [[SCOPE, KEY, 5, true, HEAD]], scopes: { [SCOPE]: LIVE } };
const asked = (fake) => fake.posted.filter(({ t }) => t === 'text').length;

/** Lets the timers of so many ms run, and everything that follows from each second of them. */
async function pass(t, ms) {
  for (let left = ms; left > 0; left -= 1000) {
    t.mock.timers.tick(Math.min(left, 1000));
    await settle();
  }
}

/** Something that the real clock of the core brings about. */
async function until(t, check, what) {
  const deadline = performance.now() + 10_000;
  while (!check()) {
    assert.ok(performance.now() < deadline, `never: ${what}`);
    await pass(t, 1000);
  }
}

test('a long text asked while the connection is down comes after its conversation was left and opened again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hub = createFakeHub();
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: hub.WebSocket, storage: null });
  t.after(client.close);
  const long = (ask) => snapshot(ask, 10, ask.scope === SCOPE ? [{ entity: KEY, rev: 5, value: HEAD }] : []);
  const follow = () => client.messages(C).subscribe(() => {});
  let leave = follow();
  await until(t, () => hub.sockets.length === 1, 'a socket');
  hub.last().greet(long);
  await pass(t, 1000);
  hub.last().cut();
  const text = client.text('in_a:m9');
  let fold = text.subscribe(() => {});
  assert.deepEqual(text.get(), { text: 'head', whole: false, loading: true, error: null });
  leave();
  fold();
  // Open for as long as nothing is said over it.
  await pass(t, 31_000);
  const { error, ...rest } = text.get();
  assert.deepEqual([rest, error?.code, error?.retryable], [{ text: 'head', whole: false, loading: false }, 'unavailable', true]);
  leave = follow();
  fold = text.subscribe(() => {});
  await until(t, () => hub.sockets.length === 2, 'another socket');
  const hello = hub.last().greet((ask) => (ask.pos === undefined ? long(ask) : resumed(ask)));
  assert.deepEqual(hello.subscribe.map(({ scope }) => scope), [SCOPE]);
  await pass(t, 1000);
  const [fetch] = hub.last().take('fetch');
  assert.equal(fetch?.entity, KEY);
  hub.last().say({ type: 'page', id: fetch.id, rows: [{ entity: KEY, rev: 5, value: HEAD }], asOf: 10, full: { text: 'head and the rest' } });
  await pass(t, 1000);
  assert.deepEqual(text.get(), { text: 'head and the rest', whole: true, loading: false, error: null });
  leave();
  fold();
});

test('a text that was on its way when its scope was released is asked again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fake = createFakeCore();
  const client = createClientWith(async () => fake.Core, { url: 'http://hub.test/ws', storage: null });
  t.after(client.close);
  const leave = client.messages(C).subscribe(() => {});
  await settle();
  fake.push(show);
  await pass(t, 1000);
  const text = client.text('in_a:m9');
  const seen = [];
  const fold = text.subscribe(() => seen.push(text.get().loading));
  await pass(t, 1000);
  leave();
  await pass(t, 31_000);
  assert.deepEqual([asked(fake), text.get().loading, seen], [1, false, [true, false]]);
  fold();
  client.messages(C).subscribe(() => {});
  text.subscribe(() => {});
  assert.deepEqual([asked(fake), text.get().loading], [2, true]);
});

/** A room with a fake core, and tabs whose ports keep what they are told of texts. */
async function createTabs(count) {
  const fake = createFakeCore();
  const room = createRoom(JSON.stringify({ url: 'ws://hub.test/ws' }), { load: async () => fake.Core, WebSocket: () => null });
  const tabs = Array.from({ length: count }, () => {
    const heard = [];
    const port = { postMessage: ({ changes }) => heard.push(...(changes?.texts ?? [])) };
    return { heard, tab: room.join(port, { visible: true, messages: [{ t: 'subscribe', scope: SCOPE }] }) };
  });
  await settle();
  return { fake, room, tabs };
}

test('in a worker a text is asked again by whoever follows its scope after all have left', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fake, room, tabs: [one, two] } = await createTabs(2);
  const want = { t: 'text', scope: SCOPE, kind: KEY };
  room.post(one.tab, want);
  room.post(two.tab, want);
  assert.equal(asked(fake), 1);
  room.post(one.tab, { t: 'unsubscribe', scope: SCOPE });
  assert.deepEqual([one.tab.texts.size, two.tab.texts.size], [0, 1]);
  fake.push({ texts: [[KEY, true, { text: 'a part' }, false, null]] });
  await pass(t, 1000);
  // Who comes back while it is on its way gets all that came.
  room.post(one.tab, { t: 'subscribe', scope: SCOPE });
  room.post(one.tab, want);
  assert.deepEqual([one.heard.splice(0), two.heard.splice(0)], [[[KEY, true, { text: 'a part' }, false, null]], [[KEY, true, { text: 'a part' }, false, null]]]);
  room.post(one.tab, { t: 'unsubscribe', scope: SCOPE });
  room.post(two.tab, { t: 'unsubscribe', scope: SCOPE });
  room.post(two.tab, { t: 'subscribe', scope: SCOPE });
  room.post(two.tab, want);
  assert.equal(asked(fake), 2);
  fake.push({ texts: [[KEY, true, { text: 'all of it' }, true, null]] });
  await pass(t, 1000);
  assert.deepEqual([one.heard, two.heard], [[], [[KEY, true, { text: 'all of it' }, true, null]]]);
  // It came: there is nothing to keep of it.
  assert.equal(two.tab.texts.size, 0);
  room.leave(one.tab);
  room.leave(two.tab);
});

test('a text that a tab which was behind left meanwhile is not asked for it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fake, room, tabs: [{ tab }] } = await createTabs(1);
  room.post(tab, { t: 'text', scope: SCOPE, kind: KEY });
  tab.behind = true;
  fake.push({ texts: [[KEY, true, { text: 'a part' }, false, null]] });
  await pass(t, 1000);
  assert.deepEqual([...tab.missed], [KEY]);
  room.post(tab, { t: 'unsubscribe', scope: SCOPE });
  room.taken(tab, tab.sent);
  assert.deepEqual([tab.missed.size, asked(fake)], [0, 1]);
  room.leave(tab);
});
