// `examples/react-dashboard` as its README runs it: the packed client, Vite without configuration, the hub with the scripted fleet.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { by, Console, launch } from './harness/browser.mjs';
import { binary, Hub } from './harness/hub.mjs';
import { Member } from './harness/member.mjs';
import { Process, until } from './harness/process.mjs';
import { build, preview } from './vite-app/build.mjs';

const dir = fileURLToPath(new URL('../.cache/e2e/dashboard', import.meta.url));
const app = fileURLToPath(new URL('../examples/react-dashboard', import.meta.url));

test('the React dashboard shows agents and streams an answer, in two tabs with one connection', { timeout: 300_000 }, async (t) => {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const hub = await Hub.create({ dir });
  t.after(() => hub.stop());
  await hub.start();
  const args = ['--hub', `ws://127.0.0.1:${hub.port}/ws/openclaw`, '--state-dir', join(dir, 'fleet')];
  const fleet = new Process('fleet', binary('otter-example-fleet'), args, { log: join(dir, 'fleet.log'), env: { OTTER_TOKENS: hub.addInstance('Studio Mac') } });
  t.after(() => fleet.stop('SIGINT'));
  build(`ws://localhost:${hub.port}/ws`, app);
  const server = await preview(join(dir, 'preview.log'), app);
  t.after(server.stop);
  const browser = await launch();
  t.after(() => browser.close());

  const owner = await Console.open(browser, { link: await hub.setupLink(), name: 'owner' });
  await owner.page.close();
  const sockets = [];
  let conversationId;
  const open = async (name) => {
    const page = await Console.in(owner.context, name);
    page.page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.page.goto(server.origin);
    await page.online();
    await page.page.locator(by('agent-row')).first().waitFor();
    // The list moves by itself: both tabs open the same conversation.
    conversationId ??= await page.page.locator(by('conversation-row')).first().getAttribute('data-conversation-id');
    await page.page.locator(by('conversation-row', { conversationId })).click();
    await page.page.locator(by('composer-input')).waitFor();
    return page;
  };
  const pages = [await open('first tab'), await open('second tab')];
  await pages[0].until('rows', async () => (await pages[0].rows()).length > 0);
  const before = (await pages[0].rows()).map((row) => row.id);
  await pages[0].send('Hello, who are you?');
  for (const page of pages) {
    await page.row('with the message', (row) => row.text.includes('Hello, who are you?'));
    await page.row('with an answer', (row) => row.id.endsWith(':answer') && row.status === 'complete' && !before.includes(row.id));
    // An agent may quote what was said: only rows of people count.
    assert.equal((await page.rows()).filter((row) => row.id.endsWith(':user') && row.text.includes('Hello, who are you?')).length, 1);
    assert.deepEqual(await page.glitches(), []);
    assert.deepEqual(page.errors, []);
  }
  const member = await Member.join(hub, hub.invite('Watcher', 'viewer'));
  t.after(() => member.close());
  const stopped = () => member.all('command').some(({ kind, stage }) => kind === 'run.abort' && stage === 'completed');
  const stop = pages[1].page.locator(by('stop-button')).first();
  await pages[0].send('And what are you at?');
  // A run may end just before the button is pressed; agents go on by themselves.
  await until(async () => {
    await stop.click({ timeout: 1_000 }).catch(() => {});
    return stopped();
  }, { what: 'a stop from the page to be carried out', timeoutMs: 60_000 });
  // The worker that both share has the connection, not the pages.
  assert.deepEqual(sockets, []);
  await pages[0].screenshot(join(dir, 'dashboard.png'));
});
