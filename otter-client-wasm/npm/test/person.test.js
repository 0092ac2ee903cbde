// Another person signs in while a page of the former one is open: nothing of the one is the other's.
import assert from 'node:assert/strict';
import { test as run } from 'node:test';
import instantiate from '../dist/otter.js';
import { createRooms } from '../rooms.js';
import { VERSION } from '../version.js';
import { ADA, BOB, C, SCOPE, accepted, createFakeHub, refused, snapshot, welcome } from './fake-hub.js';
import { createWorker, tab, until, wait } from './fake-worker.js';

const test = (name, fn) => run(name, { timeout: 20_000 }, fn);
const phase = (client) => client.connection.get().phase;
const texts = (client) => client.messages(C).get().rows.map((row) => row.text);
const given = (socket) => socket.take('command').map(({ id, data }) => [id, data.text]);
const say = (client, text) => client.command('message.send', { conversationId: C, text });
/** Only Ada sees this conversation. */
const hers = (ask) => snapshot(ask);
const bobs = (ask) => (ask.scope === SCOPE ? [denied(ask)] : snapshot(ask));
const denied = ({ scope, sub }) => ({ type: 'subscribed', scope, sub, epoch: 'ep1', head: 10, mode: 'denied', error: { code: 'forbidden', message: 'no', retryable: false } });

function follow(client) {
  client.messages(C).subscribe(() => {});
  client.commands().subscribe(() => {});
  return client;
}

/** Everything a client ever shows of who this is and of the conversation. */
function watch(client) {
  const seen = { names: new Set(), texts: new Set() };
  const look = () => {
    seen.names.add(client.self.get()?.name);
    for (const text of texts(client)) seen.texts.add(text);
    for (const { data } of client.commands().get()) seen.texts.add(data.text);
  };
  for (const store of [client.self, client.messages(C), client.commands()]) store.subscribe(look);
  return seen;
}

/** Ada has a refused message, writes another without a connection, and her session ends. */
async function signedOut(t, worker = createWorker(), options = {}) {
  const ada = follow(tab(t, worker, options));
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet(hers);
  await until(() => texts(ada)[0] === 'Hello', 'the snapshot');
  const lost = say(ada, 'refused words');
  await until(() => worker.hub.last().received.some(({ type }) => type === 'command'), 'the command');
  worker.hub.last().say(refused(lost.id, 'no'));
  await lost.done;
  worker.hub.last().cut();
  await until(() => phase(ada) !== 'online', 'the cut');
  const held = say(ada, 'private words');
  await until(() => worker.hub.sockets.length === 2, 'the next socket');
  worker.hub.last().open();
  worker.hub.last().cut(4201, 'your session has ended');
  await until(() => phase(ada) === 'signedOut', 'the end of the session');
  return { worker, hub: worker.hub, ada, lost, held };
}

async function isDropped({ hub, ada, lost, held }) {
  await until(() => ada.self.get()?.name === 'Bob', 'Bob in the tab of Ada');
  await wait(100);
  assert.deepEqual(given(hub.last()), []);
  assert.deepEqual([texts(ada), ada.commands().get()], [[], []]);
  assert.deepEqual([held.get().state, held.get().error.code, (await held.done).state], ['closed', 'signedOut', 'closed']);
  assert.equal(ada.retry(lost.id), null);
}

test('who signs in after somebody else sends none of their words and is shown none of them', async (t) => {
  const out = await signedOut(t);
  const bob = tab(t, out.worker);
  const seen = watch(bob);
  await until(() => out.hub.sockets.length === 3, 'the socket of the next core');
  out.hub.last().greet(bobs, BOB);
  await isDropped(out);
  assert.deepEqual([bob.self.get().name, texts(bob), bob.commands().get()], ['Bob', [], []]);
  assert.deepEqual([[...seen.names].filter(Boolean), [...seen.texts]], [['Bob'], []]);
  const own = say(bob, 'words of Bob');
  await until(() => out.hub.last().received.some(({ type }) => type === 'command'), 'the command of Bob');
  assert.deepEqual(given(out.hub.last()), [[own.id, 'words of Bob']]);
});

test('who signs in again goes on: what waited is sent once, what was refused may be tried again', async (t) => {
  const { worker, hub, ada, lost, held } = await signedOut(t);
  const again = follow(tab(t, worker));
  await until(() => hub.sockets.length === 3, 'the socket of the next core');
  hub.last().greet(hers);
  await until(() => [ada, again].every((client) => texts(client).length === 3), 'the rows in both tabs');
  await wait(100);
  assert.deepEqual(given(hub.last()), [[held.id, 'private words']]);
  hub.last().say(accepted(held.id, { org: 12, [SCOPE]: 12 }));
  assert.equal((await held.accepted).state, 'accepted');
  const retried = again.retry(lost.id);
  await until(() => hub.last().received.some(({ type }) => type === 'command'), 'the second attempt');
  assert.deepEqual(given(hub.last()), [[retried.id, 'refused words']]);
});

