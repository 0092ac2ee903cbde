// What people come for, over the real thing: OpenClaw, the bridge, the hub, and headless Chromium with two people, one of
// them on a phone. It looks at what the pages show and at what the hub and the gateway say themselves.
//
// Logs and, after a failure, screenshots are in `.cache/e2e/product`; `.cache/e2e/screens` has pictures of the main states.

import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { World } from './harness/world.mjs';
import { approvals } from './product/approvals.mjs';
import { conversations } from './product/conversations.mjs';
import { feed } from './product/feed.mjs';
import { fleet } from './product/fleet.mjs';
import { history } from './product/history.mjs';
import { lastLook } from './product/last.mjs';
import { presence } from './product/presence.mjs';
import { slow } from './product/slow.mjs';
import { people } from './product/start.mjs';
import { steps } from './product/steps.mjs';
import { stop } from './product/stop.mjs';
import { tasks } from './product/tasks.mjs';

let world;

before(async () => {
  world = await World.start('product');
});

after(() => world?.stop());

test('the product', { timeout: 600_000 }, async (t) => {
  const topics = { people, stop, conversations, presence, history, slow, fleet, tasks, feed, steps, approvals, lastLook };
  const wanted = process.env.OTTER_TOPICS?.split(',');
  for (const [topic, steps] of Object.entries(topics)) {
    if (wanted && topic !== 'people' && !wanted.includes(topic)) continue;
    world.failed = false;
    await t.test(topic, async (of) => {
      for (const [name, step] of Object.entries(steps)) {
        // A step needs what the one before it left behind.
        if (!world.failed) await of.test(name, () => step(world).catch((error) => explain(topic, error)));
      }
    });
    // The topics stand on the first one only.
    if (topic === 'people' && world.failed) break;
  }
});

/** Keeps what the pages show at the moment of a failure. */
async function explain(topic, error) {
  world.failed = true;
  for (const page of world.pages) {
    await page.screenshot(join(world.dir, `${topic}-${page.name}.png`)).catch(() => {});
    if (page.errors.length > 0) error.message += `\n${page.name} logged: ${page.errors.join('\n')}`;
  }
  throw error;
}
