// What was accepted ends, though the core that heard of it is gone.
import assert from 'node:assert/strict';
import { test as run } from 'node:test';
import { C, SCOPE, accepted, events, snapshot } from './fake-hub.js';
import { createWorker, tab, until, wait } from './fake-worker.js';

const test = (name, fn) => run(name, { timeout: 20_000 }, fn);
const RUN = 'in_a:r1';
const NOW = '2026-11-24T10:00:00.000Z';
const LATER = '2026-11-24T10:05:00.000Z';
const running = { entity: `run/${RUN}`, rev: 4, value: { conversationId: C, instanceId: 'in_a', state: 'running', startedAt: NOW } };
const row = (id, stage, more) => ({ entity: `command/${id}`, rev: 15, value: { kind: 'run.abort', runId: RUN, stage, instanceId: 'in_a', issuedAt: NOW, ...more } });
const answer = (head, org = []) => (ask) => snapshot(ask, head, { [SCOPE]: [running], org }[ask.scope]);
const phase = (client) => client.connection.get().phase;

/** Stands in for a page that may go into the back/forward cache: the handlers of the clients that are made meanwhile. */
function fakePage(t) {
  const handlers = new Map();
  globalThis.addEventListener = (name, fn) => handlers.set(name, [...(handlers.get(name) ?? []), fn]);
  globalThis.removeEventListener = () => {};
  t.after(() => (delete globalThis.addEventListener, delete globalThis.removeEventListener));
  const fire = (name, event) => handlers.get(name).forEach((fn) => fn(event));
  return { hide: () => fire('pagehide', {}), back: () => fire('pageshow', { persisted: true }) };
}

/** A stop that the hub has accepted. */
async function stopped(t, worker = createWorker()) {
  const client = tab(t, worker);
  client.runs(C).subscribe(() => {});
  client.commands().subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet(answer(10));
  await until(() => client.runs(C).get().rows.length === 1, 'the run');
  const stop = client.command('run.abort', { conversationId: C, runId: RUN });
  await until(() => worker.hub.last().received.some(({ type }) => type === 'command'), 'the command');
  worker.hub.last().say(accepted(stop.id, { org: 11 }));
  assert.equal((await stop.accepted).state, 'accepted');
  assert.equal(client.runs(C).get().rows[0].stopping, true);
  const states = [];
  stop.subscribe(() => states.push(stop.get().state));
  return { worker, hub: worker.hub, client, stop, states };
}

async function isOver({ client, stop, states }) {
  const { state, error } = await stop.done;
  assert.deepEqual([state, error], ['failed', { code: 'gatewayError', message: 'it says no' }]);
  assert.deepEqual(states.filter((each, at) => each !== states[at - 1]), ['failed']);
  await until(() => client.commands().get().length === 0, 'the end of the list');
  assert.equal(client.runs(C).get().rows[0].stopping, undefined);
}

const failed = (id) => row(id, 'failed', { error: { code: 'gatewayError', message: 'it says no' } });

test('an accepted command ends after its worker died', async (t) => {
  const of = await stopped(t);
  of.worker.die();
  await until(() => of.hub.sockets.length === 2, 'another worker');
  of.hub.last().greet(answer(20, [failed(of.stop.id)]));
  await isOver(of);
});

test('an accepted command that is not over goes on after its worker died, in every tab', async (t) => {
  const of = await stopped(t);
  const other = tab(t, of.worker);
  other.commands().subscribe(() => {});
  await until(() => other.commands().get().length === 1, 'the command in the other tab');
  of.worker.die();
  await until(() => of.hub.sockets.length === 2, 'another worker');
  of.hub.last().greet(answer(20, [row(of.stop.id, 'accepted')]));
  await until(() => phase(of.client) === 'online' && phase(other) === 'online', 'the connection');
  // The hub knows the id and repeats its answer: it is not run again.
  await until(() => of.hub.last().received.some(({ type }) => type === 'command'), 'the question');
  await wait(50);
  assert.deepEqual(of.hub.last().take('command').map(({ id }) => id), [of.stop.id]);
  of.hub.last().say(accepted(of.stop.id, { org: 11 }));
  await wait(50);
  assert.deepEqual([of.stop.get().state, of.client.runs(C).get().rows[0].stopping], ['accepted', true]);
  const { error, ...rest } = failed(of.stop.id).value;
  of.hub.last().say(events(21, 20, 'command.updated', 'merge', `command/${of.stop.id}`, { ...rest, error }, { scope: 'org' }));
  await until(() => other.commands().get().length === 0, 'the end in the other tab');
  await isOver(of);
});

