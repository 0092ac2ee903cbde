import assert from 'node:assert/strict';
import { test as run } from 'node:test';
import instantiate from '../dist/otter.js';
import { holdLife, watchLife } from '../life.js';
import { createRooms } from '../rooms.js';
import { createFakeCore } from '../testing.js';
import { VERSION } from '../version.js';
import { C, SCOPE, accepted, createFakeHub, delta, events, refused, snapshot } from './fake-hub.js';
import { createWorker, tab, until, wait } from './fake-worker.js';

const RUN = 'in_a:r1';
const test = (name, fn) => run(name, { timeout: 20_000 }, fn);

/** Stands in for the locks of a browser. `die` releases one, as the end of its holder does. */
function fakeLocks(t) {
  const held = new Map();
  const request = (name, ...rest) => {
    const take = rest.at(-1);
    const { mode = 'exclusive', signal } = rest.length > 1 ? rest[0] : {};
    if (mode === 'exclusive') return held.set(name, []), Promise.resolve(take());
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      held.get(name).push(() => signal.aborted || resolve(take()));
    });
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request } } });
  t.after(() => (before ? Object.defineProperty(globalThis, 'navigator', before) : delete globalThis.navigator));
  return { names: () => [...held.keys()], die: (name) => held.get(name).forEach((grant) => grant()) };
}

const texts = (client) => client.messages(C).get().rows.map((row) => row.text);
const phase = (client) => client.connection.get().phase;

/** So many tabs with the conversation open, connected through one worker. */
async function online(t, count) {
  const worker = createWorker();
  const clients = Array.from({ length: count }, () => tab(t, worker));
  for (const client of clients) client.messages(C).subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet();
  await until(() => clients.every((client) => texts(client)[0] === 'Hello'), 'the snapshot in every tab');
  return { worker, hub: worker.hub, clients };
}

test('twelve tabs have one socket, one core, and the same truth', async (t) => {
  const { worker, hub, clients } = await online(t, 12);
  assert.deepEqual([hub.sockets.length, worker.starts, worker.fetches], [1, 1, 1]);
  hub.last().say(events(11, 10, 'message.edited', 'merge', 'message/in_a:m1', { text: 'edited' }));
  await until(() => clients.every((client) => texts(client)[0] === 'edited'), 'the edit in every tab');
  assert.deepEqual(clients.map(phase), Array(12).fill('online'));
  const hashes = await Promise.all(clients.map((client) => client.hashes()));
  for (const each of hashes) assert.deepEqual(each, hashes[0]);
  hub.last().cut();
  await until(() => clients.every((client) => phase(client) !== 'online'), 'the cut in every tab');
  assert.deepEqual(clients.map((client) => client.scope(SCOPE).get().phase), Array(12).fill('stale'));
  await until(() => hub.sockets.length === 2, 'the next socket');
});

test('a tab that comes later has all of it, also a text being written', async (t) => {
  const { worker, hub } = await online(t, 1);
  hub.last().say(delta(RUN, 0, 'Half of'));
  const late = tab(t, worker);
  late.messages(C).subscribe(() => {});
  await until(() => texts(late).length === 2, 'the streamed text');
  assert.deepEqual(texts(late), ['Hello', 'Half of']);
  assert.equal(late.self.get().id, 'mb_1');
  hub.last().say(delta(RUN, 7, ' an answer'));
  await until(() => texts(late)[1] === 'Half of an answer', 'the next words');
  assert.equal(hub.sockets.length, 1);
});

test('a tab that leaves takes nothing from the others, and the last one ends the socket', async (t) => {
  const { hub, clients: [one, two] } = await online(t, 2);
  one.close();
  await wait(50);
  assert.deepEqual(hub.last().take('unsubscribe'), []);
  hub.last().say(events(11, 10, 'message.edited', 'merge', 'message/in_a:m1', { text: 'edited' }));
  await until(() => texts(two)[0] === 'edited', 'the edit');
  two.close();
  await until(() => hub.last().readyState === 3, 'the end of the socket');
});

