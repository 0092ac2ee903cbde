// The npm client in a real browser on the real hub, without a console: its memory, the identity of what it gives, and
// what its handlers are told and may do.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Console, launch } from './harness/browser.mjs';
import { Hub } from './harness/hub.mjs';
import { Instance } from './harness/instance.mjs';
import { until } from './harness/process.mjs';
import { Proxy } from './harness/proxy.mjs';

const dir = fileURLToPath(new URL('../.cache/e2e/client', import.meta.url));
/** How long a page is hidden with timers that fire once a minute: the hub closes who says nothing for 30 s. */
const THROTTLED_MS = 75_000;
const TALKS = 100;
const LINES = 30;

let hub, proxy, instance, browser, first, client, talk, hidden;

before(async () => {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  hub = await Hub.create({ dir });
  await hub.start();
  proxy = await Proxy.before(hub.port);
  instance = await Instance.connect(hub, { token: hub.addInstance('scripted') });
  talk = await instance.introduce();
  browser = await launch();
  const link = new URL(await hub.setupLink());
  first = await Console.open(browser, { link: `${proxy.origin}${link.pathname}${link.hash}`, name: 'first' });
  client = await first.page.evaluate(() => document.querySelector('script[type=module]').src.replace(/[^/]+$/, 'client/index.js'));
  await first.page.close();
  await until(() => proxy.sockets.size === 0, { what: 'no socket', timeoutMs: 60_000 });
  hidden = await throttled();
});

after(async () => {
  await browser?.close();
  instance?.close();
  await hub?.stop();
  proxy?.close();
});

/** A bare page of the origin with a client of its own: no worker is shared, so that page and socket belong together. */
async function open(prepare = () => {}, through = proxy) {
  const page = await first.context.newPage();
  await page.addInitScript(() => {
    delete globalThis.SharedWorker;
    const instantiate = WebAssembly.instantiate.bind(WebAssembly);
    WebAssembly.instantiate = async (...given) => {
      const made = await instantiate(...given);
      window.wasm = (made.instance ?? made).exports.memory;
      return made;
    };
  });
  await page.addInitScript(prepare);
  await page.goto(`${through.origin}/healthz`);
  await page.evaluate(async (address) => {
    const { createClient } = await import(address);
    window.otter = createClient({ client: { name: 'otter-client-test', version: '0' } });
    window.heard = [];
    window.otter.start();
  }, new URL(new URL(client).pathname, through.origin).href);
  await until(() => isOnline(page), { what: 'the page to be online' });
  return page;
}

const isOnline = (page) => page.evaluate(() => window.otter.connection.get().phase === 'online');
const texts = (page, id = talk) => page.evaluate((id) => window.otter.messages(id).get().rows.map((row) => row.text), id);

/** Follows the conversation and notes what the handlers are told of its messages. */
async function follow(page) {
  await page.evaluate((id) => {
    window.stop = window.otter.messages(id).subscribe(() => {});
    window.off = window.otter.on('message.created', ({ data }, { replayed }) => window.heard.push([data.text, replayed]));
  }, talk);
  await until(() => page.evaluate((id) => window.otter.scope(`conversation/${id}`).get().phase === 'live', talk), { what: 'the conversation' });
  // A snapshot may be an older one and the events since.
  await page.evaluate(() => (window.heard.length = 0));
}

async function cut(page) {
  proxy.open = false;
  proxy.cut();
  await until(async () => !(await isOnline(page)), { what: 'the page to know that it is cut off' });
}

async function mend(page) {
  proxy.open = true;
  await until(() => isOnline(page), { what: 'the page to be online again', timeoutMs: 40_000 });
}

const lines = (word, count) => Array.from({ length: count }, (_, n) => `${word} ${n}`);
const publish = (said) => instance.publish(said.map((text) => instance.message(talk, text.replaceAll(' ', '-'), { text })));

/** A page that was hidden before anything else: its timers fire at the full minute only, as Chromium has it. */
async function throttled() {
  const own = await Proxy.before(hub.port);
  const page = await open(() => {
    const minute = 60_000;
    const late = (ms = 0) => minute * Math.ceil((performance.now() + ms) / minute) - performance.now();
    const { setTimeout: after, setInterval: every } = globalThis;
    window.throttle = () => {
      globalThis.setTimeout = (run, ms, ...given) => after(run, late(ms), ...given);
      globalThis.setInterval = (run, ms, ...given) => every(run, Math.max(ms, minute), ...given);
      globalThis.requestAnimationFrame = () => 0;
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      Object.defineProperty(document, 'hidden', { value: true });
      document.dispatchEvent(new Event('visibilitychange'));
    };
  }, own);
  await follow(page);
  await page.evaluate(() => window.throttle());
  return { page, proxy: own, since: Date.now() };
}

/** What the page has in memory after the garbage is gone: JavaScript objects and the core's memory. */
async function size(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  for (let n = 0; n < 3; n += 1) await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return { heap: usedSize, wasm: await page.evaluate(() => window.wasm.buffer.byteLength) };
}

