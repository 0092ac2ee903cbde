import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../index.node.js';
import { C, SCOPE, createFakeHub, delta, events, resumed, snapshot } from './fake-hub.js';

const ALL = 5_000;
const WINDOW = 50;
const wait = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const at = (n) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
const row = (n, more = {}) => ({
  entity: `message/in_a:m${n}`, rev: n,
  value: { author: { type: 'agent' }, conversationId: C, sentAt: at(n), status: 'complete', text: `m${n}`, ...more },
});
const newest = () => Array.from({ length: WINDOW }, (_, n) => row(ALL - WINDOW + 1 + n));

/** The page that a hub with rows 1 to `ALL`, of which `live` and newer are live, gives. */
function page({ id, before, limit = 100 }, { asOf = ALL, live = ALL - WINDOW + 1 } = {}) {
  const last = before ? Number(before.id.slice('in_a:m'.length)) - 1 : ALL;
  const first = Math.max(1, last - limit + 1);
  const rows = Array.from({ length: last - first + 1 }, (_, n) => row(last - n))
    .map((each) => (each.rev >= live ? each : { ...each, live: false }));
  const next = first > 1 ? { order: at(first), id: `in_a:m${first}` } : undefined;
  return { type: 'page', id, rows, next, asOf };
}

async function online(entities = newest()) {
  const hub = createFakeHub();
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: hub.WebSocket, freeze: true });
  const list = client.messages(C);
  list.subscribe(() => {});
  for (let tries = 0; hub.sockets.length === 0 && tries < 500; tries += 1) await wait(10);
  hub.last().greet((ask) => snapshot(ask, ALL, ask.scope === SCOPE ? entities : undefined));
  await wait();
  return { hub, client, list, ids: () => list.get().rows.map((each) => each.id) };
}

async function scrollBack({ hub, list }) {
  list.get().more();
  await wait();
  const [ask] = hub.last().take('fetch');
  assert.equal(list.get().loading, true);
  hub.last().say(page(ask));
  await wait();
  return ask;
}

test('thousands of rows are scrolled back, each shown row staying the same object', async (t) => {
  const all = await online();
  t.after(all.client.close);
  const { hub, list, ids } = all;
  assert.deepEqual([ids().length, list.get().hasMore, list.get().loading], [WINDOW, true, false]);
  const shown = list.get().rows;
  await scrollBack(all);
  assert.equal(ids().length, 100);
  assert.equal(list.get().rows.at(-1), shown.at(-1));
  let pages = 1;
  for (; list.get().hasMore; pages += 1) await scrollBack(all);
  assert.deepEqual([pages, ids().length, ids()[0], ids().at(-1)], [50, ALL, 'in_a:m1', `in_a:m${ALL}`]);
  assert.deepEqual(ids(), Array.from({ length: ALL }, (_, n) => `in_a:m${n + 1}`));
  list.get().more();
  await wait();
  assert.deepEqual([hub.last().take('fetch'), list.get().loading], [[], false]);
});

test('a row that leaves the window under the eyes of its reader stays, and comes back without a hole', async (t) => {
  const { hub, client, list, ids } = await online();
  t.after(client.close);
  const created = events(ALL + 1, ALL, 'message.created', 'put', `message/in_a:m${ALL + 1}`, row(ALL + 1).value);
  created.events[0].effects.push({ op: 'evict', entity: `message/in_a:m${ALL - WINDOW + 1}` });
  const oldest = list.get().rows[0];
  hub.last().say(created);
  await wait();
  assert.deepEqual([ids().length, list.get().rows[0]], [WINDOW + 1, oldest]);
  hub.last().say(events(ALL + 2, ALL + 1, 'message.edited', 'merge', `message/in_a:m${ALL - WINDOW + 1}`, { text: 'edited' }));
  await wait();
  assert.equal(list.get().rows[0].text, 'edited');
});

test('a resync keeps the rows on screen until the list is as long again', async (t) => {
  const all = await online();
  t.after(all.client.close);
  const { hub, client, list, ids } = all;
  await scrollBack(all);
  await scrollBack(all);
  const before = list.get().rows;
  hub.last().say({ type: 'resync', scope: SCOPE, reason: 'trimmed' });
  await wait();
  const [again] = hub.last().take('subscribe');
  hub.last().say(...snapshot(again, ALL, newest()));
  await wait();
  assert.deepEqual([list.get().rows, client.scope(SCOPE).get().phase], [before, 'stale']);
  for (let pages = 0; pages < 2; pages += 1) {
    hub.last().say(page(hub.last().take('fetch')[0]));
    await wait();
  }
  assert.deepEqual([ids().length, client.scope(SCOPE).get().phase, list.get().hasMore], [200, 'live', true]);
  assert.ok(list.get().rows.every((each, n) => each === before[n]), 'each row is the same object');
});

