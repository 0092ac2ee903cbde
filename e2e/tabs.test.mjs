// Many tabs, wake, hide, back/forward cache and offline in a real browser, on the real hub with the scripted fleet.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { by, Console, launch } from './harness/browser.mjs';
import { binary, Hub } from './harness/hub.mjs';
import { Process, until } from './harness/process.mjs';
import { Proxy } from './harness/proxy.mjs';

const dir = fileURLToPath(new URL('../.cache/e2e/tabs', import.meta.url));
let hub, fleet, proxy, browser, first, client, conversation;

before(async () => {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  hub = await Hub.create({ dir });
  await hub.start();
  proxy = await Proxy.before(hub.port);
  const args = ['--hub', `ws://127.0.0.1:${hub.port}/ws/openclaw`, '--state-dir', join(dir, 'fleet')];
  fleet = new Process('fleet', binary('otter-example-fleet'), args, { log: join(dir, 'fleet.log'), env: { OTTER_TOKENS: hub.addInstance('Studio Mac') } });
  browser = await launch({ backForwardCache: true });
  const link = new URL(await hub.setupLink());
  first = await Console.open(browser, { link: `${proxy.origin}${link.pathname}${link.hash}`, name: 'first' });
  const row = first.page.locator(by('conversation-row')).first();
  await row.waitFor();
  conversation = await row.getAttribute('data-conversation-id');
  client = await first.page.evaluate(() => document.querySelector('script[type=module]').src.replace(/[^/]+$/, 'client/index.js'));
  // The hub keeps what is said to a machine that is away. Nothing that is not asked for happens from here on.
  await all([await tab()], 'has the conversation', async (page) => (await texts(page)).length > 0);
  await fleet.stop('SIGINT');
  await first.page.locator(by('instance-row', { connection: 'offline' })).waitFor({ state: 'attached' });
});

after(async () => {
  await browser?.close();
  await fleet?.stop('SIGINT');
  await hub?.stop();
  proxy?.close();
});

/** A bare page of the origin with a client of its own that has the conversation open. */
async function tab({ follow = true } = {}) {
  const page = await first.context.newPage();
  await page.goto(`${proxy.origin}/healthz`);
  await page.evaluate(
    async ([address, id, follow]) => {
      const { createClient } = await import(address);
      window.otter = createClient({ client: { name: 'otter-tabs-test', version: '0' } });
      window.heard = [];
      window.otter.on('*', (event, { replayed }) => window.heard.push([event.kind, event.data.text ?? null, replayed]));
      if (follow) window.stop = window.otter.messages(id).subscribe(() => {});
    },
    [client, conversation, follow],
  );
  return page;
}

const phase = (page) => page.evaluate(() => window.otter.connection.get().phase);
const texts = (page) => page.evaluate((id) => window.otter.messages(id).get().rows.map((row) => row.text), conversation);
const isOnline = async (page) => (await phase(page)) === 'online';
const say = (page, text) => page.evaluate(([id, text]) => void window.otter.command('message.send', { conversationId: id, text }), [conversation, text]);
/** The hub has it: a page that closes before would leave it to the next one. */
const hasSaid = (page, text) =>
  page.evaluate(([id, text]) => {
    const waits = window.otter.commands().get().some(({ state }) => state === 'held' || state === 'sent');
    return !waits && window.otter.messages(id).get().rows.some((row) => row.text === text);
  }, [conversation, text]);
const heard = (page, text) => page.evaluate((text) => window.heard.filter((each) => each[1] === text), text);

async function all(pages, what, probe, timeoutMs = 20_000) {
  await Promise.all(pages.map((page, at) => until(() => probe(page), { timeoutMs, what: `tab ${at} ${what}` })));
}
const close = (pages) => Promise.all(pages.map((page) => page.close()));

const workers = async (session) => (await session.send('Target.getTargets', { filter: [{ type: 'shared_worker' }] })).targetInfos;

/** No tab is open but those that the test opens from here on. */
async function alone() {
  await close(first.context.pages());
  const session = await browser.newBrowserCDPSession();
  await until(async () => proxy.sockets.size === 0 && (await workers(session)).length === 0, { what: 'no socket and no worker', timeoutMs: 60_000 });
  await session.detach();
  Object.assign(proxy, { opened: 0, open: true, muted: false });
}

/** Ends the process of a page, as running out of memory does. */
async function crash(page) {
  const lost = new Promise((resolve) => page.once('crash', resolve));
  (await first.context.newCDPSession(page)).send('Page.crash').catch(() => {});
  await lost;
}

/** Ends the worker that the tabs share, and nothing else. */
async function endWorker() {
  const session = await browser.newBrowserCDPSession();
  const found = await workers(session);
  assert.equal(found.length, 1);
  await session.send('Target.closeTarget', { targetId: found[0].targetId });
  await session.detach();
}