test('a command is shown in all tabs and sent once; a refused one is retried by any of them, once', async (t) => {
  const { hub, clients: [one, two] } = await online(t, 2);
  const sent = one.command('message.send', { conversationId: C, text: 'hi' });
  await until(() => texts(two).includes('hi'), 'the row in the other tab');
  assert.deepEqual(hub.last().take('command').map(({ id }) => id), [sent.id]);
  hub.last().say(refused(sent.id, 'notFound'));
  await until(() => two.commands().get()[0]?.state === 'refused', 'the refusal in the other tab');
  assert.equal((await sent.done).state, 'refused');
  const both = [two.retry(sent.id), one.retry(sent.id)];
  await until(() => hub.last().received.some(({ type }) => type === 'command'), 'the second attempt');
  await wait(50);
  const attempts = hub.last().take('command');
  assert.deepEqual(attempts.map(({ data }) => data.text), ['hi']);
  const again = both.find(({ id }) => id === attempts[0].id);
  const late = both.find(({ id }) => id !== attempts[0].id);
  hub.last().say(accepted(again.id, { org: 12, [SCOPE]: 12 }));
  assert.deepEqual([(await again.accepted).state, (await late.done).state], ['accepted', 'dismissed']);
  assert.deepEqual(one.commands().get().map(({ id }) => id), [again.id]);
});

test('events reach the tabs that follow their scope and ask for their kind', async (t) => {
  const { worker, hub, clients: [one] } = await online(t, 1);
  const elsewhere = tab(t, worker);
  const heard = { one: [], elsewhere: [] };
  one.on('message.edited', ({ seq }, { replayed }) => heard.one.push([seq, replayed]));
  elsewhere.on('message.edited', ({ seq }) => heard.elsewhere.push(seq));
  await until(() => phase(elsewhere) === 'online', 'the second tab');
  hub.last().say(events(11, 10, 'message.edited', 'merge', 'message/in_a:m1', { text: 'edited' }));
  await until(() => heard.one.length > 0, 'the event');
  assert.deepEqual(heard, { one: [[11, false]], elsewhere: [] });
});

test('a worker that dies is replaced, and what was not answered is sent again once', async (t) => {
  const { worker, hub, clients: [one, two] } = await online(t, 2);
  const sent = one.command('message.send', { conversationId: C, text: 'hi' });
  await until(() => texts(two).includes('hi'), 'the row in the other tab');
  const row = one.messages(C).get().rows[0];
  worker.die();
  hub.last().cut();
  await until(() => worker.starts === 2 && hub.sockets.length === 2, 'another worker');
  const hello = hub.last().greet();
  assert.equal(hello.subscribe.some(({ scope }) => scope === SCOPE), true);
  await until(() => [one, two].every((client) => phase(client) === 'online' && texts(client).includes('hi')), 'both tabs');
  await until(() => hub.last().received.some(({ type }) => type === 'command'), 'the command');
  await wait(50);
  assert.deepEqual(hub.last().take('command').map(({ id }) => id), [sent.id]);
  assert.equal(one.messages(C).get().rows[0], row);
});

test('a worker whose process crashes is replaced at once: its lock ends, though no port does', async (t) => {
  const locks = fakeLocks(t);
  const { worker, hub, clients: [gone, ...clients] } = await online(t, 3);
  const [name] = locks.names();
  gone.close();
  // The old worker goes on here and would still answer: only the lock tells.
  worker.crash();
  locks.die(name);
  await until(() => worker.starts === 2 && hub.sockets.length === 2, 'another worker');
  hub.last().greet();
  await until(() => clients.every((client) => phase(client) === 'online'), 'every tab');
  assert.deepEqual([worker.starts, hub.sockets.length, locks.names().length], [2, 2, 2]);
});

test('where workers keep dying a tab goes on with a core of its own', async (t) => {
  const locks = fakeLocks(t);
  const load = async () => instantiate(await WebAssembly.compile(await worker.of.bytes()));
  const worker = createWorker();
  globalThis.WebSocket = worker.hub.WebSocket;
  const client = tab(t, worker, { load });
  client.messages(C).subscribe(() => {});
  for (let starts = 1; starts <= 4; starts += 1) {
    await until(() => worker.hub.sockets.length === starts && locks.names().length === starts, `worker ${starts}`);
    worker.hub.last().greet();
    await until(() => phase(client) === 'online', 'a connection');
    worker.crash();
    locks.die(locks.names().at(-1));
  }
  await until(() => worker.hub.sockets.length === 5, 'a socket of its own');
  worker.hub.last().greet();
  await until(() => phase(client) === 'online', 'a connection');
  assert.deepEqual([worker.starts, texts(client)], [4, ['Hello']]);
});

