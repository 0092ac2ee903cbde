// History: thousands of rows behind a window of fifty, texts of any length, and a browser that does not grow.

import assert from 'node:assert/strict';
import { Instance } from '../harness/instance.mjs';

const ROWS = 3000;
const LONG = `${'A long story about a river. '.repeat(3000)}The end of the story.`;
const TALKS = 100;

export const history = {
  'thousands of rows scroll back to the first one, each once and in order': async (world) => {
    const { owner } = world;
    world.archive = await Instance.connect(world.hub, { token: world.hub.addInstance('archive') });
    world.long = await world.archive.introduce({ agent: 'scribe', name: 'Scribe', title: 'A long history' });
    const begun = Date.now() - ROWS * 60_000;
    const at = (n) => new Date(begun + n * 60_000).toISOString();
    const rows = Array.from({ length: ROWS }, (_, n) => world.archive.message(world.long, `m${n}`, { text: `line ${n}`, sentAt: at(n) }));
    await world.archive.publish(rows);
    await owner.openConversation(world.long);
    await owner.row('that is the newest', ({ text }) => text === `line ${ROWS - 1}`);
    await owner.page.evaluate(watchRows);
    await owner.until('the first row is shown', () => owner.page.evaluate(() => window.seenRows.has('line 0')), 120_000);
    const { seen, most } = await owner.page.evaluate(() => window.endOfWatch());
    assert.deepEqual(seen.toSorted((a, b) => a - b), Array.from({ length: ROWS }, (_, n) => n), 'each row was shown');
    assert.ok(most <= 400, `${most} rows were in the page at a time`);
    const lines = (await owner.rows()).map(({ text }) => Number(text.slice(5)));
    assert.deepEqual(lines, lines.map((_, n) => n), 'from the first one on without a hole');
    await world.shoot(owner, 'history-first');
  },

  'a text longer than its row is shown whole': async (world) => {
    const { owner, archive } = world;
    await archive.publish([archive.message(world.long, 'story', { text: LONG })]);
    await owner.openConversation(world.main);
    await owner.openConversation(world.long);
    const id = archive.of('story');
    await owner.row('with the story', (row) => row.id === id);
    const row = owner.part('message-row', { messageId: id });
    await row.locator('[data-testid="show-whole"]').click();
    await owner.until('the whole text is shown', async () => (await row.locator('[data-testid="message-text"]').textContent()).trim() === LONG);
    await world.watcher.sees('conversation', world.long, ({ messageCount }) => messageCount === ROWS + 1);
  },

  'a hundred conversations in a row do not make the browser grow': async (world) => {
    const { owner, archive } = world;
    const now = Date.now();
    const talks = Array.from({ length: TALKS }, (_, n) => archive.of(`talk-${n}`));
    await archive.publish(talks.map((id, n) => archive.conversation(id, { agentId: archive.of('scribe'), derivedTitle: `Talk ${n}` })));
    const rows = talks.flatMap((id, n) => Array.from({ length: 30 }, (_, m) =>
      archive.message(id, `t${n}-${m}`, { text: `talk ${n} line ${m}: ${'words '.repeat(40)}`, sentAt: new Date(now - (30 - m) * 1000).toISOString() })));
    await archive.publish(rows);
    const visit = async (from, to) => {
      for (let n = from; n < to; n += 1) {
        await owner.goTo(`#/c/${encodeURIComponent(talks[n])}`);
        await owner.row(`of talk ${n}`, ({ text }) => text.startsWith(`talk ${n} line 29`));
      }
      return size(owner);
    };
    const early = await visit(0, 30);
    const late = await visit(30, TALKS);
    world.sizes = { early, late };
    assert.ok(late.nodes < early.nodes * 1.5 + 2000, `nodes grew from ${early.nodes} to ${late.nodes}`);
    assert.ok(late.heap < early.heap * 1.5 + 4e6, `heap grew from ${early.heap} to ${late.heap}`);
    await owner.openConversation(world.main);
  },
};

/** Runs in the page: goes back as fast as the list lets it, and keeps which rows were in the page. */
function watchRows() {
  const scroller = document.querySelector('.scroller');
  window.seenRows = new Set();
  let most = 0;
  const look = () => {
    const texts = document.querySelectorAll('[data-testid="message-row"] [data-testid="message-text"]');
    most = Math.max(most, texts.length);
    for (const { textContent } of texts) window.seenRows.add(textContent);
    // By what is in sight, as a wheel does: a jump to the top would leave out rows.
    scroller.scrollTop -= scroller.clientHeight;
  };
  const timer = setInterval(look, 16);
  window.endOfWatch = () => {
    clearInterval(timer);
    return { seen: [...window.seenRows].map((text) => Number(text.slice(5))), most };
  };
}

/** What the page holds after a collection of garbage. */
async function size({ context, page }) {
  const session = await context.newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  const of = (name) => metrics.find((each) => each.name === name).value;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') };
}
