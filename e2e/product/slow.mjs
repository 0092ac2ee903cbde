// Offline and slow: what was asked for is done once, what was refused stays, and a slow reader is waited for.

import assert from 'node:assert/strict';
import { until } from '../harness/process.mjs';

const FLOOD = 400;

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
    assert.equal(await owner.page.evaluate(() => window.otter.connection.get().since), since, 'the connection was kept');
    const scope = `conversation/${id}`;
    await owner.until('the same state', async () => {
      const [mine, theirs] = await Promise.all([owner.hashes(), watcher.client.hashes()]);
      return Boolean(mine[scope]) && mine[scope].hash === theirs[scope]?.hash;
    });
  },

};
