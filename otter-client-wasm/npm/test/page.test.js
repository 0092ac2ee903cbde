import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createClientWith } from '../client.js';
import { createFakeCore } from '../testing.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));
let frames;
let page;

beforeEach(() => {
  frames = [];
  page = new EventTarget();
  page.visibilityState = 'visible';
  globalThis.document = page;
  globalThis.requestAnimationFrame = (fn) => frames.push(fn);
  globalThis.cancelAnimationFrame = (id) => (frames[id - 1] = () => {});
});
afterEach(() => {
  for (const name of ['document', 'requestAnimationFrame', 'cancelAnimationFrame']) delete globalThis[name];
});

const frame = () => frames.splice(0).forEach((fn) => fn());
function show(visibilityState) {
  page.visibilityState = visibilityState;
  page.dispatchEvent(new Event('visibilitychange'));
}

async function setup() {
  const fake = createFakeCore();
  const client = createClientWith(() => Promise.reject(), { core: fake.Core, url: 'http://hub.test/ws' });
  client.start();
  await tick();
  frame();
  return { fake, client };
}

test('a visible page drains once per frame', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fake, client } = await setup();
  let calls = 0;
  client.connection.subscribe(() => (calls += 1));
  fake.push({ connection: { phase: 'connecting', since: 1 } });
  fake.push({ connection: { phase: 'online', since: 2 } });
  await tick();
  assert.equal(calls, 0);
  frame();
  assert.deepEqual([calls, client.connection.get().phase], [1, 'online']);
  client.close();
});

test('a page whose frames stopped still drains', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { fake, client } = await setup();
  fake.push({ connection: { phase: 'online', since: 2 } });
  t.mock.timers.tick(250);
  assert.equal(client.connection.get().phase, 'online');
  client.close();
});

test('a hidden page drains at each notice, hears of it once a second, and of all when shown', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 100_000 });
  const { fake, client } = await setup();
  show('hidden');
  assert.deepEqual(fake.posted.at(-1), { t: 'visible', visible: false });
  const seen = [];
  const events = [];
  client.connection.subscribe(() => seen.push(client.connection.get().attempt));
  client.on('*', ({ seq }) => events.push(seq));
  // What changed by subscribing is told, and a second later the next may be.
  t.mock.timers.tick(1000);
  t.mock.timers.tick(1000);
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    fake.push({ connection: { phase: 'waiting', attempt }, events: [[{ kind: 'x', seq: attempt }, false]] });
    await tick();
    assert.equal(client.connection.get().attempt, attempt);
    t.mock.timers.tick(100);
  }
  assert.deepEqual(seen, [1, 10, 20]);
  assert.equal(events.length, 20);
  fake.push({ connection: { phase: 'online', attempt: 21 } });
  await tick();
  show('visible');
  assert.equal(seen.at(-1), 21);
  client.close();
});

test('installs no handler that keeps the page out of the back/forward cache, and takes all away', async (t) => {
  const added = [];
  const removed = [];
  globalThis.addEventListener = (name) => added.push(name);
  globalThis.removeEventListener = (name) => removed.push(name);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const { client } = await setup();
  assert.deepEqual(added, ['online', 'offline', 'pageshow']);
  client.close();
  assert.deepEqual(removed, added);
});