test('an answer of an earlier connection is dropped, and what was asked is asked again', async (t) => {
  const { hub, client, list, ids } = await online();
  t.after(client.close);
  list.get().more();
  await wait();
  const [late] = hub.last().take('fetch');
  hub.last().cut();
  for (let tries = 0; hub.sockets.length === 1 && tries < 500; tries += 1) await wait(10);
  hub.last().greet((ask) => resumed(ask));
  await wait();
  const [again] = hub.last().take('fetch');
  assert.notEqual(again.id, late.id);
  hub.last().say(page({ ...late, before: { order: at(9), id: 'in_a:m9' } }));
  await wait();
  assert.deepEqual([ids().length, list.get().loading], [WINDOW, true]);
  hub.last().say(page(again));
  await wait();
  assert.deepEqual([ids().length, list.get().loading], [100, false]);
});

test('a page that fails says why, and may be asked again', async (t) => {
  const { hub, client, list } = await online();
  t.after(client.close);
  list.get().more();
  await wait();
  const [ask] = hub.last().take('fetch');
  hub.last().say({ type: 'page', id: ask.id, error: { code: 'internal', message: 'no', retryable: true } });
  await wait();
  assert.deepEqual([list.get().error.code, list.get().loading, list.get().hasMore], ['internal', false, true]);
  list.get().more();
  await wait();
  assert.deepEqual([list.get().error, hub.last().take('fetch').length], [null, 1]);
});

test('a cut answer keeps its streamed text until the whole is fetched, in parts', async (t) => {
  const { hub, client } = await online([{ entity: 'run/in_a:r1', rev: 4, value: { state: 'running', startedAt: at(1) } }]);
  t.after(client.close);
  const text = client.text('in_a:r1:answer');
  text.subscribe(() => {});
  hub.last().say(delta('in_a:r1', 0, 'Once upon a time there'));
  await wait();
  assert.deepEqual(text.get(), { text: 'Once upon a time there', whole: false, loading: true, error: null });
  const cut = { author: { type: 'agent' }, conversationId: C, runId: 'in_a:r1', sentAt: at(2), status: 'complete', text: 'Once', truncated: true };
  hub.last().say(events(ALL + 1, ALL, 'message.created', 'put', 'message/in_a:r1:answer', cut));
  await wait();
  assert.deepEqual(text.get(), { text: 'Once upon a time there', whole: false, loading: true, error: null });
  const [first] = hub.last().take('fetch');
  assert.deepEqual([first.entity, first.before], ['message/in_a:r1:answer', undefined]);
  const whole = { entity: 'message/in_a:r1:answer', rev: ALL + 1, value: cut };
  const next = { order: '5', id: 'in_a:r1:answer' };
  hub.last().say({ type: 'page', id: first.id, rows: [whole], next, asOf: ALL + 1, full: { text: 'Once ' } });
  await wait();
  const [second] = hub.last().take('fetch');
  assert.deepEqual(second.before, next);
  hub.last().say({ type: 'page', id: second.id, rows: [whole], asOf: ALL + 1, full: { text: 'more.' } });
  await wait();
  assert.deepEqual(text.get(), { text: 'Once more.', whole: true, loading: false, error: null });
  assert.equal(client.entity('message', 'in_a:r1:answer').get().text, 'Once');
});

test('a hundred conversations opened in a row leave the state of sixteen', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hub = createFakeHub();
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: hub.WebSocket });
  t.after(client.close);
  const scopes = Array.from({ length: 100 }, (_, n) => `conversation/in_a:c${n}`);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  client.list('agent').subscribe(() => {});
  const deadline = performance.now() + 10_000;
  while (hub.sockets.length === 0 && performance.now() < deadline) await settle();
  hub.last().greet();
  for (const [n, scope] of scopes.entries()) {
    const stop = client.messages(`in_a:c${n}`).subscribe(() => {});
    await settle();
    const [ask] = hub.last().take('subscribe');
    const rows = newest().map((each) => ({ ...each, entity: `${each.entity}-${n}` }));
    hub.last().say(...snapshot(ask, ALL, rows));
    await settle();
    assert.equal(client.scope(scope).get().phase, 'live');
    stop();
    t.mock.timers.tick(30_000);
  }
  await settle();
  assert.deepEqual(Object.keys(await client.hashes()).sort(), ['org', ...scopes.slice(-16)].sort());
  assert.equal(client.entity('message', 'in_a:m5000-0').get(), undefined);
  assert.ok(client.entity('message', 'in_a:m5000-99').get());
});
