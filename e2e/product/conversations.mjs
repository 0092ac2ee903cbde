// Conversations people can live in: names, pins, folders and the archive are everybody's, what is unread is one's own.

import assert from 'node:assert/strict';
import { by } from '../harness/browser.mjs';
import { GREETING } from '../model.mjs';
import { complete } from '../spine/answers.mjs';
import { TURN_MS } from './say.mjs';

export const conversations = {
  'a conversation is named without a network, shown at once, and has that name for everybody once there is one': async (world) => {
    const { owner, ann } = world;
    await ann.goTo('#/');
    await owner.context.setOffline(true);
    await owner.until('the page knows', async () => (await owner.phase()) !== 'online');
    await act(owner, world.research, 'Rename…');
    await owner.part('rename-dialog').locator('input').fill('Trails near the lake');
    await owner.part('rename-dialog').getByRole('button', { name: 'Rename' }).click();
    const held = owner.part('conversation-row', { conversationId: world.research, stage: 'held' });
    await held.waitFor({ timeout: 2000 });
    assert.match(await held.textContent(), /Trails near the lake/);
    await owner.context.setOffline(false);
    await owner.online(40_000);
    for (const page of [owner, ann]) await row(world, page).filter({ hasText: 'Trails near the lake' }).waitFor();
    await owner.until('nothing is held', async () => (await held.count()) === 0);
    await world.watcher.event('conversation.updated', ({ data, effects }) => data.title && effects.some(({ entity }) => entity === `conversation/${world.research}`));
    assert.equal(changes(world).filter(({ data }) => data.title).length, 1);
  },

  'pinned by one, pinned for the other': async (world) => {
    const { owner, ann } = world;
    await act(owner, world.research, 'Pin to the top');
    for (const page of [owner, ann]) {
      await page.part('conversation-row', { conversationId: world.research, pinned: 'true' }).waitFor();
      const first = page.page.locator(by('conversation-row')).first();
      await page.until('it is on top', async () => (await first.getAttribute('data-conversation-id')) === world.research);
    }
    await act(owner, world.research, 'Unpin');
    for (const page of [owner, ann]) await page.part('conversation-row', { conversationId: world.research, pinned: 'true' }).waitFor({ state: 'detached' });
  },

  'archived by one it leaves the list of the other, and a new message does not lose it': async (world) => {
    const { owner, ann } = world;
    await act(owner, world.research, 'Archive');
    await ann.until('it is put away', async () => (await listed(world, ann)) === 0);
    await world.watcher.sees('conversation', world.research, ({ archived }) => archived);
    await owner.page.evaluate((conversationId) => window.otter.command('conversation.update', { conversationId, archived: false }).done, world.research);
    for (const page of [owner, ann]) await row(world, page).waitFor();
  },

  'what is unread is counted for each person, and reading it on one device is enough': async (world) => {
    const { owner, ann } = world;
    await owner.openConversation(world.research);
    await unread(world, ann, 0);
    await owner.send('Where are the trails?');
    await owner.row('with the answer', complete(GREETING), TURN_MS);
    await unread(world, ann, 2);
    await unread(world, owner, 0);
    const total = Number(await ann.part('unread-total').first().getAttribute('data-count'));
    assert.ok(total >= 2, `${total} unread in all`);
    await world.shoot(ann, 'unread-phone');
    await ann.openConversation(world.research);
    await ann.row('with the answer', complete(GREETING));
    await ann.goTo('#/');
    await unread(world, ann, 0);
    await ann.reload();
    await unread(world, ann, 0);
  },

  'who was away finds the right number at once': async (world) => {
    const { owner, ann } = world;
    await ann.context.setOffline(true);
    await ann.until('the page knows', async () => (await ann.phase()) !== 'online');
    for (const words of ['And the lake?', 'And the boats?']) {
      await owner.send(words);
      await owner.row(`with the words ${words}`, ({ text, delivery }) => text.includes(words) && delivery === 'delivered');
      await world.idle('agent:researcher:main');
    }
    await ann.context.setOffline(false);
    await ann.online(40_000);
    await unread(world, ann, 4);
    await ann.openConversation(world.research);
    await ann.row('of the last question', ({ text }) => text.includes('And the boats?'));
    await ann.goTo('#/');
    await unread(world, ann, 0);
  },
};

const row = ({ research }, page) => page.part('conversation-row', { conversationId: research });
const listed = (world, page) => row(world, page).count();
const changes = ({ watcher, research }) => watcher.events.filter(({ kind, effects }) => kind === 'conversation.updated' && effects.some(({ entity }) => entity === `conversation/${research}`));

function unread({ research }, page, count) {
  return page.part('conversation-row', { conversationId: research, unread: count }).waitFor({ timeout: 20_000 });
}

/** Chooses an entry of a conversation's menu. */
async function act(page, conversationId, entry) {
  await page.part('conversation-row', { conversationId }).click({ button: 'right' });
  await page.page.getByRole('menuitem', { name: entry, exact: true }).click();
  // Nothing moves in a list while somebody points at it.
  await page.page.mouse.move(700, 300);
}