test('an accepted command ends that was over while its page was in the cache, with and without another tab', async (t) => {
  for (const alone of [true, false]) {
    const page = fakePage(t);
    const of = await stopped(t);
    delete globalThis.addEventListener;
    const other = tab(t, of.worker);
    if (!alone) {
      other.runs(C).subscribe(() => {});
      await until(() => phase(other) === 'online', 'the other tab');
    }
    page.hide();
    await wait(20);
    const last = of.hub.last();
    if (!alone) last.say(events(21, 10, 'command.updated', 'put', `command/${of.stop.id}`, failed(of.stop.id).value, { scope: 'org' }));
    await wait(50);
    page.back();
    if (alone) {
      await until(() => of.hub.sockets.length === 2, 'the socket of the next core');
      of.hub.last().greet(answer(30, [failed(of.stop.id)]));
    }
    await isOver(of);
    of.client.close();
    other.close();
  }
});

test('a message whose row the next worker finds stays one row, which waits for nothing', async (t) => {
  const worker = createWorker();
  const client = tab(t, worker);
  client.messages(C).subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet();
  await until(() => client.messages(C).get().rows.length === 1, 'the snapshot');
  const sent = client.command('message.send', { conversationId: C, text: 'hi' });
  await until(() => worker.hub.last().received.some(({ type }) => type === 'command'), 'the command');
  worker.hub.last().say(accepted(sent.id, { org: 11, [SCOPE]: 12 }));
  await sent.accepted;
  const counts = new Set();
  client.messages(C).subscribe(() => counts.add(client.messages(C).get().rows.length));
  const { local, id, ...value } = client.messages(C).get().rows[1];
  assert.equal(local.stage, 'sent');
  worker.die();
  await until(() => worker.hub.sockets.length === 2, 'another worker');
  const hello = { entity: 'message/in_a:m1', rev: 3, value: client.messages(C).get().rows[0] };
  worker.hub.last().greet((ask) => snapshot(ask, 20, ask.scope === SCOPE ? [hello, { entity: `message/${id}`, rev: 12, value: { ...value, sentAt: LATER } }] : []));
  await until(() => client.messages(C).get().rows[1]?.sentAt === LATER, 'the row of the hub');
  await wait(50);
  assert.deepEqual(client.messages(C).get().rows[1], { ...value, sentAt: LATER, id });
  assert.deepEqual([...counts], [2]);
  assert.deepEqual(worker.hub.last().take('command').map((command) => command.id), [sent.id]);
});

test('a stop whose answer died with the worker is sent again under its id, not refused', async (t) => {
  const worker = createWorker();
  const client = tab(t, worker);
  client.runs(C).subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet(answer(10));
  await until(() => client.runs(C).get().rows.length === 1, 'the run');
  const stop = client.command('run.abort', { conversationId: C, runId: RUN });
  await until(() => stop.get().state === 'sent', 'the command');
  const states = [];
  stop.subscribe(() => states.push(stop.get().state));
  worker.die();
  await until(() => worker.hub.sockets.length === 2, 'another worker');
  worker.hub.last().greet(answer(20));
  await until(() => worker.hub.last().received.some(({ type }) => type === 'command'), 'the command again');
  assert.deepEqual(worker.hub.last().take('command').map(({ id }) => id), [stop.id]);
  worker.hub.last().say(accepted(stop.id, { org: 21 }));
  assert.equal((await stop.accepted).state, 'accepted');
  assert.equal(states.includes('refused'), false);
  // One that is given while there is no connection is refused at once, as ever.
  worker.hub.last().cut();
  await until(() => phase(client) !== 'online', 'the cut');
  assert.equal((await client.command('run.abort', { conversationId: C, runId: RUN }).done).state, 'refused');
});