test('a lock that is refused changes nothing: silence tells, too', async (t) => {
  const request = () => Promise.reject(new Error('denied'));
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request } } });
  t.after(() => (before ? Object.defineProperty(globalThis, 'navigator', before) : delete globalThis.navigator));
  assert.equal(await holdLife(), null);
  watchLife('worker', () => assert.fail('nobody said so'))();
});

test('a worker that takes seconds to start serves the tab that still asks, at once', async (t) => {
  const worker = createWorker();
  worker.starting = [];
  const client = tab(t, worker);
  client.messages(C).subscribe(() => {});
  await until(() => worker.starting.length >= 2, 'the second attempt');
  worker.started();
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet();
  await until(() => texts(client)[0] === 'Hello', 'the snapshot');
  assert.equal(worker.fetches, 1);
});

test('a tab that met a worker just ending finds the next one, and has no core of its own', async (t) => {
  const worker = createWorker();
  worker.silent = 1;
  const client = tab(t, worker);
  client.messages(C).subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet();
  await until(() => texts(client)[0] === 'Hello', 'the snapshot');
  assert.ok(worker.ports.length >= 2);
});

test('a core that dies is replaced by an instance of its own, and every tab goes on', async (t) => {
  t.mock.method(console, 'error', () => {});
  const classes = [];
  let dies = false;
  const worker = createWorker(async (module) => {
    const Core = await instantiate(module);
    classes.push(Core);
    return class extends Core {
      post(message) {
        const place = this.__wbg_ptr;
        // Outside of its memory: a real trap.
        if (dies) this.__wbg_ptr = 0x7fff_fff0;
        dies = false;
        try {
          super.post(message);
        } finally {
          this.__wbg_ptr = place;
        }
      }
    };
  });
  const clients = [tab(t, worker), tab(t, worker)];
  for (const client of clients) client.messages(C).subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet();
  await until(() => clients.every((client) => texts(client)[0] === 'Hello'), 'the snapshot in every tab');
  dies = true;
  const sent = clients[0].command('message.send', { conversationId: C, text: 'hi' });
  await until(() => worker.hub.sockets.length === 2, 'the socket of the next core');
  worker.hub.last().greet();
  await until(() => clients.every((client) => phase(client) === 'online' && texts(client).includes('hi')), 'both tabs');
  await until(() => worker.hub.last().received.some(({ type }) => type === 'command'), 'the command');
  assert.deepEqual(worker.hub.last().take('command').map(({ id }) => id), [sent.id]);
  assert.deepEqual([classes.length, new Set(classes).size], [2, 2]);
  assert.deepEqual([worker.starts, worker.fetches], [1, 1]);
});

test('a core that keeps dying stops every tab, and a page that is opened then has a new one', async (t) => {
  t.mock.method(console, 'error', () => {});
  const fake = createFakeCore();
  const worker = createWorker(async () => fake.Core);
  const first = tab(t, worker);
  first.start();
  for (let count = 1; count <= 4; count += 1) {
    await until(() => fake.instances.length === count, `core ${count}`);
    fake.panic('again');
  }
  await until(() => phase(first) === 'stopped', 'the end');
  const late = tab(t, worker);
  late.start();
  await until(() => fake.instances.length === 5, 'another core');
  fake.push({ connection: { phase: 'online', reason: null, since: 1, attempt: 0, nextRetryAt: null, roundTripMs: null } });
  await until(() => [first, late].every((client) => phase(client) === 'online'), 'both tabs');
});

test('after a sleep of the machine no tab is taken for dead', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = Date.now();
  t.mock.method(Date, 'now', () => now);
  const fake = createFakeCore();
  const rooms = createRooms({ instantiate: async () => fake.Core, WebSocket: () => null });
  const port = { sent: [], postMessage: (message) => port.sent.push(message), onmessage: null };
  const say = (data) => port.onmessage({ data });
  rooms.enter(port);
  const settings = JSON.stringify({ url: 'ws://hub.test/ws', client: { name: 'test', version: '1' } });
  say({ hello: { version: VERSION, settings, visible: true, messages: [] } });
  const pass = (ms) => {
    port.sent.length = 0;
    now += ms;
    t.mock.timers.tick(5000);
  };
  pass(5000);
  assert.deepEqual(port.sent, [{ beat: true }]);
  say({ beat: true });
  pass(8 * 3_600_000);
  assert.deepEqual(port.sent, [{ beat: true }]);
  say({ beat: true });
  assert.deepEqual(port.sent, [{ beat: true }], 'it is still known');
  for (let beats = 0; beats < 7; beats += 1) pass(5000);
  say({ beat: true });
  assert.deepEqual(port.sent.at(-1), { gone: true }, 'one that says nothing while it is asked is gone');
});

