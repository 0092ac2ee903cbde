import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientWith } from '../client.js';
import { createFakeCore } from '../testing.js';

const C = 'in_a:main';
const SCOPE = `conversation/${C}`;
const tick = () => new Promise((resolve) => setImmediate(resolve));
const row = (id, sentAt, text = id) => [SCOPE, `message/${id}`, 1, true, { conversationId: C, sentAt, status: 'complete', text }];
const ids = (store) => store.get().rows.map((each) => each.id);

async function setup(options = {}) {
  const fake = createFakeCore(options);
  const client = createClientWith(() => Promise.reject(new Error('not loaded in tests')), { core: fake.Core, url: 'http://hub.test/ws', freeze: true });
  client.start();
  await tick();
  return { fake, client };
}

/** A list without its function. */
function known(store) {
  const { more, ...rest } = store.get();
  return rest;
}

test('does nothing before it is used, then starts once', async () => {
  const fake = createFakeCore();
  const client = createClientWith(() => Promise.reject(), { core: fake.Core, url: 'https://hub.test/a/ws' });
  assert.equal(client.connection.get().phase, 'idle');
  assert.deepEqual(known(client.messages(C)), { rows: [], hasMore: false, loading: true, error: null });
  await tick();
  assert.equal(fake.instances.length, 0);
  client.list('agent').subscribe(() => {});
  client.messages(C).subscribe(() => {});
  await tick();
  assert.equal(fake.instances.length, 1);
  assert.equal(fake.instances[0].options.url, 'wss://hub.test/a/ws');
  assert.deepEqual(fake.posted, [
    { t: 'visible', visible: true },
    { t: 'listen', kinds: [] },
    { t: 'subscribe', scope: 'org' },
    { t: 'subscribe', scope: SCOPE },
    { t: 'start' },
  ]);
  client.close();
});

test('an entity is the same frozen object until it changed, also over a swap of its scope', async () => {
  const { fake, client } = await setup();
  const put = (name, rev) => ['org', 'agent/in_a:main', rev, true, { name, tags: ['x'] }];
  fake.push({ put: [put('Ada', 1)] });
  await tick();
  const first = client.entity('agent', 'in_a:main').get();
  assert.deepEqual(first, { id: 'in_a:main', name: 'Ada', tags: ['x'] });
  assert.ok(Object.isFrozen(first) && Object.isFrozen(first.tags));
  for (const changes of [{ put: [put('Ada', 1)] }, { reset: ['org'], put: [put('Ada', 7)] }]) {
    fake.push(changes);
    await tick();
    assert.equal(client.entity('agent', 'in_a:main').get(), first);
  }
  fake.push({ put: [put('Bea', 8)] });
  await tick();
  assert.equal(client.entity('agent', 'in_a:main').get().name, 'Bea');
  fake.push({ reset: ['org'] });
  await tick();
  assert.equal(client.entity('agent', 'in_a:main').get(), undefined);
  client.close();
});

test('a list keeps its ids until membership or order changes', async () => {
  const { fake, client } = await setup();
  const put = (id, instanceId, at, rest) => ['org', `session/${id}`, 1, true, { instanceId, last: { at }, ...rest }];
  fake.push({ put: [put('s1', 'in_a', '2026-01-01'), put('s2', 'in_a', '2026-01-02'), put('s3', 'in_b', '2026-01-03')] });
  await tick();
  const list = client.list('session', { where: { instanceId: 'in_a' }, order: '-last.at' });
  let calls = 0;
  list.subscribe(() => (calls += 1));
  const before = list.get();
  assert.deepEqual([before.ids, before.hasMore, before.loading], [['s2', 's1'], false, false]);
  fake.push({ put: [put('s1', 'in_a', '2026-01-01', { model: 'm' })] });
  await tick();
  assert.equal(list.get(), before);
  assert.equal(calls, 0);
  fake.push({ put: [put('s1', 'in_a', '2026-01-05')] });
  await tick();
  assert.deepEqual(list.get().ids, ['s1', 's2']);
  assert.equal(calls, 1);
  client.close();
});

