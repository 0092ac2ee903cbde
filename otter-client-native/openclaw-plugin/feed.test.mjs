import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { appendFileSync, linkSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import plugin from './index.js';
import { makeItem } from './item.js';
import { FULL, KEPT, Store } from './store.js';

let dir;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'otter-feed-'))));
afterEach(() => {
  load().service.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The plugin as a gateway loads it. */
function load() {
  const loaded = { methods: {}, events: [] };
  plugin.register({
    runtime: { state: { resolveStateDir: () => dir } },
    registerService: (service) => (loaded.service = service),
    registerTool: (factory) => (loaded.tool = (context) => factory(context)),
    registerGatewayMethod: (name, handler, { scope }) => (loaded.methods[name] = { handler, scope }),
  });
  const gatewayEvents = { emit: (...event) => loaded.events.push(event) };
  return Object.assign(loaded, { start: () => loaded.service.start({ gatewayEvents }) });
}

async function call({ methods }, name, params) {
  let answer;
  await methods[name].handler({ params, respond: (ok, payload, error) => (answer = ok ? payload : error) });
  return answer;
}

test('what an agent pushes is on disk, told and listed', async () => {
  const gateway = load();
  gateway.start();
  const tool = gateway.tool({ agentId: 'main' });
  const { details } = await tool.execute('call-1', { category: 'market', title: ' OTTR rises ', change: '+3.4 %' });
  const { items } = await call(gateway, 'otter.feed.list', {});
  const [item] = items;
  assert.deepEqual(item, { id: details.id, ts: item.ts, category: 'market', title: 'OTTR rises', agentId: 'main', change: '+3.4 %' });
  assert.match(item.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(gateway.events, [['feed', { item }, { scope: 'operator.read' }]]);
});

test('the copy of the module that has the tool tells through the copy that has the service', async () => {
  load().start();
  const other = load();
  await other.tool({}).execute('call-1', { category: 'custom', title: 'a note' });
  assert.equal((await call(other, 'otter.feed.list', {})).items.length, 1);
  other.service.stop();
  await other.tool({}).execute('call-2', { category: 'custom', title: 'while nobody listens' });
  assert.equal((await call(other, 'otter.feed.list', {})).items.length, 2);
});

test('reading needs the right to read, pushing the right to write', () => {
  const { methods } = load();
  assert.equal(methods['otter.feed.list'].scope, 'operator.read');
  assert.equal(methods['otter.feed.push'].scope, 'operator.write');
});

test('what cannot be shown is refused in words and nothing is kept', async () => {
  const gateway = load();
  const refused = [
    [{}, 'category'],
    [{ category: 'mail', title: 'x' }, 'category'],
    [{ category: 'email' }, 'title'],
    [{ category: 'email', title: '  ' }, 'title'],
    [{ category: 'email', title: 'x', body: 7 }, 'body'],
    [{ category: 'social', title: 'x', url: 'javascript:alert(1)' }, 'url'],
    [{ category: 'alert', title: 'x', severity: 'bad' }, 'severity'],
    [{ category: 'custom', title: 'x', detail: { text: 'y'.repeat(5000) } }, 'detail'],
  ];
  for (const [params, named] of refused) {
    const { code, message } = await call(gateway, 'otter.feed.push', params);
    assert.deepEqual([code, message.split(' ')[0]], ['INVALID_REQUEST', named]);
  }
  assert.deepEqual(await call(gateway, 'otter.feed.list', {}), { items: [] });
});

test('long texts are cut between characters and marked', () => {
  const item = makeItem({ category: 'email', title: '🦦'.repeat(400), body: '🦦'.repeat(4000) });
  assert.equal([...item.title].length, 300);
  assert.ok(Buffer.byteLength(item.body) <= 6144);
  assert.ok(item.title.endsWith('🦦…') && item.body.endsWith('🦦…'));
});

test('the newest items stay, and a line that a crash cut off harms no other', () => {
  const path = join(dir, 'otter', 'feed.jsonl');
  const store = new Store(path);
  for (let i = 0; i < FULL + 50; i++) store.push({ id: `i${i}` });
  const newest = Array.from({ length: KEPT }, (_, i) => `i${i + FULL + 50 - KEPT}`);
  assert.deepEqual(store.list().map((item) => item.id), newest);
  store.shorten();
  assert.equal(readFileSync(path, 'utf8').split('\n').length, KEPT + 1);
  assert.deepEqual(store.list().map((item) => item.id), newest);
  appendFileSync(path, '{"id":"torn","ti');
  store.push({ id: 'after' });
  assert.deepEqual(store.list().slice(-2).map((item) => item.id), [newest.at(-1), 'after']);
});

test('a line that is being written while the file is shortened is kept', (t) => {
  const path = join(dir, 'otter', 'feed.jsonl');
  const store = new Store(path);
  for (let i = 0; i <= FULL; i++) store.push({ id: `i${i}` });
  const other = openSync(path, 'a');
  writeSync(other, '{"id":"sl');
  // The other process ends its line at the last moment at which the file still has its name.
  const { renameSync } = fs;
  t.mock.method(fs, 'renameSync', (...names) => {
    writeSync(other, 'ow"}\n');
    renameSync(...names);
  });
  syncBuiltinESMExports();
  try {
    store.shorten();
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
    fs.closeSync(other);
  }
  assert.deepEqual(store.list().slice(-2).map((item) => item.id), [`i${FULL}`, 'slow']);
});

/** Another process of this machine, in which an agent pushes so many items. */
function agent(name, count) {
  const code = `
    import { Store } from ${JSON.stringify(new URL('./store.js', import.meta.url).href)};
    const store = new Store(${JSON.stringify(join(dir, 'otter', 'feed.jsonl'))});
    for (let i = 0; i < ${count}; i++) store.push({ id: '${name}-' + i, category: 'custom', title: 'a note' });`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
}

test('what an agent of the command line pushes is told at once, and once', async () => {
  const gateway = load();
  gateway.start();
  await once(agent('cli', 3), 'close');
  for (let tries = 0; gateway.events.length < 3 && tries < 500; tries++) await pause(10);
  await gateway.tool({}).execute('call-1', { category: 'custom', title: 'my own' });
  await pause(100);
  const ids = gateway.events.map(([, { item }]) => item.id);
  assert.deepEqual(ids.slice(0, 3), ['cli-0', 'cli-1', 'cli-2']);
  assert.equal(ids.length, 4);
});

test('a bridge that read the list before the gateway watched it reads it again', () => {
  new Store(join(dir, 'otter', 'feed.jsonl')).push({ id: 'early' });
  const gateway = load();
  gateway.start();
  assert.deepEqual(gateway.events, [['feed', {}, { scope: 'operator.read' }]]);
});

test('nothing is lost when the file is shortened while others push', async () => {
  const path = join(dir, 'otter', 'feed.jsonl');
  const store = new Store(path);
  store.push({ id: 'first' });
  const seen = new Set();
  const look = (file) => {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      try {
        seen.add(JSON.parse(line).id);
      } catch {
        // Nothing, or a line that is being written.
      }
    }
  };
  const before = join(dir, 'before');
  let running = 3;
  for (const name of ['a', 'b', 'c']) agent(name, 400).on('close', () => running--);
  while (running > 0) {
    // What is dropped is seen too, however many push between the look and the shortening.
    linkSync(path, before);
    store.shorten();
    look(before);
    rmSync(before);
    await pause(0);
  }
  look(path);
  assert.equal(seen.size, 1 + 1200);
});
