import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientWith } from '../client.js';
import { createFakeCore } from '../testing.js';

const C = 'in_a:main';
const SCOPE = `conversation/${C}`;
const ME = 'member/mb_1';
const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const self = { type: 'member', id: 'mb_1', org: 'org_1', name: 'Ada' };
const live = { org: { phase: 'live', reason: null }, [ME]: { phase: 'live', reason: null }, [SCOPE]: { phase: 'live', reason: null } };
const tick = () => new Promise((resolve) => setImmediate(resolve));
const at = (second) => new Date(NOW + second * 1000).toISOString();
const ids = (store) => store.get().rows.map(({ id }) => id);

async function setup(first = {}) {
  const fake = createFakeCore();
  const client = createClientWith(() => Promise.reject(), { core: fake.Core, url: 'http://hub.test/ws', freeze: true });
  client.start();
  await tick();
  const push = async (changes) => (fake.push(changes), tick());
  await push({ self, scopes: live, ...first });
  return { fake, client, push };
}

const approval = (id, second, state, rest) => ['org', `approval/${id}`, second, true, { command: 'ls', requestedAt: at(second), state, ...rest }];
const commands = ({ posted }) => posted.filter(({ t }) => t === 'command').map(({ kind, data }) => ({ kind, data }));

test('approvals: who waits comes first, and a decision carries the rev that was shown', async () => {
  const { fake, client, push } = await setup({
    put: [approval('old', 1, 'resolved'), approval('b', 3, 'pending'), approval('a', 2, 'pending'), approval('d', 1, 'decided'), approval('gone', 4, 'expired')],
  });
  const store = client.approvals();
  assert.deepEqual(ids(store), ['a', 'b', 'd', 'gone', 'old']);
  assert.equal(store.get().pending, 2);
  const shown = store.get().rows[0];
  await push({ put: [approval('a', 2, 'pending', { command: 'rm -rf /' }).with(2, 9)] });
  client.decide(shown, 'allow-once');
  client.decide(store.get().rows[0], 'deny');
  assert.deepEqual(commands(fake), [
    { kind: 'approval.decide', data: { approvalId: 'a', rev: 2, decision: 'allow-once' } },
    { kind: 'approval.decide', data: { approvalId: 'a', rev: 9, decision: 'deny' } },
  ]);
  client.close();
});

test('approvals: the same words under a newer rev are the same row, decided with the newer rev', async () => {
  const { fake, client, push } = await setup({ put: [approval('a', 2, 'pending')] });
  const [shown] = client.approvals().get().rows;
  await push({ reset: ['org'], put: [approval('a', 2, 'pending').with(2, 30)] });
  assert.equal(client.approvals().get().rows[0], shown);
  client.decide(shown, 'deny');
  assert.equal(commands(fake)[0].data.rev, 30);
  client.close();
});

test('the feed tells what is unread, and nothing before the marks are there', async () => {
  const item = (id, second, rest) => ['org', `feedItem/${id}`, second, true, { category: 'alert', title: id, occurredAt: at(second), ...rest }];
  const mark = (id) => [ME, `mark/${id}`, 9, true, { target: 'feed' }];
  const { client, push } = await setup({ put: [item('a', 1), item('b', 2), item('c', 3, { archived: true })], scopes: { org: live.org } });
  const [feed, away] = [client.feed(), client.feed({ archived: true })];
  const read = () => feed.get().rows.map((row) => [row.id, row.read]);
  assert.deepEqual([read(), feed.get().unread], [[['b', true], ['a', true]], 0]);
  await push({ put: [mark('b')], scopes: { [ME]: live[ME] } });
  const [before] = feed.get().rows;
  assert.deepEqual([read(), feed.get().unread, ids(away)], [[['b', true], ['a', false]], 1, ['c']]);
  await push({ put: [mark('a')] });
  assert.deepEqual([read(), feed.get().unread], [[['b', true], ['a', true]], 0]);
  assert.equal(feed.get().rows[0], before);
  client.close();
});