test('one flush tells a listener once, after all state is in', async () => {
  const { fake, client } = await setup();
  const seen = [];
  client.messages(C).subscribe(() => seen.push([ids(client.messages(C)), client.entity('run', 'r1').get()?.state]));
  fake.push({ put: [row('m1', '2026-01-01T00:00:00.000Z')], scopes: { [SCOPE]: { phase: 'live', reason: null } } });
  fake.push({ put: [row('m2', '2026-01-01T00:00:01.000Z'), [SCOPE, 'run/r1', 1, true, { state: 'running' }]] });
  await tick();
  assert.deepEqual(seen, [[['m1', 'm2'], 'running']]);
  client.close();
});

test('local rows follow placed ones as typed, answers being written come last', async () => {
  const { fake, client } = await setup();
  const local = (commandId) => ({ commandId, stage: 'sent' });
  fake.push({
    put: [
      [SCOPE, 'message/b:user', 0, true, { text: 'second' }],
      [SCOPE, 'message/a:user', 0, true, { text: 'first' }],
      row('m2', '2026-01-01T00:00:02.000Z'),
      row('m1', '2026-01-01T00:00:01.000Z'),
    ],
    local: { 'message/a:user': local('018-1'), 'message/b:user': local('018-2') },
    slots: [[C, 'r1', 0, 'Hel']],
  });
  await tick();
  assert.deepEqual(ids(client.messages(C)), ['m1', 'm2', 'a:user', 'b:user', 'r1:answer']);
  assert.deepEqual(client.entity('message', 'a:user').get().local, local('018-1'));
  client.close();
});

test('an answer being written stays before the answer of a run that began later', async () => {
  const { fake, client } = await setup();
  const run = (id, second) => [SCOPE, `run/${id}`, second, true, { startedAt: `2026-01-01T00:00:0${second}.000Z`, state: 'running' }];
  const answer = (id, second) => [SCOPE, `message/${id}:answer`, 9, true, { runId: id, text: id, sentAt: `2026-01-01T00:00:0${second}.000Z` }];
  fake.push({ put: [run('r0', 1), answer('r0', 2), run('r1', 3), run('r2', 5)], slots: [[C, 'r1', 0, 'lost'], [C, 'r2', 0, 'anew']] });
  await tick();
  assert.deepEqual(ids(client.messages(C)), ['r0:answer', 'r1:answer', 'r2:answer']);
  fake.push({ slots: [[C, 'r2', 0, null]], put: [answer('r2', 7)] });
  await tick();
  assert.deepEqual(ids(client.messages(C)), ['r0:answer', 'r1:answer', 'r2:answer']);
  client.close();
});

test('a slot grows by its tail and becomes its answer in one flush under the same id', async () => {
  const { fake, client } = await setup();
  const frames = [];
  client.messages(C).subscribe(() => frames.push(client.messages(C).get().rows.map(({ id, text, status }) => [id, text, status])));
  fake.push({ put: [row('m1', '2026-01-01T00:00:01.000Z')], slots: [[C, 'r1', 0, 'Hello']] });
  await tick();
  const [first] = client.messages(C).get().rows;
  fake.push({ slots: [[C, 'r1', 5, ' wor\ud83e\udda6']] });
  await tick();
  fake.push({ slots: [[C, 'r1', 0, null]], put: [[SCOPE, 'message/r1:answer', 9, true, { text: 'Hello world', status: 'complete', sentAt: '2026-01-01T00:00:09.000Z' }]] });
  await tick();
  assert.deepEqual(frames, [
    [['m1', 'm1', 'complete'], ['r1:answer', 'Hello', 'streaming']],
    [['m1', 'm1', 'complete'], ['r1:answer', 'Hello wor🦦', 'streaming']],
    [['m1', 'm1', 'complete'], ['r1:answer', 'Hello world', 'complete']],
  ]);
  assert.equal(client.messages(C).get().rows[0], first);
  client.close();
});

test('listeners that throw, unsubscribe others or close do not disturb the rest', async (t) => {
  const { fake, client } = await setup();
  t.mock.method(console, 'error', () => {});
  const seen = [];
  client.connection.subscribe(() => {
    seen.push('first');
    offSecond();
    throw new Error('of the app');
  });
  const offSecond = client.connection.subscribe(() => seen.push('second'));
  client.connection.subscribe(() => {
    seen.push('third');
    client.close();
  });
  client.connection.subscribe(() => seen.push('after close'));
  client.on('*', () => seen.push('event after close'));
  fake.push({ connection: { phase: 'online', since: 1 }, events: [[{ kind: 'message.created' }, false]] });
  await tick();
  assert.deepEqual(seen, ['first', 'third']);
});