test('twelve tabs opened at once have one socket, and no tab takes anything from another', { timeout: 120_000 }, async () => {
  await alone();
  // The first one's process is the worker's, too. It is closed below, which the worker outlives; a crash it would not.
  const pages = [await tab()];
  await all(pages, 'is online', isOnline);
  pages.push(...(await Promise.all(Array.from({ length: 11 }, () => tab()))));
  await all(pages, 'is online', isOnline);
  assert.deepEqual([proxy.opened, proxy.sockets.size], [1, 1]);
  await say(pages[3], 'from the fourth tab');
  await all(pages, 'has the message', (page) => hasSaid(page, 'from the fourth tab'));

  // One is closed, one crashes, one unsubscribes, one closes its client, one is frozen.
  const [closed, crashed, unsubscribed, ended, frozen, ...rest] = pages;
  await closed.close();
  await crash(crashed);
  await unsubscribed.evaluate(() => window.stop());
  await ended.evaluate(() => window.otter.close());
  const lifecycle = await first.context.newCDPSession(frozen);
  await lifecycle.send('Page.setWebLifecycleState', { state: 'frozen' });
  await say(rest[0], 'after five tabs went');
  await all(rest, 'goes on', async (page) => (await hasSaid(page, 'after five tabs went')) && (await isOnline(page)), 10_000);
  await lifecycle.send('Page.setWebLifecycleState', { state: 'active' });
  await all([frozen], 'is current again', (page) => hasSaid(page, 'after five tabs went'), 10_000);
  assert.deepEqual([proxy.opened, proxy.sockets.size], [1, 1]);

  // The connection breaks: every tab says so, and every tab is told of the next one.
  proxy.open = false;
  proxy.cut();
  await all(rest, 'knows that it is cut off', async (page) => !(await isOnline(page)), 10_000);
  proxy.open = true;
  await all(rest, 'is online again', isOnline, 40_000);
  assert.deepEqual([proxy.opened, proxy.sockets.size], [2, 1]);
  await close([...rest, frozen, unsubscribed, ended]);
  await crashed.close();
  // The tab that crashed said nothing; the worker notices that it does not answer any more.
  await until(() => proxy.sockets.size === 0, { what: 'the socket to end with its last tab', timeoutMs: 60_000 });
});

test('a worker that dies is replaced, and a command whose answer died with it is sent again and runs once', { timeout: 120_000 }, async () => {
  await alone();
  const pages = [await tab(), await tab()];
  await all(pages, 'is online', isOnline);
  proxy.muted = true;
  await say(pages[0], 'said to a dying worker');
  await until(() => proxy.lost.includes('{"type":"reply"'), { what: 'the answer that gets lost' });
  await endWorker();
  await until(() => proxy.opened === 2, { what: 'the socket of the next worker', timeoutMs: 10_000 });
  proxy.muted = false;
  proxy.cut();
  await all(pages, 'has the message', async (page) => (await isOnline(page)) && (await hasSaid(page, 'said to a dying worker')), 40_000);
  for (const page of pages) assert.deepEqual((await texts(page)).filter((text) => text === 'said to a dying worker'), ['said to a dying worker']);
  assert.equal(proxy.sockets.size, 1);
  await close(pages);
});

test('a worker whose process crashes is replaced at once, and one socket serves the tabs again', { timeout: 120_000 }, async () => {
  await alone();
  const host = await tab();
  await all([host], 'is online', isOnline);
  const pages = await Promise.all(Array.from({ length: 8 }, () => tab()));
  await all(pages, 'is online', isOnline);
  await crash(host);
  // The silence of a worker alone would be noticed after twelve seconds.
  await until(() => proxy.opened === 2, { what: 'the socket of the next worker', timeoutMs: 10_000 });
  await all(pages, 'is online again', isOnline);
  await say(pages[0], 'said to the next worker');
  await all(pages, 'has the message', (page) => hasSaid(page, 'said to the next worker'));
  assert.deepEqual([proxy.opened, proxy.sockets.size], [2, 1]);
  await close([...pages, host]);
});

test('an idle tab that is cut again and again loads nothing twice and hears nothing', { timeout: 120_000 }, async () => {
  await alone();
  const page = await tab();
  await all([page], 'has the conversation', async () => (await texts(page)).length > 0);
  await page.evaluate((id) => {
    window.heard.length = 0;
    window.row = window.otter.messages(id).get().rows[0];
  }, conversation);
  proxy.forget();
  for (let cut = 2; cut <= 5; cut += 1) {
    proxy.cut();
    await until(() => proxy.opened === cut, { what: 'the next socket', timeoutMs: 30_000 });
    await until(() => proxy.count('subscribed') === cut - 1, { what: `the conversation to be resumed on socket ${cut}` });
    await all([page], 'is online again', isOnline);
  }
  assert.deepEqual([proxy.count('subscribed'), proxy.count('snapshot')], [4, 0]);
  assert.equal(await page.evaluate((id) => window.otter.messages(id).get().rows[0] === window.row, conversation), true);
  assert.deepEqual(await page.evaluate(() => window.heard.filter(([kind]) => kind.startsWith('message.'))), []);
  await page.close();
});

