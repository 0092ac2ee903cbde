import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../index.node.js';
import { loadCore } from '../load.node.js';
import { C, SCOPE, accepted, createFakeHub, delta, events, refused, resumed, snapshot } from './fake-hub.js';

const wait = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const RUN = 'in_a:r1';

async function until(check, what) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (check()) return;
    await wait(10);
  }
  assert.fail(`never: ${what}`);
}

async function setup() {
  const hub = createFakeHub();
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: hub.WebSocket, freeze: true });
  client.list('agent').subscribe(() => {});
  client.messages(C).subscribe(() => {});
  await until(() => hub.sockets.length === 1, 'a socket');
  return { hub, client, texts: () => client.messages(C).get().rows.map((row) => row.text) };
}

async function online() {
  const all = await setup();
  all.hub.last().greet();
  await wait();
  return all;
}

test('the handshake offers binary messages and asks for what is followed', async (t) => {
  const { hub, client } = await setup();
  t.after(client.close);
  const socket = hub.last();
  assert.deepEqual([socket.url, socket.protocols, socket.binaryType], ['ws://hub.test/ws', ['otter.v1.json'], 'arraybuffer']);
  assert.equal(client.connection.get().phase, 'connecting');
  const hello = socket.greet();
  assert.deepEqual(hello.capabilities, ['binary']);
  assert.deepEqual(hello.subscribe.map(({ scope, pos }) => [scope, pos]), [['org', undefined], [SCOPE, undefined]]);
  await wait();
  assert.equal(client.connection.get().phase, 'online');
  assert.equal(client.self.get().id, 'mb_1');
});

test('a snapshot is the state, and events change it', async (t) => {
  const { hub, client, texts } = await online();
  t.after(client.close);
  assert.deepEqual(texts(), ['Hello']);
  assert.deepEqual(client.list('agent').get().ids, ['in_a:main']);
  assert.equal(client.scope(SCOPE).get().phase, 'live');
  const seen = [];
  client.on('message.edited', (event, { replayed }) => seen.push([event.seq, replayed]));
  hub.last().say(events(11, 10, 'message.edited', 'merge', 'message/in_a:m1', { text: 'Hello \u{1f9a6}' }));
  await wait();
  assert.deepEqual([texts(), seen], [['Hello \u{1f9a6}'], [[11, false]]]);
  hub.last().say(events(11, 10, 'message.edited', 'merge', 'message/in_a:m1', { text: 'again' }));
  hub.last().say(events(12, 11, 'message.removed', 'delete', 'message/in_a:m1', {}));
  await wait();
  assert.deepEqual([texts(), seen.length, (await client.hashes())[SCOPE].pos], [[], 1, 12]);
});

test('a gap is healed by a new snapshot while the old state stays', async (t) => {
  const { hub, client, texts } = await online();
  t.after(client.close);
  hub.last().say(events(20, 15, 'message.edited', 'merge', 'message/in_a:m1', { text: 'lost' }));
  await wait();
  assert.deepEqual([texts(), client.scope(SCOPE).get().phase], [['Hello'], 'stale']);
  const [again] = hub.last().take('subscribe');
  assert.deepEqual([again.scope, again.pos], [SCOPE, undefined]);
  hub.last().say(...snapshot(again, 20, []));
  await wait();
  assert.deepEqual([texts(), client.scope(SCOPE).get().phase], [[], 'live']);
});