test('of five hundred feed items those of the live window can be unread, however far somebody reads back', async () => {
  const item = (n, isLive) => ['org', `feedItem/i${String(n).padStart(3, '0')}`, n + 1, isLive, { category: 'alert', title: `Item ${n}`, occurredAt: at(n) }];
  const mark = (n) => [ME, `mark/i${String(n).padStart(3, '0')}`, 900, true, { target: 'feed', readAt: at(n) }];
  const range = (from, to, make) => Array.from({ length: to - from }, (_, each) => make(from + each));
  // The window of items holds 200, that of marks 400; of the newest items three are not read.
  const { client, push } = await setup({ put: [...range(300, 500, (n) => item(n, true)), ...range(97, 497, mark)] });
  const feed = client.feed();
  const tell = () => [feed.get().rows.length, feed.get().unread, feed.get().rows.filter(({ read }) => !read).map(({ id }) => id)];
  const unread = ['i499', 'i498', 'i497'];
  assert.deepEqual(tell(), [200, 3, unread]);
  for (const oldest of [200, 100, 0]) {
    const lists = [['org', 'feedItem', false, oldest > 0, { order: at(oldest), id: item(oldest)[1].slice(9) }, null]];
    await push({ put: range(oldest, oldest + 100, (n) => item(n, false)), lists });
    assert.deepEqual(tell(), [500 - oldest, 3, unread]);
  }
  // What leaves the window without having been read is not counted any more: its mark would have no place.
  await push({ put: [item(500, true), item(499, false)] });
  assert.deepEqual(tell(), [501, 3, ['i500', 'i498', 'i497']]);
  client.close();
});

test('of a feed with few items all can be unread', async () => {
  const { client } = await setup({ put: [['org', 'feedItem/a', 1, true, { category: 'alert', title: 'a', occurredAt: at(-900_000) }]] });
  assert.deepEqual([client.feed().get().unread, client.feed().get().rows[0].read], [1, false]);
  client.close();
});

test('unread counts derive from the conversation and the mark, also right after another device read', async () => {
  const conversation = (id, messageCount, rest) => ['org', `conversation/${id}`, 1, true, { messageCount, ...rest }];
  const mark = (id, messageCount) => [ME, `mark/${id}`, 9, true, { target: 'conversation', messageCount }];
  const { fake, client, push } = await setup({ put: [conversation(C, 7), conversation('x', 2, { archived: true }), conversation('y', 1)], scopes: { org: live.org } });
  const [one, all] = [client.unread(C), client.unread()];
  const seen = [];
  all.subscribe(() => seen.push(all.get()));
  assert.deepEqual([one.get(), all.get()], [0, 0]);
  await push({ put: [mark(C, 4)], scopes: { [ME]: live[ME] } });
  assert.deepEqual([one.get(), all.get()], [3, 4]);
  client.markRead(C);
  assert.deepEqual(commands(fake), [{ kind: 'conversation.markRead', data: { conversationId: C, messageCount: 7 } }]);
  await push({ put: [mark(C, 9)] });
  assert.deepEqual([one.get(), all.get(), client.markRead(C)], [0, 1, null]);
  assert.deepEqual(seen, [4, 1]);
  await push({ put: [conversation('z', 60, { importedCount: 50 })] });
  assert.equal(client.unread('z').get(), 10, 'history from before the hub knew it is not unread');
  client.close();
});

test('a run is stopping in every tab from the click to its end, and not when the stop failed', async () => {
  const run = (state) => [SCOPE, 'run/r1', 1, true, { startedAt: at(1), state }];
  const abort = (stage) => ['org', 'command/other', 5, true, { kind: 'run.abort', runId: 'r1', stage, issuedAt: at(2) }];
  const { client, push } = await setup({ put: [run('running')] });
  const store = client.runs(C);
  const stopping = () => store.get().rows[0].stopping;
  const seen = [];
  store.subscribe(() => seen.push(stopping()));
  await push({ put: [abort('accepted')] });
  await push({ put: [abort('completed').with(2, 6)] });
  await push({ put: [abort('failed').with(2, 7)] });
  client.command('run.abort', { conversationId: C, runId: 'r1' });
  assert.equal(stopping(), true);
  await push({});
  await push({ put: [run('aborted').with(2, 8)] });
  assert.deepEqual(seen, [true, undefined, true, undefined]);
  client.close();
});