test('what comes after a cut is told as news, and nothing from before it is', { timeout: 120_000 }, async () => {
  await alone();
  const page = await tab();
  const isLive = () => page.evaluate((id) => window.otter.scope(`conversation/${id}`).get().phase === 'live', conversation);
  await all([page], 'has the conversation', isLive);
  proxy.open = false;
  proxy.cut();
  await all([page], 'knows', async () => !(await isOnline(page)));
  await page.evaluate(() => (window.heard.length = 0));
  proxy.open = true;
  await all([page], 'has the conversation again', isLive, 40_000);
  await say(page, 'news');
  await until(async () => (await heard(page, 'news')).length > 0, { what: 'the event' });
  assert.deepEqual(await heard(page, 'news'), [['message.created', 'news', false]]);
  await all([page], 'has the message', (page) => hasSaid(page, 'news'));
  await page.close();
});

test('the hub starts anew: a tab without any handler is whole again by itself', { timeout: 120_000 }, async () => {
  await alone();
  const page = await tab();
  await all([page], 'has the conversation', async () => (await texts(page)).length > 0);
  const before = await texts(page);
  await hub.kill9();
  await all([page], 'knows', async () => !(await isOnline(page)));
  assert.deepEqual(await texts(page), before);
  await hub.start();
  await all([page], 'is online again', isOnline, 40_000);
  await say(page, 'after the restart');
  await all([page], 'has the message', (page) => hasSaid(page, 'after the restart'));
  assert.deepEqual((await texts(page)).slice(0, before.length), before);
  await page.close();
});

test('no attempt while every tab is hidden, and a fresh one at once when one is shown', { timeout: 120_000 }, async () => {
  await alone();
  const pages = [await tab(), await tab()];
  await all(pages, 'is online', isOnline);
  const show = (page, state) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await show(pages[0], 'hidden');
  proxy.cut();
  await until(() => proxy.sockets.size === 1 && proxy.opened === 2, { what: 'a new socket while one tab is visible', timeoutMs: 30_000 });
  await all(pages, 'is online', isOnline);
  await show(pages[1], 'hidden');
  proxy.cut();
  await until(async () => (await phase(pages[1])) === 'waiting', { what: 'the end of the connection' });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert.equal(proxy.opened, 2);
  await show(pages[0], 'visible');
  await all(pages, 'is online', isOnline, 3000);
  assert.deepEqual([proxy.opened, proxy.sockets.size], [3, 1]);
  await close(pages);
});

test('back from the back/forward cache a page goes on within two seconds', { timeout: 120_000 }, async () => {
  await alone();
  // The console itself: pages that must not be stored, as those of the other tests, are never cached.
  const page = await first.context.newPage();
  await page.goto(proxy.origin);
  await page.evaluate((id) => void (window.stop = window.otter.messages(id).subscribe(() => {})), conversation);
  await all([page], 'has the conversation', async () => (await texts(page)).length > 0);
  await page.evaluate((id) => {
    window.row = window.otter.messages(id).get().rows[0];
    addEventListener('pageshow', ({ persisted }) => (window.persisted = persisted));
  }, conversation);
  await page.goto(`${proxy.origin}/auth`);
  // Its socket would be of no use any more.
  proxy.cut();
  await page.goBack({ waitUntil: 'commit' });
  const begun = Date.now();
  await all([page], 'is online again', isOnline, 10_000);
  const tookMs = Date.now() - begun;
  assert.equal(await page.evaluate(() => window.persisted), true);
  assert.ok(tookMs < 2000, `${tookMs} ms`);
  assert.equal(await page.evaluate((id) => window.otter.messages(id).get().rows[0] === window.row, conversation), true);
  await say(page, 'after coming back');
  await all([page], 'has the message', (page) => hasSaid(page, 'after coming back'));
  await page.close();
});