test('a tab that opens while the worker has no connection is shown nothing before it is known whose it is', async (t) => {
  const worker = createWorker();
  const ada = follow(tab(t, worker));
  await until(() => worker.hub.sockets.length === 1, 'a socket');
  worker.hub.last().greet(hers);
  await until(() => texts(ada)[0] === 'Hello', 'the snapshot');
  worker.hub.last().cut();
  await until(() => phase(ada) !== 'online', 'the cut');
  const held = say(ada, 'private words');
  const bob = follow(tab(t, worker));
  const seen = watch(bob);
  const early = say(bob, 'early words of Bob');
  await until(() => worker.hub.sockets.length === 2, 'the next socket');
  worker.hub.last().greet(snapshot, BOB);
  await until(() => worker.hub.last().received.some(({ type }) => type === 'command'), 'the command of Bob');
  await wait(100);
  assert.deepEqual(given(worker.hub.last()), [[early.id, 'early words of Bob']]);
  assert.equal((await held.done).error.code, 'signedOut');
  assert.deepEqual([...seen.names].filter(Boolean), ['Bob']);
  assert.equal(seen.texts.has('private words'), false);
  assert.equal(early.get().state, 'sent');
});

test('a worker that is replaced while somebody else signs in drops what it was told of the former person', async (t) => {
  const out = await signedOut(t);
  out.worker.die();
  await until(() => out.hub.sockets.length === 3, 'another worker');
  out.hub.last().greet(bobs, BOB);
  await isDropped(out);
});

/** A core that dies of its next message, after a switch is set: a real trap. */
function mortal(load) {
  const of = { dies: false };
  of.load = async (module) => {
    const Core = await load(module);
    return class extends Core {
      post(message) {
        const place = this.__wbg_ptr;
        if (of.dies) this.__wbg_ptr = 0x7fff_fff0;
        of.dies = false;
        try {
          super.post(message);
        } finally {
          this.__wbg_ptr = place;
        }
      }
    };
  };
  return of;
}

for (const where of ['of all tabs', 'of one tab']) {
  test(`a core ${where} that is replaced while somebody else signs in drops what it was told of the former person`, async (t) => {
    t.mock.method(console, 'error', () => {});
    const core = mortal(async (module) => instantiate(module ?? (await WebAssembly.compile(await worker.of.bytes()))));
    const worker = createWorker(core.load);
    if (where === 'of one tab') worker.broken = true;
    globalThis.WebSocket = worker.hub.WebSocket;
    const out = await signedOut(t, worker, { load: core.load });
    core.dies = true;
    out.ada.send(SCOPE, 'typing', {});
    await until(() => out.hub.sockets.length === 3, 'the socket of the next core');
    out.hub.last().greet(bobs, BOB);
    await isDropped(out);
  });
}

test('a tab that moves to a core of its own while somebody else signs in drops what was told of the former person', async (t) => {
  const load = async () => instantiate(await WebAssembly.compile(await worker.of.bytes()));
  const worker = createWorker();
  globalThis.WebSocket = worker.hub.WebSocket;
  const out = await signedOut(t, worker, { load });
  worker.broken = true;
  worker.ports[0].postMessage({ gone: true });
  await until(() => out.hub.sockets.length === 3, 'a socket of its own');
  out.hub.last().greet(bobs, BOB);
  await isDropped(out);
});

test('a page that comes back from the cache to the worker of somebody else gives it nothing', async (t) => {
  const hub = createFakeHub();
  const rooms = createRooms({ instantiate, WebSocket: () => hub.WebSocket });
  const settings = JSON.stringify({ url: 'ws://hub.test/ws', client: { name: 'test', version: '1' } });
  const command = (id, text) => ({ t: 'command', id, kind: 'message.send', data: { conversationId: C, text } });
  const follows = [{ t: 'subscribe', scope: 'org' }, { t: 'subscribe', scope: SCOPE }];
  const enter = (hello) => {
    const port = { got: [], postMessage: (message) => port.got.push(structuredClone(message)), onmessage: null };
    rooms.enter(port);
    port.say = (data) => port.onmessage({ data });
    port.say({ hello: { version: VERSION, settings, visible: true, ...hello } });
    t.after(() => port.say({ bye: true }));
    return port;
  };
  const ids = ['0192f000-0000-7000-8000-000000000001', '0192f000-0000-7000-8000-000000000002', '0192f000-0000-7000-8000-000000000003'];
  // The worker starts for both of them, before the hub has said who this is.
  const bob = enter({ messages: [...follows, command(ids[0], 'words of Bob')] });
  const back = enter({ messages: [...follows, command(ids[1], 'private words')], self: ADA });
  bob.say({ wasm: await createWorker().of.bytes() });
  await until(() => hub.sockets.length === 1, 'a socket');
  hub.last().open();
  const [hello] = hub.last().take('hello');
  hub.last().say(welcome(BOB), ...hello.subscribe.flatMap((ask) => snapshot(ask)));
  // Not told yet, and still of Ada.
  back.say({ message: command(ids[2], 'more private words'), self: ADA });
  await until(() => bob.got.some((message) => message.again), 'the question for what it has');
  bob.say({ message: command(ids[0], 'words of Bob') });
  await wait(50);
  assert.deepEqual(given(hub.last()), [[ids[0], 'words of Bob']]);
  const told = back.got.flatMap(({ changes }) => changes?.self ?? []);
  assert.deepEqual(told.map(({ name }) => name), ['Bob']);
  assert.equal(JSON.stringify(bob.got).includes('private'), false);
});
