// Offline and slow: what was asked for is done once, what was refused stays, and a slow reader is waited for.

import assert from 'node:assert/strict';
import { by } from '../harness/browser.mjs';
import { Instance } from '../harness/instance.mjs';
import { until } from '../harness/process.mjs';
import { Watcher } from '../harness/watcher.mjs';

const FLOOD = 400;
/** The commands that may be open for one instance. */
const OPEN_COMMANDS = 256;
const BATCH = 32;

export const slow = {
  'a reader on a thin line is not cut off, holds nobody up, and catches up': async (world) => {
    const { owner, watcher, archive } = world;
    const id = archive.of('flood');
    await archive.publish([archive.conversation(id, { agentId: archive.of('scribe'), derivedTitle: 'Flood' })]);
    await owner.goTo(`#/c/${encodeURIComponent(id)}`);
    await owner.part('composer-input').waitFor();
    await watcher.follow(`conversation/${id}`);
    const since = await owner.page.evaluate(() => window.otter.connection.get().since);
    const line = await owner.context.newCDPSession(owner.page);
    await line.send('Network.enable');
    await line.send('Network.emulateNetworkConditions', { offline: false, latency: 100, downloadThroughput: 100_000, uploadThroughput: 100_000 });
    const rows = Array.from({ length: FLOOD }, (_, n) => archive.message(id, `f${n}`, { text: `flood ${n} ${'water '.repeat(1500)}` }));
    await archive.publish(rows);
    const last = archive.of(`f${FLOOD - 1}`);
    await until(() => watcher.entity('message', last), { what: 'a quick reader to have everything', timeoutMs: 20_000 });
    await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await line.detach();
    await owner.row('that came last', (row) => row.id === last, 60_000);
    // Two clocks of whole milliseconds meet in it.
    assert.ok(Math.abs((await owner.page.evaluate(() => window.otter.connection.get().since)) - since) < 5, 'the connection was kept');
    const scope = `conversation/${id}`;
    await owner.until('the same state', async () => {
      const [mine, theirs] = await Promise.all([owner.hashes(), watcher.client.hashes()]);
      return Boolean(mine[scope]) && mine[scope].hash === theirs[scope]?.hash;
    });
  },

  'what the hub refuses stays with its words, also over a reload, until it is tried again': async (world) => {
    const { owner, watcher, hub } = world;
    const full = await Instance.connect(hub, { token: hub.addInstance('full') });
    const id = await full.introduce({ agent: 'clerk', name: 'Clerk' });
    full.close();
    await watcher.follow(`conversation/${id}`);
    await owner.goTo(`#/c/${encodeURIComponent(id)}`);
    await owner.part('composer-input').waitFor();
    await watcher.sees('instance', full.id, ({ connection }) => connection === 'offline');
    const hands = await Watcher.open(world.browser, { link: hub.invite('Hands') });
    const open = await Promise.all(Array.from({ length: OPEN_COMMANDS / BATCH }, () => ask(hands, id, BATCH)));
    await owner.send('one too many');
    const isRefused = (row) => row.text === 'one too many' && row.stage === 'refused';
    await owner.row('that was refused', isRefused);
    await owner.reload();
    const { id: refused } = await owner.row('that was refused before', isRefused);
    await owner.page.evaluate((commandId) => window.otter.command('command.cancel', { commandId }).done, open[0]);
    await owner.page.locator(by('message-row', { messageId: refused })).getByRole('button', { name: 'Retry' }).click();
    await owner.row('that waits for its agent', (row) => row.text === 'one too many' && !row.stage && row.delivery === 'pending');
    assert.equal((await owner.rows()).filter(({ text }) => text === 'one too many').length, 1);
    await watcher.event('message.created', ({ data }) => data.text === 'one too many');
    assert.equal(watcher.events.filter(({ kind, data }) => kind === 'message.created' && data.text === 'one too many').length, 1);
  },
};

/** Sends so many messages over a connection of its own, for a connection may send 60 in a minute; gives the first command. */
async function ask(hands, conversationId, count) {
  const hand = await hands.again();
  const handles = Array.from({ length: count }, (_, n) => hand.client.command('message.send', { conversationId, text: `waits ${n}` }));
  const answers = await Promise.all(handles.map(({ accepted }) => accepted));
  hand.close();
  assert.deepEqual(answers.filter(({ state }) => state === 'refused'), []);
  return handles[0].id;
}