test('what was missed is told as replayed, once and in order, and what comes then as news', { timeout: 120_000 }, async () => {
  const page = await open();
  await follow(page);
  await cut(page);
  const missed = lines('missed', 100);
  await publish(missed);
  await mend(page);
  await until(() => page.evaluate(() => window.heard.length >= 100), { what: 'what was missed' });
  await publish(['news']);
  await until(() => page.evaluate(() => window.heard.length > 100), { what: 'the news' });
  assert.deepEqual(await page.evaluate(() => window.heard), [...missed.map((text) => [text, true]), ['news', false]]);
  await page.close();
});

test('a handler that leaves, comes back and throws in the middle of a batch is told each event once', { timeout: 120_000 }, async () => {
  const page = await open();
  const thrown = [];
  page.on('pageerror', (error) => thrown.push(error.message));
  await follow(page);
  await page.evaluate((id) => {
    window.otter.on('message.created', ({ data }) => {
      if (data.text === 'batch 3') {
        window.stop();
        window.stop = window.otter.messages(id).subscribe(() => {});
      }
      if (data.text === 'batch 5') throw new Error('a handler of the application');
      if (data.text === 'last 3') {
        window.atEnd = window.heard.length;
        window.otter.close();
      }
    });
  }, talk);
  await cut(page);
  const batch = lines('batch', 10);
  await publish(batch);
  await mend(page);
  await until(() => page.evaluate(() => window.heard.length >= 10), { what: 'the batch' });
  assert.deepEqual(await page.evaluate(() => window.heard.map(([text]) => text)), batch);
  assert.deepEqual([...new Set(thrown)], ['a handler of the application']);
  assert.deepEqual((await texts(page)).slice(-10), batch);

  // Closed in the middle of a batch: nothing comes after it.
  await cut(page);
  await publish(lines('last', 10));
  proxy.open = true;
  await until(() => page.evaluate(() => window.atEnd > 0), { what: 'the close', timeoutMs: 40_000 });
  await until(() => proxy.sockets.size === 0, { what: 'the end of the socket' });
  assert.deepEqual(await page.evaluate(() => window.heard.slice(10).map(([text]) => text)), lines('last', 4));
  await page.close();
});

test('rows that were asked for before a cut are asked for again, and each is there once', { timeout: 120_000 }, async () => {
  const page = await open();
  await publish(lines('older', 200));
  await follow(page);
  const rows = () => page.evaluate((id) => {
    const { rows, loading, hasMore } = window.otter.messages(id).get();
    return { ids: rows.map(({ id }) => id), loading, hasMore };
  }, talk);
  await until(async () => (await rows()).ids.length >= 50, { what: 'the newest rows' });
  const before = await rows();
  for (let n = 0; n < 3; n += 1) {
    await page.evaluate((id) => window.otter.messages(id).get().more(), talk);
    await cut(page);
    await mend(page);
    await until(async () => !(await rows()).loading, { what: 'the end of loading', timeoutMs: 30_000 });
  }
  const after = await rows();
  assert.equal(new Set(after.ids).size, after.ids.length, 'no row is there twice');
  assert.ok(after.ids.length > before.ids.length, `${after.ids.length} rows`);
  assert.deepEqual(after.ids.slice(-before.ids.length), before.ids);
  await page.close();
});

test('a row that leaves the window and comes back is the same entity, once in its list', { timeout: 120_000 }, async () => {
  const page = await open();
  const update = (data) => page.evaluate((data) => window.otter.command('task.update', data).done, data);
  await page.evaluate(() => {
    window.tasks = window.otter.list('task');
    window.tasks.subscribe(() => {});
    window.otter.command('task.create', { title: 'old' });
  });
  const listed = () => page.evaluate(() => window.tasks.get().ids);
  const [taskId] = await until(async () => [await listed()].find((ids) => ids.length === 1 && ids[0].startsWith('hub:')), { what: 'the task' });
  await page.evaluate((id) => {
    window.task = window.otter.entity('task', id);
    window.titles = [];
    window.task.subscribe(() => window.titles.push(window.task.get()?.title));
  }, taskId);
  assert.equal((await update({ taskId, status: 'done' })).state, 'completed');
  const later = (n) => new Date(Date.now() + n * 1000).toISOString();
  const ended = (n) => ({ kind: 'task.upserted', subject: instance.of(`t${n}`), data: { instanceId: instance.id, title: `task ${n}`, status: 'done', createdAt: later(n) } });
  await instance.publish(Array.from({ length: 100 }, (_, n) => ended(n + 1)));
  await until(async () => (await listed()).length === 100 && !(await listed()).includes(taskId), { what: 'the oldest task to leave the window' });
  await page.evaluate(() => {
    window.kept = new Map(window.tasks.get().ids.map((id) => [id, window.otter.entity('task', id).get()]));
    window.titles.length = 0;
  });

  assert.equal((await update({ taskId, status: 'todo', title: 'again' })).state, 'completed');
  await until(async () => (await listed()).includes(taskId), { what: 'the task to come back' });
  const ids = await listed();
  assert.deepEqual([ids.length, new Set(ids).size], [101, 101]);
  const identity = await page.evaluate((id) => ({
    same: window.task.get() === window.otter.entity('task', id).get(),
    titles: [...new Set(window.titles)],
    others: [...window.kept].filter(([each, row]) => window.otter.entity('task', each).get() !== row).length,
  }), taskId);
  assert.deepEqual(identity, { same: true, titles: ['again'], others: 0 });
  await page.close();
});

