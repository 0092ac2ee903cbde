import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientWith } from '../client.js';
import { createFakeCore } from '../testing.js';

const C = 'in_a:main';
const ME = 'member/mb_1';
const self = { type: 'member', id: 'mb_1', org: 'org_1', name: 'Ada' };
const scopes = Object.fromEntries(['org', ME].map((scope) => [scope, { phase: 'live', reason: null }]));
const settled = () => new Promise((resolve) => setImmediate(resolve));
const item = (id) => ['org', `feedItem/${id}`, 1, true, { category: 'alert', title: id, occurredAt: '2026-11-24T10:00:00.000Z' }];
const conversation = (messageCount) => ['org', `conversation/${C}`, messageCount, true, { messageCount }];

async function setup(t, put) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fake = createFakeCore();
  const client = createClientWith(() => Promise.reject(), { core: fake.Core, url: 'http://hub.test/ws', freeze: true });
  client.start();
  await settled();
  const push = async (changes) => (fake.push(changes), settled());
  await push({ self, scopes, put });
  t.after(client.close);
  const asked = (kind) => fake.posted.filter((each) => each.t === 'command' && each.kind === kind);
  return {
    client, push, asked,
    later: async (ms) => (t.mock.timers.tick(ms), settled()),
    /** The hub has an answer to all that was asked. */
    answer: (state, rest = {}) => push({ ...rest, commands: fake.posted.filter((each) => each.t === 'command').map(({ id }) => ({ id, state })) }),
    told: () => asked('conversation.markRead').map(({ data }) => data.messageCount),
    marked: () => asked('feed.markRead').map(({ data }) => data.itemIds),
  };
}

/** A page that is hidden, or goes away. @param {any} t */
function page(t) {
  const listeners = new Map();
  globalThis.document = { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} };
  globalThis.addEventListener = (name, fn) => listeners.set(name, fn);
  globalThis.removeEventListener = (name, fn) => listeners.get(name) === fn && listeners.delete(name);
  t.after(() => ['document', 'addEventListener', 'removeEventListener'].forEach((name) => delete globalThis[name]));
  return {
    hide() {
      globalThis.document.visibilityState = 'hidden';
      listeners.get('visibilitychange')({ type: 'visibilitychange' });
    },
    leave: () => listeners.get('pagehide')({ type: 'pagehide' }),
    listeners,
  };
}

test('a conversation that is read as its messages come is marked at once, and then every 2 s; nothing of it is unread meanwhile', async (t) => {
  const { client, push, later, told } = await setup(t, [conversation(1)]);
  const [one, all] = [client.unread(C), client.unread()];
  const seen = [];
  one.subscribe(() => seen.push(one.get()));
  assert.notEqual(client.markRead(C), null);
  for (let count = 2; count <= 30; count += 1) {
    await push({ put: [conversation(count)] });
    assert.equal(client.markRead(C), null);
    assert.deepEqual([one.get(), all.get(), client.markRead(C)], [0, 0, null]);
    await later(100);
  }
  assert.deepEqual(told(), [1, 21]);
  await later(2000);
  assert.deepEqual(told(), [1, 21, 30]);
  await later(2000);
  await push({ put: [conversation(31)] });
  assert.notEqual(client.markRead(C), null, 'after a while the first is told at once again');
  assert.deepEqual(told(), [1, 21, 30, 31]);
});

test('from its answer on the mark of the hub counts, also when it was refused', async (t) => {
  const { client, answer, later } = await setup(t, [conversation(5)]);
  client.markRead(C);
  await later(2000);
  assert.equal(client.unread(C).get(), 0, 'no answer so far');
  await answer('refused');
  assert.equal(client.unread(C).get(), 5);
  client.markRead(C);
  await later(2000);
  await answer('accepted', { put: [[ME, `mark/${C}`, 9, true, { target: 'conversation', messageCount: 4 }]] });
  assert.equal(client.unread(C).get(), 1);
});

test('feed items are read at once and marked together, every 4 s at most', async (t) => {
  const names = Array.from({ length: 250 }, (_, n) => `i${n}`);
  const { client, later, marked, answer } = await setup(t, [...names.map(item), [ME, 'mark/i0', 9, true, { target: 'feed' }]]);
  const feed = client.feed();
  const counts = [];
  feed.subscribe(() => counts.push(feed.get().unread));
  for (const id of ['i0', 'i1', 'i2']) client.markItemsRead([id]);
  await settled();
  assert.deepEqual([feed.get().unread, marked()], [247, []]);
  await later(600);
  assert.deepEqual(marked(), [['i1', 'i2']]);
  for (const id of ['i1', 'i3', 'i4', 'nothing']) {
    await later(900);
    client.markItemsRead([id]);
  }
  assert.deepEqual(marked().length, 1);
  await later(400);
  assert.deepEqual(marked().slice(1), [['i3', 'i4']]);
  client.markItemsRead(names);
  await settled();
  assert.equal(feed.get().unread, 0);
  await later(4000);
  assert.deepEqual(marked().slice(2).map(({ length }) => length), [100, 100, 45]);
  await later(60_000);
  assert.equal(marked().length, 5);
  await answer('refused');
  assert.equal(feed.get().unread, 249);
  assert.deepEqual(counts.slice(0, 2), [248, 247]);
});

for (const way of ['hide', 'leave']) {
  test(`what was read and not told yet is told when somebody goes: ${way}`, async (t) => {
    const away = page(t);
    const { client, push, told, marked } = await setup(t, [conversation(1), item('a'), item('b')]);
    client.markRead(C);
    await push({ put: [conversation(2)] });
    client.markRead(C);
    client.markItemsRead(['a', 'b']);
    assert.deepEqual([told(), marked()], [[1], []]);
    away[way]();
    assert.deepEqual([told(), marked()], [[1, 2], [['a', 'b']]]);
    away[way]();
    assert.deepEqual([told(), marked()], [[1, 2], [['a', 'b']]]);
    client.close();
    assert.deepEqual([...away.listeners.keys()].filter((name) => name === 'pagehide' || name === 'visibilitychange'), []);
  });
}

test('a client that is closed tells what it owes first', async (t) => {
  const { client, told, marked, push } = await setup(t, [conversation(1), item('a')]);
  client.markRead(C);
  await push({ put: [conversation(3)] });
  client.markRead(C);
  client.markItemsRead(['a']);
  client.close();
  assert.deepEqual([told(), marked()], [[1, 3], [['a']]]);
});

test('what a person read and was not told is not told as somebody else', async (t) => {
  const { client, later, push, told, marked } = await setup(t, [conversation(1), item('a')]);
  client.markRead(C);
  await push({ put: [conversation(3)] });
  client.markRead(C);
  client.markItemsRead(['a']);
  await push({ self: { ...self, id: 'mb_2' }, scopes, put: [conversation(3), item('a')] });
  await later(10_000);
  assert.deepEqual([told(), marked(), client.unread(C).get(), client.feed().get().unread], [[1], [], 3, 1]);
});