test('each event is seen once although its handler unsubscribes and subscribes again', async () => {
  const { fake, client } = await setup();
  const seen = [];
  let off = client.on('message.created', hear);
  function hear({ seq }, { replayed }) {
    seen.push([seq, replayed]);
    off();
    off = client.on('message.created', hear);
  }
  fake.push({ events: [[{ kind: 'message.created', seq: 1 }, true], [{ kind: 'run.started', seq: 2 }, false], [{ kind: 'message.created', seq: 3 }, false]] });
  await tick();
  assert.deepEqual(seen, [[1, true], [3, false]]);
  assert.deepEqual(fake.posted.filter(({ t }) => t === 'listen').at(-1), { t: 'listen', kinds: ['message.created'] });
  client.close();
});

test('a command shows its local row before it returns', async () => {
  const { fake, client } = await setup({ onPost: (message) => predict(message) });
  function predict({ t, id, data }) {
    if (t !== 'command') return;
    fake.push({
      put: [[SCOPE, `message/${id}:user`, 0, true, { text: data.text }]],
      local: { [`message/${id}:user`]: { commandId: id, stage: 'sent' } },
      commands: [{ id, state: 'sent' }],
    });
  }
  const handle = client.command('message.send', { conversationId: C, text: 'hi' });
  assert.deepEqual(client.messages(C).get().rows.map(({ text, local }) => [text, local.stage]), [['hi', 'sent']]);
  assert.match(handle.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  fake.push({ commands: [{ id: handle.id, state: 'accepted' }] });
  assert.deepEqual(await handle.accepted, { state: 'accepted' });
  fake.push({ commands: [{ id: handle.id, state: 'completed', result: { a: 1 } }] });
  assert.deepEqual(await handle.done, { state: 'completed', result: { a: 1 } });
  client.close();
});

test('a refused command is retried under a new id or dismissed', async () => {
  const { fake, client } = await setup();
  const handle = client.command('message.send', { conversationId: C, text: 'hi' });
  assert.equal(handle.retry(), null);
  const error = { code: 'instanceOffline', message: 'the instance is offline' };
  fake.push({ commands: [{ id: handle.id, state: 'refused', error }] });
  assert.deepEqual(await handle.accepted, { state: 'refused', error });
  const second = client.retry(handle.id);
  assert.deepEqual(fake.posted.at(-1), { t: 'retry', id: handle.id, as: second.id });
  assert.ok(second.id > handle.id);
  fake.push({ commands: [{ id: second.id, state: 'refused', error }] });
  await tick();
  const rows = [];
  client.commands().subscribe(() => rows.push(client.commands().get()));
  second.dismiss();
  assert.deepEqual(second.get(), { state: 'dismissed' });
  await tick();
  assert.deepEqual(rows, [[]], 'who shows the list is told');
  assert.deepEqual(fake.posted.at(-1), { t: 'dismiss', id: second.id });
  client.close();
});

test('scopes are shared, linger 30 s, and the last 16 keep their state', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fake, client } = await setup();
  const sent = () => fake.posted.splice(0).filter(({ t }) => t !== 'listen').map((each) => [each.t, each.scope]);
  sent();
  const offs = [client.messages(C).subscribe(() => {}), client.steps(C).subscribe(() => {})];
  assert.deepEqual(sent(), [['subscribe', SCOPE]]);
  offs.forEach((off) => (off(), off()));
  t.mock.timers.tick(29_000);
  client.messages(C).subscribe(() => {})();
  t.mock.timers.tick(29_000);
  assert.deepEqual(sent(), []);
  t.mock.timers.tick(1_000);
  assert.deepEqual(sent(), [['unsubscribe', SCOPE]]);
  fake.push({ put: [row('m1', '2026')] });
  client.command('x', {});
  for (let at = 0; at < 16; at += 1) client.messages(`c${at}`).subscribe(() => {})();
  assert.equal(client.messages(C).get().rows.length, 1);
  t.mock.timers.tick(30_000);
  assert.deepEqual(sent().at(-1), ['forget', SCOPE]);
  assert.deepEqual(known(client.messages(C)), { rows: [], hasMore: false, loading: true, error: null });
  client.close();
});