test('steps of a conversation and of one run, in the order they began', async () => {
  const step = (id, runId, second) => [SCOPE, `step/${id}`, second, true, { runId, startedAt: at(second), name: id }];
  const { client } = await setup({ put: [step('b', 'r1', 2), step('c', 'r2', 3), step('a', 'r1', 1)] });
  assert.deepEqual([ids(client.steps(C)), ids(client.steps(C, 'r1'))], [['a', 'b', 'c'], ['a', 'b']]);
  client.close();
});

test('the fleet: heartbeats as heard on the clock of the hub, outbox and open runs', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const { client, push } = await setup({
    serverOffsetMs: 5000,
    put: [
      ['org', 'instance/in_a', 1, true, { name: 'Mac', connection: 'online', outbox: { pending: 1, dead: 0 } }],
      ['org', `conversation/${C}`, 2, true, { instanceId: 'in_a', activeRun: 'r1' }],
      ['org', 'conversation/in_b:x', 2, true, { instanceId: 'in_b', activeRun: 'r2' }],
    ],
  });
  const facts = () => client.instances().get().rows.map(({ openRuns, heardAt, outbox }) => ({ openRuns, heardAt, outbox }));
  assert.deepEqual(facts(), [{ openRuns: 1, heardAt: null, outbox: { pending: 1, dead: 0 } }]);
  await push({ signals: [['org', 'instance.heartbeat', 'in_a', { instanceId: 'in_a', at: at(-900), outbox: { pending: 7, dead: 0 } }]] });
  assert.deepEqual(facts(), [{ openRuns: 1, heardAt: NOW + 5000, outbox: { pending: 7, dead: 0 } }]);
  await push({ signals: [['org', 'instance.heartbeat', 'in_a', { instanceId: 'in_a', at: at(-900), heardAt: at(-20) }]] });
  assert.equal(facts()[0].heardAt, NOW - 20_000);
  client.close();
});

test('who is here, and nobody while the connection is down', async () => {
  const present = (memberId, name, state) => ['org', 'presence', memberId, { memberId, name, state }];
  const { client, push } = await setup({ signals: [present('mb_2', 'Zoe', 'online'), present('mb_1', 'Ada', 'online'), present('mb_3', 'Bo', 'offline')] });
  const names = () => client.presence().get().rows.map(({ name }) => name);
  assert.deepEqual(names(), ['Ada', 'Zoe']);
  await push({ signals: [['org', 'presence', 'mb_2', null]] });
  assert.deepEqual(names(), ['Ada']);
  await push({ scopes: { org: { phase: 'stale', reason: 'offline' } } });
  assert.deepEqual(names(), []);
  client.close();
});

test('others who write are shown for 6 s, and one\'s own keystrokes are told every 3 s', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: NOW });
  const { fake, client, push } = await setup();
  const typing = (memberId, active = true, scope = SCOPE) => [scope, 'typing', memberId, { memberId, name: memberId, active }];
  const store = client.typing(C);
  const seen = [];
  const off = store.subscribe(() => seen.push(store.get().rows.map(({ memberId }) => memberId)));
  await push({ signals: [typing('mb_1'), typing('mb_2'), typing('mb_3', true, 'conversation/else')] });
  t.mock.timers.tick(5000);
  await push({ signals: [typing('mb_4')] });
  t.mock.timers.tick(2000);
  await push({ signals: [typing('mb_4', false)] });
  assert.deepEqual(seen, [['mb_2'], ['mb_2', 'mb_4'], ['mb_4'], []]);
  off();
  for (let stroke = 0; stroke < 5; stroke += 1) {
    client.setTyping(C);
    t.mock.timers.tick(1000);
  }
  client.setTyping(C, false);
  client.setTyping(C, false);
  const sent = fake.posted.filter(({ t }) => t === 'signal').map(({ scope, kind, data }) => [scope, kind, data.active]);
  assert.deepEqual(sent, [[SCOPE, 'typing', true], [SCOPE, 'typing', true], [SCOPE, 'typing', false]]);
  client.close();
});