test('a conversation that left the window comes back with its next message, once', { timeout: 120_000 }, async () => {
  const page = await open();
  const at = (n) => instance.of(`window-${n}`);
  const say = (n, text) => instance.message(at(n), `said-${n}-${text}`, { text });
  const all = Array.from({ length: 201 }, (_, n) => n);
  await instance.publish(all.map((n) => instance.conversation(at(n), { agentId: instance.of('main'), derivedTitle: `Window ${n}` })));
  await instance.publish(all.map((n) => say(n, 'first')));
  await page.evaluate((id) => {
    window.list = window.otter.list('conversation');
    window.list.subscribe(() => {});
    window.one = window.otter.entity('conversation', id);
    window.one.subscribe(() => {});
  }, at(0));
  const listed = () => page.evaluate(() => window.list.get().ids);
  const hasLast = () => page.evaluate((id) => Boolean(window.otter.entity('conversation', id).get()?.lastMessage), at(200));
  await until(hasLast, { what: 'the last message of all' });
  const first = await listed();
  assert.deepEqual([first.length, first.includes(at(0))], [200, false]);
  await page.evaluate(() => {
    window.kept = new Map(window.list.get().ids.map((id) => [id, window.otter.entity('conversation', id).get()]));
  });
  await instance.publish([say(0, 'again')]);
  await until(async () => (await listed()).includes(at(0)), { what: 'the conversation to come back' });
  const ids = await listed();
  assert.deepEqual([ids.length, new Set(ids).size, ids.includes(at(1))], [200, 200, false]);
  const identity = await page.evaluate((id) => ({
    same: window.otter.entity('conversation', id).get() === window.one.get(),
    row: window.one.get(),
    others: [...window.kept].filter(([each, row]) => window.list.get().ids.includes(each) && window.otter.entity('conversation', each).get() !== row).length,
  }), at(0));
  assert.deepEqual([identity.same, identity.others], [true, 0]);
  assert.deepEqual([identity.row.derivedTitle, identity.row.lastMessage.head, identity.row.messageCount], ['Window 0', 'again', 2]);
  await page.close();
});

test('a hundred conversations opened in a row do not make the client grow', { timeout: 300_000 }, async (t) => {
  const now = Date.now();
  const talks = Array.from({ length: TALKS }, (_, n) => instance.of(`talk-${n}`));
  await instance.publish(talks.map((id, n) => instance.conversation(id, { agentId: instance.of('main'), derivedTitle: `Talk ${n}` })));
  await instance.publish(talks.flatMap((id, n) => Array.from({ length: LINES }, (_, m) =>
    instance.message(id, `t${n}-${m}`, { text: `talk ${n} line ${m}: ${'words '.repeat(40)}`, sentAt: new Date(now - (LINES - m) * 1000).toISOString() }))));
  const page = await open();
  const visit = (ids) => page.evaluate(async ([ids, lines]) => {
    for (const id of ids) {
      const store = window.otter.messages(id);
      await new Promise((resolve) => {
        const look = () => store.get().rows.length === lines && (stop(), resolve());
        const stop = store.subscribe(look);
        look();
      });
    }
  }, [ids, LINES]);
  // More than the client keeps of what nobody looks at any more.
  await visit(talks.slice(0, 60));
  const early = await size(page);
  await visit(talks.slice(60));
  await visit(talks);
  const late = await size(page);
  t.diagnostic(`after 60: ${JSON.stringify(early)}, after ${2 * TALKS}: ${JSON.stringify(late)}`);
  assert.ok(late.heap < early.heap * 1.15, `the heap grew from ${early.heap} to ${late.heap} bytes`);
  assert.ok(late.wasm <= early.wasm * 1.15, `the core grew from ${early.wasm} to ${late.wasm} bytes`);
  await page.close();
});

test('a hidden page whose timers fire once a minute stays connected and hears everything', { timeout: 180_000 }, async () => {
  const { page, proxy: own, since } = hidden;
  await until(() => Date.now() - since > THROTTLED_MS, { what: 'the time to pass', timeoutMs: THROTTLED_MS + 5000 });
  await publish(['to a hidden page']);
  await until(async () => (await texts(page)).includes('to a hidden page'), { what: 'the hidden page to hear' });
  assert.deepEqual([own.opened, own.sockets.size, await isOnline(page)], [1, 1, true]);
  await page.close();
  own.close();
});