test('what was typed without a connection is sent once after a reload, and shown meanwhile', { timeout: 120_000 }, async () => {
  await alone();
  const page = await tab();
  await all([page], 'is online', isOnline);
  proxy.open = false;
  proxy.cut();
  await all([page], 'knows', async () => !(await isOnline(page)));
  await say(page, 'typed before the reload');
  await all([page], 'shows what waits', async () => (await texts(page)).includes('typed before the reload'));
  await page.close();
  proxy.open = true;
  // Two pages find it: it has one id.
  const pages = [await tab(), await tab()];
  const count = async (page) => (await texts(page)).filter((text) => text === 'typed before the reload').length;
  await all(pages, 'has it', async (page) => (await count(page)) === 1, 40_000);
  await all(pages, 'has nothing that waits', (page) => page.evaluate(() => window.otter.commands().get().every(({ state }) => state !== 'held' && state !== 'sent')));
  assert.deepEqual(await Promise.all(pages.map(count)), [1, 1]);
  assert.deepEqual(await pages[0].evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('otter:held:'))), []);
  await close(pages);
});

test('the console keeps what was typed without a connection over a reload, and all of its pages send it once', { timeout: 120_000 }, async () => {
  await alone();
  const open = async () => {
    const page = await first.context.newPage();
    await page.goto(`${proxy.origin}/#/c/${encodeURIComponent(conversation)}`);
    await all([page], 'is online', isOnline, 40_000);
    return page;
  };
  const row = (page, rest) => page.locator(by('message-row', rest)).filter({ hasText: 'typed into the console' });
  const typing = await open();
  await row(typing, {}).waitFor({ state: 'detached' });
  proxy.open = false;
  proxy.cut();
  await all([typing], 'knows', async () => !(await isOnline(typing)));
  await typing.fill(by('composer-input'), 'typed into the console');
  await typing.press(by('composer-input'), 'Enter');
  await row(typing, { stage: 'held' }).waitFor();
  assert.equal(await typing.inputValue(by('composer-input')), '');
  await typing.close();

  proxy.open = true;
  const pages = await Promise.all([open(), open(), open()]);
  // The hub has it: how soon its agent takes it is not what is asked here.
  const accepted = `${by('message-row')}[data-delivery]:not([data-stage])`;
  await Promise.all(pages.map((page) => page.locator(accepted).filter({ hasText: 'typed into the console' }).waitFor({ timeout: 40_000 })));
  assert.deepEqual(await Promise.all(pages.map((page) => row(page, {}).count())), [1, 1, 1]);
  assert.deepEqual(await Promise.all(pages.map((page) => page.inputValue(by('composer-input')))), ['', '', '']);
  await all(pages, 'keeps nothing', (page) => page.evaluate(() => !Object.keys(localStorage).some((key) => key.startsWith('otter:held:'))));
  await close(pages);
});

test('nothing in the address of a page says where its hub is', { timeout: 60_000 }, async () => {
  await alone();
  const away = new Set();
  const page = await first.context.newPage();
  page.on('request', (request) => new URL(request.url()).origin !== proxy.origin && away.add(request.url()));
  const elsewhere = encodeURIComponent('ws://127.0.0.1:9/ws');
  const before = proxy.opened;
  await page.goto(`${proxy.origin}/?url=${elsewhere}&hub=${elsewhere}&gatewayUrl=${elsewhere}&ws=${elsewhere}&token=x`);
  await page.locator(by('connection', { phase: 'online' })).first().waitFor({ state: 'attached' });
  assert.deepEqual([[...away], proxy.opened - before], [[], 1]);
  await page.close();
});

test('who signs in after somebody else sends none of the words that wait in that tab, and is shown none', { timeout: 120_000 }, async () => {
  await alone();
  const page = await tab();
  await all([page], 'is online', isOnline);
  const who = (page) => page.evaluate(() => window.otter.self.get()?.id ?? null);
  const owner = await who(page);
  proxy.open = false;
  proxy.cut();
  await all([page], 'knows', async () => !(await isOnline(page)));
  await say(page, 'private words');
  await all([page], 'shows what waits', async () => (await texts(page)).includes('private words'));

  // The session is over when the connection is back.
  await first.context.clearCookies();
  proxy.open = true;
  await all([page], 'is signed out', async (page) => (await phase(page)) === 'signedOut', 40_000);
  const link = new URL(hub.invite('Bob'));
  const signing = await first.context.newPage();
  await signing.goto(`${proxy.origin}${link.pathname}${link.hash}`);
  await signing.getByRole('button').first().click();
  await signing.locator(by('connection', { phase: 'online' })).first().waitFor({ state: 'attached' });
  await signing.close();
  const next = await tab();
  await all([page, next], 'belongs to Bob', async (page) => ![owner, null].includes(await who(page)));
  await say(next, 'words of Bob');
  await all([page, next], 'has the words of Bob', (page) => hasSaid(page, 'words of Bob'));
  assert.deepEqual(await Promise.all([page, next].map(async (page) => (await texts(page)).includes('private words'))), [false, false]);
  assert.deepEqual(await next.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('otter:held:'))), []);
  await close([page, next]);
});