test('ages are another when the clock of the hub is known better', async () => {
  const { client, push } = await setup();
  const age = client.age(Date.now() - 5_000);
  const seen = [];
  age.subscribe(() => seen.push(age.get()));
  await push({ serverOffsetMs: 600_000 });
  assert.deepEqual(seen, [600_000]);
});

test('the time left and ages go by the clock of the hub, told once a second while somebody looks', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: NOW });
  const { client } = await setup({ serverOffsetMs: 60_000 });
  const [left, age] = [client.timeLeft(at(63)), client.age(NOW)];
  const seen = [];
  const offs = [left.subscribe(() => seen.push(left.get())), age.subscribe(() => seen.push(`age ${age.get()}`))];
  assert.deepEqual([left.get(), age.get(), client.timeLeft(null).get()], [3000, 60_000, null]);
  for (let second = 0; second < 5; second += 1) t.mock.timers.tick(1000);
  assert.deepEqual(seen, [2000, 1000, 0]);
  offs.forEach((off) => off());
  t.mock.timers.tick(60_000);
  assert.equal(seen.length, 3);
  client.close();
});

test('commands that are not through are listed with what was asked', async () => {
  const { client, push } = await setup();
  const list = client.commands();
  const said = client.command('message.send', { conversationId: C, text: 'kept words' });
  const done = client.command('feed.markRead', { itemIds: ['x'] });
  const error = { code: 'forbidden', message: 'no' };
  await push({ commands: [{ id: said.id, state: 'refused', error }, { id: done.id, state: 'completed' }] });
  assert.deepEqual(list.get(), [{ id: said.id, kind: 'message.send', data: { conversationId: C, text: 'kept words' }, state: 'refused', error }]);
  const again = client.retry(said.id);
  assert.deepEqual(list.get().map(({ id, state }) => [id, state]), [[again.id, 'held']]);
  client.close();
});

test('when someone else signs in, open commands end and nothing of the former person is left', async () => {
  const { client, push } = await setup({ signals: [['org', 'presence', 'mb_2', { memberId: 'mb_2', state: 'online' }]] });
  const [open, refused] = [client.command('message.send', { text: 'a' }), client.command('message.send', { text: 'b' })];
  await push({ commands: [{ id: refused.id, state: 'refused', error: { code: 'x', message: 'x' } }] });
  await push({ self });
  assert.equal(open.get().state, 'held');
  await push({ self: { ...self, id: 'mb_9' }, reset: ['org'] });
  assert.deepEqual([(await open.accepted).state, (await open.done).error.code], ['closed', 'signedOut']);
  assert.deepEqual([client.commands().get(), client.presence().get().rows], [[], []]);
  assert.equal(client.retry(refused.id), null);
  client.close();
});

test('the types that a scope has are known, also those that only integrators know', async () => {
  const sensor = (id, rev) => ['org', `x.acme.sensor/in_a:${id}`, rev, true, { wet: false }];
  const { client, push } = await setup({ put: [sensor('s1', 1), ['org', 'agent/in_a:main', 2, true, {}], [SCOPE, 'message/m1', 3, true, {}]] });
  const store = client.types();
  let changes = 0;
  store.subscribe(() => (changes += 1));
  assert.deepEqual(store.get(), ['agent', 'x.acme.sensor']);
  assert.deepEqual(client.types(SCOPE).get(), ['message']);
  await push({ put: [sensor('s2', 4)] });
  assert.equal(changes, 0);
  await push({ drop: [['org', 'x.acme.sensor/in_a:s1'], ['org', 'x.acme.sensor/in_a:s2']] });
  assert.deepEqual([store.get(), changes], [['agent'], 1]);
  client.close();
});
