// `cargo xtask demo` as a newcomer runs it: the printed link opens a console in which scripted agents live and answer.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { by, Console, launch } from './harness/browser.mjs';
import { binary } from './harness/hub.mjs';
import { freePort, Process } from './harness/process.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the demo opens a console with agents that answer', { timeout: 300_000 }, async () => {
  const args = ['demo', '--no-open', '--port', String(await freePort())];
  const demo = new Process('demo', binary('xtask'), args, { cwd: root, log: join(root, '.cache/e2e/demo.log'), group: true });
  const browser = await launch();
  try {
    const [, link] = await demo.line(/console: (http\S+)/, 240_000);
    const page = await Console.open(browser, { link, name: 'demo' });
    await page.page.locator(by('instance-row', { connection: 'online' })).first().waitFor();
    await page.page.locator(by('conversation-row')).first().click();
    await page.page.locator(by('composer-input')).waitFor();
    await page.until('rows', async () => (await page.rows()).length > 0);
    const before = (await page.rows()).length;
    await page.send('Hello, who are you?');
    await page.row('with the message', (row) => row.text.includes('Hello, who are you?'));
    await page.until('an answer is whole', async () => {
      const rows = (await page.rows()).slice(before);
      return rows.some((row) => row.id.endsWith(':answer') && row.status === 'complete');
    }, 120_000);
    await page.screenshot(join(root, '.cache/e2e/demo.png'));
    await looksAlive(page);
    assert.deepEqual(await page.glitches(), []);
    assert.deepEqual(page.errors, []);
  } finally {
    await browser.close();
    await demo.stop('SIGINT');
  }
});

/** Every page has something on it that came by itself, and a question of an agent can be answered. */
async function looksAlive(page) {
  await page.openPage('fleet');
  await page.until('three machines', async () => (await page.part('fleet-card').count()) === 3);
  await page.openPage('feed');
  await page.until('items of the feed', async () => (await page.part('feed-item').count()) >= 8);
  await page.screenshot(join(root, '.cache/e2e/demo-feed.png'));
  await page.openPage('tasks');
  await page.part('task-card', { status: 'inProgress' }).first().waitFor({ timeout: 60_000 });
  await page.screenshot(join(root, '.cache/e2e/demo-tasks.png'));
  await page.openPage('approvals');
  const asked = page.part('approval-card', { state: 'pending' }).first();
  await asked.waitFor({ timeout: 120_000 });
  const approvalId = await asked.getAttribute('data-approval-id');
  await page.screenshot(join(root, '.cache/e2e/demo-approvals.png'));
  await page.answer(approvalId, 'allow-once');
  await page.part('approval-card', { approvalId, outcome: 'allowed' }).first().waitFor({ timeout: 60_000 });
}