test('somebody who walks through a hundred conversations follows a third of them at most', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fake, client } = await setup();
  const followed = new Set();
  let most = 0;
  for (let at = 0; at < 100; at += 1) {
    client.messages(`c${at}`).subscribe(() => {})();
    for (const { t: kind, scope } of fake.posted.splice(0)) {
      if (kind === 'subscribe') followed.add(scope);
      if (kind === 'unsubscribe') followed.delete(scope);
    }
    most = Math.max(most, followed.size);
  }
  assert.equal(most, 32);
  assert.ok(followed.has('conversation/c99') && !followed.has('conversation/c0'));
  client.close();
});

test('a core that dies is replaced and told scopes and open commands again', async (t) => {
  const { fake, client } = await setup();
  t.mock.method(console, 'error', () => {});
  client.messages(C).subscribe(() => {});
  fake.push({ put: [row('m1', '2026')], scopes: { [SCOPE]: { phase: 'live', reason: null } } });
  const open = client.command('message.send', { text: 'open' });
  const answered = client.command('message.send', { text: 'answered' });
  fake.push({ commands: [{ id: answered.id, state: 'accepted' }] });
  await tick();
  fake.posted.length = 0;
  fake.panic('index out of bounds');
  await tick();
  assert.equal(client.connection.get().reason, 'crashed');
  assert.equal(client.scope(SCOPE).get().phase, 'stale');
  assert.deepEqual(ids(client.messages(C)), ['m1']);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(fake.instances.length, 2);
  assert.deepEqual(fake.posted, [
    { t: 'visible', visible: true },
    { t: 'listen', kinds: [] },
    { t: 'subscribe', scope: SCOPE },
    { t: 'subscribe', scope: 'org' },
    { t: 'command', id: open.id, kind: 'message.send', data: { text: 'open' } },
    { t: 'command', id: answered.id, kind: 'message.send', data: { text: 'answered' }, stage: 'accepted' },
    { t: 'start' },
  ]);
  client.close();
});

test('texts of a core that died stay until the next one knows better', async (t) => {
  t.mock.method(console, 'error', () => {});
  const { fake, client } = await setup();
  fake.push({ slots: [[C, 'r1', 0, 'half'], [C, 'r2', 0, 'whole']] });
  await tick();
  fake.panic('index out of bounds');
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(ids(client.messages(C)), ['r1:answer', 'r2:answer']);
  fake.push({ reset: [SCOPE], slots: [[C, 'r1', 0, 'half of it']] });
  await tick();
  assert.deepEqual(client.messages(C).get().rows.map(({ text }) => text), ['half of it']);
  client.close();
});

test('a core that keeps dying stops the client instead of looping', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(console, 'error', () => {});
  const { fake, client } = await setup();
  for (let at = 0; at < 5; at += 1) {
    fake.panic('again');
    await tick();
    t.mock.timers.tick(1);
    await tick();
  }
  assert.equal(fake.instances.length, 4);
  assert.deepEqual([client.connection.get().phase, client.connection.get().reason], ['stopped', 'crashed']);
  client.close();
});

test('close stops the core, settles handles and silences everything', async () => {
  const { fake, client } = await setup();
  const seen = [];
  client.messages(C).subscribe(() => seen.push('rows'));
  client.on('*', () => seen.push('event'));
  const handle = client.command('message.send', { text: 'x' });
  fake.push({ put: [row('m1', '2026')], events: [[{ kind: 'message.created' }, false]] });
  client.close();
  await tick();
  assert.deepEqual(seen, []);
  assert.deepEqual(fake.posted.at(-1), { t: 'stop' });
  assert.equal(fake.instances[0].freed, true);
  assert.deepEqual(await handle.done, { state: 'closed' });
  assert.deepEqual(await client.command('x', {}).done, { state: 'closed' });
  assert.equal(client.connection.get().phase, 'closed');
});

test('a core that cannot be loaded is tried again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const fake = createFakeCore();
  let tries = 0;
  const client = createClientWith(async () => {
    tries += 1;
    if (tries < 3) throw new Error('offline');
    return fake.Core;
  }, { url: 'http://hub.test/ws' });
  client.start();
  await tick();
  assert.deepEqual([client.connection.get().phase, client.connection.get().nextRetryAt], ['waiting', 1000]);
  t.mock.timers.tick(1000);
  await tick();
  t.mock.timers.tick(2000);
  await tick();
  assert.equal(tries, 3);
  client.close();
});

test('the clock is the clock of the hub', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 5000 });
  const { fake, client } = await setup();
  fake.push({ serverOffsetMs: -1200 });
  await tick();
  assert.equal(client.now(), 3800);
  client.close();
});
