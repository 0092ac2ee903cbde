// Two people, one of them on a phone, and a machine with a real gateway.

import { by, Console, PHONE } from '../harness/browser.mjs';
import { Watcher } from '../harness/watcher.mjs';
import { conversationOf } from '../harness/world.mjs';

export const people = {
  'an owner at a desk, a colleague on a phone and a client without a page are there': async (world) => {
    await world.hub.start();
    world.owner = await Console.open(world.browser, { link: await world.hub.setupLink(), name: 'owner', alone: true });
    world.ann = await Console.open(world.browser, { link: world.hub.invite('Ann'), name: 'ann', device: PHONE, alone: true });
    world.pages.push(world.owner, world.ann);
    world.watcher = await Watcher.open(world.browser, { link: world.hub.invite('Wanda', 'viewer') });
    await world.watcher.start();
  },

  'a machine joins, and both see its agents': async (world) => {
    await world.gateway.ready();
    // The first turn of a fresh gateway takes many times as long as the others.
    await world.sayAtGateway('agent:main:main', 'What did we do before anybody watched?');
    world.addBridge(world.hub.addInstance('laptop'));
    const row = world.owner.part('instance-row', { connection: 'online', gateway: 'online' }).first();
    await row.waitFor({ timeout: 60_000 });
    world.instance = await row.getAttribute('data-instance-id');
    world.main = conversationOf(world.instance, 'agent:main:main');
    world.research = conversationOf(world.instance, 'agent:researcher:main');
    for (const conversation of [world.main, world.research]) await world.watcher.follow(`conversation/${conversation}`);
    for (const page of world.pages) await page.page.locator(by('conversation-row', { conversationId: world.main })).first().waitFor({ state: 'attached' });
  },
};
