// The whole path, once: a real OpenClaw gateway, the bridge, the hub and headless Chromium, through answers that stream,
// messages that are steered, and a kill -9 of each part. It looks at what the pages show.
//
// Logs and, after a failure, screenshots are in `.cache/e2e/spine`.

import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { World } from './harness/world.mjs';
import { answersStream } from './spine/answers.mjs';
import { partsAreKilled } from './spine/kills.mjs';
import { pagesComeBack } from './spine/returns.mjs';
import { hubStarts, instanceAppears } from './spine/start.mjs';

let world;

before(async () => {
  world = await World.start('spine');
});

after(() => world?.stop());

test('the spine', { timeout: 600_000 }, async (t) => {
  const steps = { ...hubStarts, ...instanceAppears, ...answersStream, ...partsAreKilled, ...pagesComeBack };
  for (const [name, step] of Object.entries(steps)) {
    await t.test(name, () => step(world).catch(explain));
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