test('a sent message is shown at once and becomes the hub\'s row under the same id', async (t) => {
  const { hub, client, texts } = await online();
  t.after(client.close);
  const handle = client.command('message.send', { conversationId: C, text: 'hi "you"' });
  assert.deepEqual(texts(), ['Hello', 'hi "you"']);
  const row = client.messages(C).get().rows[1];
  assert.deepEqual([row.id, row.author.id, row.delivery.state], [`in_a:${handle.id}:user`, 'mb_1', 'pending']);
  assert.deepEqual(row.local, { commandId: handle.id, stage: 'sent' });
  const [command] = hub.last().take('command');
  assert.deepEqual(command, { type: 'command', id: handle.id, kind: 'message.send', data: { conversationId: C, text: 'hi "you"' } });
  hub.last().say(accepted(handle.id, { org: 13, [SCOPE]: 12 }));
  await wait();
  assert.equal(handle.get().state, 'accepted');
  assert.equal(client.messages(C).get().rows[1].local.stage, 'sent');
  const data = { author: { id: 'mb_1', type: 'member' }, conversationId: C, delivery: { state: 'pending' }, sentAt: '2026-11-24T10:00:01.000Z', status: 'complete', text: 'hi "you"' };
  hub.last().say(events(12, 10, 'message.created', 'put', `message/${row.id}`, data, { causedBy: handle.id }));
  await wait();
  const placed = client.messages(C).get().rows[1];
  assert.deepEqual([placed.id, placed.local, placed.sentAt], [row.id, undefined, data.sentAt]);
  const stage = { instanceId: 'in_a', kind: 'message.send', stage: 'completed' };
  hub.last().say(events(13, 10, 'command.updated', 'put', `command/${handle.id}`, stage, { scope: 'org', causedBy: handle.id }));
  assert.equal((await handle.done).state, 'completed');
});

test('a refused message keeps its row and error until it is retried', async (t) => {
  const { hub, client, texts } = await online();
  t.after(client.close);
  const handle = client.command('message.send', { conversationId: C, text: 'no' });
  hub.last().say(refused(handle.id, 'not you'));
  assert.equal((await handle.done).error.message, 'not you');
  assert.deepEqual(client.messages(C).get().rows[1].local.error.message, 'not you');
  const again = client.retry(handle.id);
  assert.deepEqual(client.messages(C).get().rows.map((row) => row.local?.commandId), [undefined, again.id]);
  hub.last().say(refused(again.id, 'still not'));
  await again.accepted;
  client.dismiss(again.id);
  assert.deepEqual(texts(), ['Hello']);
});

test('an answer streams, and the whole one takes its place in one step', async (t) => {
  const { hub, client, texts } = await online();
  t.after(client.close);
  hub.last().say(
    events(11, 10, 'run.started', 'put', `run/${RUN}`, { agentId: 'in_a:main', conversationId: C, state: 'running', startedAt: '2026-11-24T10:00:01.000Z' }),
    delta(RUN, 0, 'Otters \u{1f9a6}'),
    delta(RUN, 9, ' hold'),
  );
  await wait();
  const id = `${RUN}:answer`;
  assert.deepEqual(client.messages(C).get().rows[1], { id, conversationId: C, runId: RUN, author: { type: 'agent', id: 'in_a:main' }, text: 'Otters \u{1f9a6} hold', status: 'streaming' });
  hub.last().say(delta(RUN, 99, 'lost before'));
  await wait();
  assert.equal(texts()[1], 'Otters \u{1f9a6} hold');
  const painted = [];
  client.messages(C).subscribe(() => painted.push(client.messages(C).get().rows.map((row) => [row.id, row.status])));
  const whole = { author: { id: 'in_a:main', type: 'agent' }, conversationId: C, runId: RUN, sentAt: '2026-11-24T10:00:02.000Z', status: 'complete', text: 'Otters \u{1f9a6} hold hands.' };
  hub.last().say(
    events(12, 11, 'message.created', 'put', `message/${id}`, whole),
    events(13, 12, 'run.completed', 'merge', `run/${RUN}`, { state: 'completed' }),
    delta(RUN, 0, 'late'),
  );
  await wait();
  assert.deepEqual(painted, [[['in_a:m1', 'complete'], [id, 'complete']]]);
  assert.equal(texts()[1], whole.text);
});

