// The feed: pushed by an agent with a tool call and by a program on the crate, new to everybody once.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { connectTo } from '../gateway-client.mjs';
import { by } from '../harness/browser.mjs';
import { binary } from '../harness/hub.mjs';
import { until } from '../harness/process.mjs';
import { say, TURN_MS } from './say.mjs';

const PUSHED = { email: 'Invoice due', market: 'OTTR rises', social: 'We are live', alert: 'Disk nearly full', custom: 'A note' };

export const feed = {
  'an agent pushes an item of every kind, and it moves in before the eyes of everybody': async (world) => {
    const { owner, ann } = world;
    for (const page of [owner, ann]) await page.openPage('feed');
    for (const [category, title] of Object.entries(PUSHED)) {
      await say(owner, world.main, `FEED:${category}:${title}`);
      for (const page of [owner, ann]) {
        const item = page.part('feed-item', { category }).filter({ hasText: title });
        await item.waitFor({ timeout: TURN_MS });
        const states = await page.states('feed-item', await item.getAttribute('data-item-id'));
        assert.ok(states.includes(''), `${page.name}: ${title} moved in`);
      }
      await world.idle();
    }
    await world.shoot(owner, 'feed-desk');
    await world.shoot(ann, 'feed-phone');
  },

  'a program on the crate publishes five items, once however often it runs': async (world) => {
    const { owner, hub } = world;
    const args = ['--hub', `ws://127.0.0.1:${hub.port}/ws/openclaw`, '--state-dir', join(world.dir, 'publish-feed')];
    const env = { ...process.env, OTTER_TOKEN: hub.addInstance('publisher') };
    for (let run = 0; run < 2; run += 1) execFileSync(binary('otter-example-publish-feed'), args, { env, timeout: 30_000 });
    await owner.part('feed-item').filter({ hasText: 'Contract signed' }).waitFor();
    await hears(world, 10);
  },

  'a kill -9 of the bridge and of the hub and a reload: nothing is lost, nothing comes twice, nothing moves in again': async (world) => {
    const { owner, ann, hub, bridge } = world;
    await bridge.kill9();
    const gateway = await connectTo(world.gateway);
    await gateway.call('otter.feed.push', { category: 'alert', title: 'While nobody listened', severity: 'warning' });
    gateway.close();
    await hub.kill9();
    await hub.start();
    bridge.start();
    for (const page of [owner, ann]) {
      await page.online(40_000);
      await page.part('feed-item').filter({ hasText: 'While nobody listened' }).waitFor({ timeout: 60_000 });
    }
    await owner.reload();
    await owner.part('feed-item').filter({ hasText: 'While nobody listened' }).waitFor();
    const ids = await owner.page.locator(by('feed-item')).evaluateAll((items) => items.map((item) => item.dataset.itemId));
    assert.equal(ids.length, 11);
    assert.equal(new Set(ids).size, 11);
    for (const id of ids) assert.deepEqual(await owner.states('feed-item', id), [null], 'what is replayed does not move in');
    await hears(world, 11);
  },

  'a kill -9 of the gateway just after an item was pushed: it comes once': async (world) => {
    const { owner, ann } = world;
    const gateway = await connectTo(world.gateway);
    await gateway.call('otter.feed.push', { category: 'custom', title: 'Just before the kill' });
    await world.gateway.kill9();
    await world.gateway.start();
    for (const page of [owner, ann]) await page.part('feed-item').filter({ hasText: 'Just before the kill' }).waitFor({ timeout: TURN_MS });
    await world.watcher.sees('instance', world.instance, ({ gateway }) => gateway?.state === 'online', TURN_MS);
    await world.idle();
    await hears(world, 12);
  },

  'what one person has read stays unread for the other; what one archives is away for all': async (world) => {
    const { owner, ann } = world;
    await readAll(ann);
    await ann.part('feed-badge', { count: 0 }).waitFor({ state: 'attached' });
    await ann.openPage('approvals');
    await say(owner, world.main, 'FEED:custom:For both of you');
    await owner.part('feed-item').filter({ hasText: 'For both of you' }).waitFor({ timeout: TURN_MS });
    await readAll(owner);
    await ann.part('feed-badge', { count: 1 }).waitFor({ state: 'attached' });
    await ann.openPage('feed');
    await ann.part('feed-badge', { count: 0 }).waitFor({ state: 'attached', timeout: 20_000 });
    await owner.part('feed-archive-all').click();
    for (const page of [owner, ann]) await page.until('the feed is empty', async () => (await page.part('feed-item').count()) === 0);
    await ann.goTo('#/feed/archived');
    await ann.until('all are put away', async () => (await ann.part('feed-item', { archived: 'true' }).count()) === 13);
    await world.idle();
  },
};

const added = ({ watcher }) => watcher.events.filter(({ kind }) => kind === 'feed.itemAdded');

/** Waits until the watcher, which may have lost its hub, has heard of so many items, and of none more. */
async function hears(world, count) {
  await until(() => added(world).length >= count, { what: `the watcher to hear of ${count} items`, timeoutMs: 40_000 });
  assert.equal(added(world).length, count);
}

/** Marks what this person has not read; what is in sight is read by itself, so that nothing may be left to press. */
function readAll(page) {
  return page.until('all are read', async () => {
    const button = page.part('feed-read-all');
    if (await button.isEnabled()) await button.click({ timeout: 1000 }).catch(() => {});
    return (await page.part('feed-item', { read: 'false' }).count()) === 0;
  });
}
