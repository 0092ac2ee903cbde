// Points 1 and 2: the hub starts on nothing, people and an instance join, the gateway's state appears.

import assert from 'node:assert/strict';
import { by, Console } from '../harness/browser.mjs';
import { answers, until } from '../harness/process.mjs';
import { conversationOf } from '../harness/world.mjs';

const SEED = 'What did we do before anybody watched?';

export const hubStarts = {
  'a hub on an empty folder serves and prints a setup link': async (world) => {
    await world.hub.start();
    world.setupLink = await world.hub.setupLink();
    assert.match(world.setupLink, /^http:\/\/localhost:\d+\/auth#t=.+/);
    for (const path of ['/', '/healthz', '/readyz']) assert.ok(await answers(world.hub.origin + path), path);
  },

  'the setup link makes the first owner, once': async (world) => {
    world.owner = await Console.open(world.browser, { link: world.setupLink, name: 'owner' });
    world.pages.push(world.owner);
    const second = await world.browser.newContext();
    const page = await second.newPage();
    await page.goto(world.setupLink);
    await page.getByText(/did not work/i).waitFor();
    assert.equal(await page.getByRole('button').count(), 0);
    await second.close();
  },

  'an invitation lets a second person in': async (world) => {
    const link = world.hub.invite('Ann');
    world.ann = await Console.open(world.browser, { link, name: 'ann' });
    world.pages.push(world.ann);
  },
};

export const instanceAppears = {
  'a bridge with a printed token connects, and its agents appear in pages that are open': async (world) => {
    await world.gateway.ready();
    await world.sayAtGateway('agent:main:main', SEED);
    const token = world.hub.addInstance('laptop');
    assert.match(token, /^\S+$/, 'the token stands alone on standard output');
    world.addBridge(token);
    for (const { page } of world.pages) {
      await page.locator(by('instance-row', { connection: 'online', gateway: 'online' })).waitFor({ timeout: 60_000 });
      for (const name of ['Main Otter', 'Researcher']) await page.locator(by('agent-row'), { hasText: name }).first().waitFor();
    }
    const row = world.owner.page.locator(by('instance-row')).first();
    world.instance = await row.getAttribute('data-instance-id');
    world.main = conversationOf(world.instance, 'agent:main:main');
    world.scopes = ['org', `conversation/${world.main}`];
  },

  'the last messages of the newest session and its context are there': async (world) => {
    for (const page of world.pages) {
      await page.openConversation(world.main);
      await page.row('with the question asked before', (row) => row.text.includes(SEED));
      await page.row('with its answer', (row) => row.status === 'complete' && row.text.includes('Hello from the fake model'));
    }
    const context = world.owner.page.locator(by('session-context')).first();
    const numbers = async () => {
      const [used, limit] = await Promise.all(['data-used', 'data-limit'].map((name) => context.getAttribute(name)));
      return Number(used) > 0 && Number(limit) === 128_000;
    };
    await until(numbers, { what: 'the used and the largest context of the session' });
  },
};
