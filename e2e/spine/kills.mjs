// Point 4: kill -9 of each part in the middle of an answer, and a browser without a network.

import assert from 'node:assert/strict';
import { by } from '../harness/browser.mjs';
import { RESUMED, wordText } from '../model.mjs';
import { complete, delivered, streaming } from './answers.mjs';
import { settle } from './checks.mjs';

const HALF = 30;
const WHOLE = 60;

export const partsAreKilled = {
  'the hub is killed in the middle of an answer and started again': async (world) => {
    await begin(world, 'hub');
    await world.hub.kill9();
    for (const page of world.pages) await page.until('the page knows', async () => (await page.phase()) !== 'online');
    for (const page of world.pages) await page.row('that still shows the text so far', streaming(wordText(HALF, 'hub')));
    await world.hub.start();
    for (const page of world.pages) await page.online(40_000);
    await finish(world, 'hub');
  },

  'the hub is killed and the answer ends while it is away': async (world) => {
    await begin(world, 'away');
    await world.hub.kill9();
    await world.ann.until('the page knows', async () => (await world.ann.phase()) !== 'online');
    await world.ann.send('typed while the hub was away STREAM:6:20:asked');
    await world.ann.row('that waits', (row) => row.text.includes('typed while the hub was away') && row.stage === 'held');
    world.model.release('away');
    await world.idle();
    await world.hub.start();
    for (const page of world.pages) await page.online(40_000);
    for (const page of world.pages) await page.row('that was typed meanwhile', delivered('typed while the hub was away'), 60_000);
    for (const page of world.pages) await page.row('that answers it', complete(wordText(6, 'asked')), 60_000);
    await world.idle();
    await finish(world, 'away');
  },

  'the bridge is killed and the answer ends while it is away': async (world) => {
    await begin(world, 'bridge');
    await world.bridge.kill9();
    world.model.release('bridge');
    await world.idle();
    world.bridge.start();
    await finish(world, 'bridge');
  },

  'the gateway is killed: the partial answer stays, its run failed, and the resumed turn is a second answer': async (world) => {
    const [owner] = world.pages;
    await begin(world, 'gateway');
    const running = await owner.page.locator(by('run-row', { state: 'running' })).last().getAttribute('data-run-id');
    await world.gateway.kill9();
    await world.gateway.start();
    for (const page of world.pages) {
      const partial = (row) => row.status === 'interrupted' && row.text.startsWith('gateway0 ');
      const kept = await page.row('that keeps the partial answer', partial, 60_000);
      assert.equal(kept.id, `${running}:answer`);
      const resumed = await page.row('of the resumed turn', complete(RESUMED), 60_000);
      assert.notEqual(resumed.id, kept.id);
    }
    await owner.page.locator(by('run-row', { runId: running, state: 'failed' })).waitFor({ state: 'attached' });
    await world.idle();
    await settle(world.pages, world.scopes, ['gateway0 ', RESUMED, 'GATE:gateway']);
    for (const page of world.pages) {
      const prompts = (await page.rows()).filter((row) => row.text.includes('interrupted by a gateway restart'));
      assert.deepEqual(prompts.map((row) => row.internal), [true], 'the restart prompt is marked as internal');
    }
  },

  'a browser without a network gets everything when it is back, and what was typed meanwhile is sent once': async (world) => {
    const { owner, ann } = world;
    // Chromium takes the network from pages, not from the worker that their tabs share: this one has its own connection.
    await owner.context.addInitScript(() => delete globalThis.SharedWorker);
    await owner.reload();
    await owner.openConversation(world.main);
    await owner.context.setOffline(true);
    await owner.until('the page knows', async () => (await owner.phase()) !== 'online');
    await ann.send('Please STREAM:20:20:missed');
    await ann.row('with the whole answer', complete(wordText(20, 'missed')));
    await owner.send('typed without a network STREAM:6:20:offline');
    const held = await owner.row('that waits', (row) => row.text.includes('typed without a network'));
    assert.equal(held.stage, 'held');
    await owner.context.setOffline(false);
    for (const page of world.pages) {
      await page.online(40_000);
      await page.row('that came while it was away', complete(wordText(20, 'missed')));
      await page.row('that was typed offline', delivered('typed without a network'), 60_000);
      await page.row('that answers it', complete(wordText(6, 'offline')), 60_000);
    }
    await world.idle();
    await settle(world.pages, world.scopes, ['typed without a network', 'missed0 ', 'offline0 ']);
  },
};

/** Sends a message whose answer stops in its middle, and waits until every page shows that half. */
async function begin(world, name) {
  await world.idle();
  await world.owner.send(`Please GATE:${name}:${WHOLE}:${name}`);
  for (const page of world.pages) await page.row('with half of the answer', streaming(wordText(HALF, name)));
}

/** Lets the answer go on, and waits until every page shows all of it, once. */
async function finish(world, name) {
  world.model.release(name);
  for (const page of world.pages) await page.row('with the whole answer', complete(wordText(WHOLE, name)), 60_000);
  await settle(world.pages, world.scopes, [`${name}0 `, `GATE:${name}`]);
}
