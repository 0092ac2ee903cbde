// What people come for, over the real thing: OpenClaw, the bridge, the hub, and headless Chromium with two people, one of
// them on a phone. It looks at what the pages show and at what the hub and the gateway say themselves.
//
// Logs and, after a failure, screenshots are in `.cache/e2e/product`; `.cache/e2e/screens` has pictures of the main states.

import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { World } from './harness/world.mjs';
import { approvals } from './product/approvals.mjs';
import { lastLook } from './product/last.mjs';
import { people } from './product/start.mjs';

let world;

before(async () => {
  world = await World.start('product');
});

after(() => world?.stop());

test('the product', { timeout: 600_000 }, async (t) => {
  const topics = { people, approvals, lastLook };
  for (const [topic, steps] of Object.entries(topics)) {
    await t.test(topic, async (of) => {
      for (const [name, step] of Object.entries(steps)) {
        if (!world.failed) await of.test(name, () => step(world).catch(explain));
      }
    });
    // Each step needs what the one before it left behind.
    if (world.failed) break;
  }
});

/** Keeps what the pages show at the moment of a failure. */
async function explain(error) {
  world.failed = true;
  for (const page of world.pages) {
    await page.screenshot(join(world.dir, `${page.name}.png`)).catch(() => {});
    if (page.errors.length > 0) error.message += `\n${page.name} logged: ${page.errors.join('\n')}`;
  }
  throw error;
}