test('a tab has its own core when the worker cannot start or belongs to another release', async (t) => {
  const load = async () => instantiate(await WebAssembly.compile(await createWorker().of.bytes()));
  for (const how of ['broken', 'other']) {
    const worker = createWorker();
    if (how === 'broken') worker.broken = true;
    else {
      worker.of.open = () => {
        const { port1, port2 } = new MessageChannel();
        port2.onmessage = () => (port2.postMessage({ other: true }), port2.close());
        return { port: port1, onerror: null };
      };
    }
    const hub = createFakeHub();
    globalThis.WebSocket = hub.WebSocket;
    const client = tab(t, worker, { load });
    client.messages(C).subscribe(() => {});
    await until(() => hub.sockets.length === 1, `a socket of its own (${how})`);
    hub.last().greet();
    await until(() => texts(client)[0] === 'Hello', 'the snapshot');
  }
});

test('a tab that takes nothing gets no more, and all of it when it goes on', async (t) => {
  const hub = createFakeHub();
  const rooms = createRooms({ instantiate, WebSocket: () => hub.WebSocket });
  const got = [];
  const port = { postMessage: (message) => got.push(message), onmessage: null };
  const say = (data) => port.onmessage({ data });
  rooms.enter(port);
  t.after(() => say({ bye: true }));
  const settings = JSON.stringify({ url: 'ws://hub.test/ws', client: { name: 'test', version: '1' } });
  say({ hello: { version: VERSION, settings, visible: true, messages: [{ t: 'listen', kinds: ['*'] }, { t: 'subscribe', scope: SCOPE }] } });
  say({ wasm: await createWorker().of.bytes() });
  await until(() => hub.sockets.length === 1, 'a socket');
  hub.last().greet();
  const numbered = () => got.filter(({ n }) => n);
  for (let seq = 11; seq < 11 + 100; seq += 1) {
    hub.last().say(events(seq, seq - 1, 'message.edited', 'merge', 'message/in_a:m1', { text: `edit ${seq}` }));
    await wait(17);
  }
  const before = numbered();
  assert.equal(before.length, 64);
  say({ taken: 64 });
  const rest = numbered().slice(64).map(({ changes }) => changes);
  const [whole] = rest.filter(({ fresh }) => fresh);
  assert.deepEqual([whole.reset, whole.put[0][4].text], [[SCOPE], 'edit 110']);
  const heard = numbered().flatMap(({ changes }) => changes.events ?? []).map(([{ seq }]) => seq);
  assert.deepEqual(heard, Array.from({ length: 100 }, (_, at) => 11 + at));
});

test('a tab with more scopes than it may leave untaken has all of them at once, and then nothing more', async (t) => {
  const ids = Array.from({ length: 96 }, (_, at) => `in_a:c${at}`);
  const rows = (scope) => {
    const id = scope.slice('conversation/'.length);
    const value = { author: { type: 'agent' }, conversationId: id, sentAt: '2026-11-24T10:00:00.000Z', status: 'complete', text: id };
    return [{ entity: `message/${id}-m`, rev: 3, value }];
  };
  const answer = (ask) => snapshot(ask, 10, ask.scope === 'org' ? undefined : rows(ask.scope));
  const all = (client) => ids.filter((id) => client.messages(id).get().rows[0]?.text === id).length;
  const worker = createWorker();
  const one = tab(t, worker);
  for (const id of ids) one.messages(id).subscribe(() => {});
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet(answer);
  await until(() => all(one) === ids.length, 'all in the first tab');
  const two = tab(t, worker);
  for (const id of ids) two.messages(id).subscribe(() => {});
  await until(() => worker.ports.length === 2, 'the port of the second tab');
  const [, port] = worker.ports;
  const post = port.postMessage.bind(port);
  let posts = 0;
  port.postMessage = (message, ...rest) => {
    if (message.changes) posts += 1;
    post(message, ...rest);
  };
  await until(() => all(two) === ids.length, 'all in the second tab');
  await wait(100);
  posts = 0;
  await wait(300);
  assert.deepEqual([posts, all(two)], [0, ids.length]);
});
