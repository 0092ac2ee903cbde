// Point 5: whoever comes back, or comes late, sees at first what the hub has.

import assert from 'node:assert/strict';
import { Console } from '../harness/browser.mjs';
import { settle } from './checks.mjs';

export const pagesComeBack = {
  'a reload shows the state of the hub at first paint': async (world) => {
    const { owner } = world;
    const before = await owner.rows();
    await owner.reload();
    await owner.openConversation(world.main);
    await owner.until('all rows are back', async () => (await owner.rows()).length === before.length);
    // What stands in the page is painted a frame later.
    let firstFull;
    await owner.until('they are painted', async () => (firstFull = (await owner.recorded()).find((frame) => frame.rows.length > 0)));
    const texts = (rows) => rows.map((row) => row.text);
    assert.deepEqual(texts(firstFull.rows), texts(before), 'the first frame with rows has all of them');
    await settle(world.pages, world.scopes);
  },

  'a browser that kept its cookie and comes back later shows the same': async (world) => {
    const { owner, browser } = world;
    const address = new URL(owner.page.url()).origin;
    const context = await browser.newContext({ storageState: await owner.context.storageState() });
    const back = await Console.in(context, 'back');
    world.pages.push(back);
    await back.page.goto(address);
    await back.online();
    await back.openConversation(world.main);
    await settle(world.pages, world.scopes);
  },

  'no page logged an error': async (world) => {
    assert.deepEqual(world.pages.flatMap((page) => page.errors.map((error) => `${page.name}: ${error}`)), []);
  },
};