test('after a cut it resumes from its position, keeps what it shows, and sends unanswered commands again', async (t) => {
  const { hub, client, texts } = await online();
  t.after(client.close);
  hub.last().say(
    events(11, 10, 'run.started', 'put', `run/${RUN}`, { agentId: 'in_a:main', conversationId: C, state: 'running', startedAt: '2026-11-24T10:00:01.000Z' }),
    delta(RUN, 0, 'half'),
  );
  const handle = client.command('message.send', { conversationId: C, text: 'hi' });
  const old = hub.last();
  old.cut();
  // Not a timer: the next attempt may be one, too.
  await null;
  assert.equal(client.connection.get().phase, 'waiting');
  assert.equal(client.scope(SCOPE).get().phase, 'stale');
  assert.deepEqual(texts(), ['Hello', 'hi', 'half']);
  await until(() => hub.sockets.length === 2, 'a second socket');
  old.onmessage?.({ data: '{"type":"bye","code":4500,"reason":"old"}' });
  const hello = hub.last().greet(resumed);
  assert.deepEqual(hello.subscribe.map(({ scope, epoch, pos }) => [scope, epoch, pos]), [['org', 'ep1', 10], [SCOPE, 'ep1', 11]]);
  await wait();
  assert.equal(client.scope(SCOPE).get().phase, 'live');
  assert.deepEqual(texts(), ['Hello', 'hi', 'half']);
  assert.deepEqual(hub.last().take('command').map((command) => command.id), [handle.id]);
  hub.last().say(delta(RUN, 0, 'half of it'));
  await wait();
  assert.deepEqual(texts(), ['Hello', 'hi', 'half of it']);
});

test('a closed client leaves no socket, timer or callback behind', async () => {
  const { hub, client } = await online();
  client.close();
  const socket = hub.last();
  assert.deepEqual([socket.readyState, socket.onmessage, socket.onclose], [3, null, null]);
  assert.deepEqual(socket.take('bye').length, 1);
  await wait(30);
  assert.equal(hub.sockets.length, 1);
});

test('a constructor that throws is an outage, not a crash', async (t) => {
  let tries = 0;
  class Refusing {
    constructor() {
      tries += 1;
      throw new SyntaxError('no');
    }
  }
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: Refusing });
  t.after(client.close);
  // Told at once: the next attempt comes within half a second.
  const first = new Promise((resolve) => {
    client.connection.subscribe(() => client.connection.get().phase === 'waiting' && resolve([tries, client.connection.get().reason]));
  });
  client.start();
  assert.deepEqual(await first, [1, 'offline']);
});

test('a scope that is forgotten takes no news of others with it', async () => {
  const hub = createFakeHub();
  const Core = await loadCore();
  const core = new Core(JSON.stringify({ url: 'ws://hub.test/ws', client: { name: 'test', version: '0' } }), hub.WebSocket, () => {});
  const post = (message) => core.post(JSON.stringify(message));
  for (const scope of ['org', SCOPE]) post({ t: 'subscribe', scope });
  post({ t: 'listen', kinds: ['*'] });
  post({ t: 'start' });
  hub.last().greet();
  core.drain();
  hub.last().say(
    events(11, 10, 'agent.upserted', 'merge', 'agent/in_a:main', { name: 'Bea' }, { scope: 'org' }),
    events(12, 10, 'message.edited', 'merge', 'message/in_a:m1', { text: 'gone' }),
    delta(RUN, 0, 'gone'),
  );
  post({ t: 'unsubscribe', scope: SCOPE });
  post({ t: 'forget', scope: SCOPE });
  const news = JSON.parse(core.drain());
  post({ t: 'stop' });
  core.free();
  assert.deepEqual([news.events.map(([event]) => event.seq), news.put.map((row) => row[1]), news.slots], [[11, 12], ['agent/in_a:main'], undefined]);
});

test('a wall clock that is set right again is heard of with the next answered probe', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T09:50:00.000Z') });
  const { hub, client } = await online();
  t.after(client.close);
  const now = () => new Date(Math.floor(client.now() / 10_000) * 10_000).toISOString();
  assert.equal(now(), '2026-11-24T10:00:00.000Z');
  hub.last().say({ type: 'probed', n: hub.last().take('probe').at(-1).n, serverTime: '2026-11-24T10:00:00.000Z' });
  await wait(20);
  t.mock.timers.setTime(Date.parse('2026-11-24T10:00:00.000Z'));
  hub.last().say({ type: 'ping', pos: 10, epoch: 'ep1', heads: {} });
  await wait(20);
  hub.last().say({ type: 'probed', n: hub.last().take('probe').at(-1).n, serverTime: '2026-11-24T10:00:00.000Z' });
  await wait(20);
  assert.equal(now(), '2026-11-24T10:00:00.000Z');
});
