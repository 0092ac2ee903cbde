// The length of a conversation: thousands of rows to scroll through, long texts, what is unread, and what a page keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { previewRoom, talk } from './harness/preview.mjs';

const { open } = previewRoom();
const LONG = 'in_mac:long';
const ROWS = 3000;
const MOST_IN_PAGE = 420;

const atEnd = (page) => page.waitForFunction(() => {
  const box = document.querySelector('.scroller');
  return box.scrollHeight > 0 && box.scrollHeight - box.scrollTop - box.clientHeight < 3;
});
const rowsInPage = (page) => page.locator(by('message-row')).count();

async function long(t, options) {
  const page = await open(t, 'history', talk(LONG), options);
  await page.locator(by('message-row', { messageId: 'in_mac:long-02999' })).waitFor();
  await atEnd(page);
  return page;
}

/** Scrolls up as a wheel does until the beginning is in sight. Tells which rows were seen, the largest jump of a row between two frames
 * beyond what was scrolled, and how many rows the page held at most. */
function readBackwards() {
  const box = document.querySelector('.scroller');
  const seen = new Set();
  let [jump, most, before] = [0, 0, new Map()];
  const look = (scrolled) => {
    const top = box.getBoundingClientRect().top;
    const now = new Map();
    const rows = document.querySelectorAll('[data-testid=message-row]');
    most = Math.max(most, rows.length);
    for (const row of rows) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom < top || rect.top > top + box.clientHeight) continue;
      now.set(row.dataset.messageId, rect.top);
      seen.add(row.dataset.messageId);
    }
    for (const [id, y] of now) if (before.has(id)) jump = Math.max(jump, Math.abs(y - before.get(id) - scrolled));
    before = now;
  };
  return new Promise((done) => {
    const step = () => {
      look(0);
      const begin = document.querySelector('[data-testid=history-begin]');
      if (box.scrollTop <= 0 && begin.checkVisibility()) return done({ seen: seen.size, jump, most });
      const by = Math.min(500, box.scrollTop);
      const from = box.scrollTop;
      box.scrollTop -= by;
      look(from - box.scrollTop);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}

test('thousands of rows can be read back to the first: none is left out, nothing jumps, and the page holds few of them', { timeout: 240_000 }, async (t) => {
  const page = await long(t);
  const { seen, jump, most } = await page.evaluate(readBackwards);
  assert.equal(seen, ROWS);
  assert.ok(jump <= 2, `a row jumped by ${jump} px`);
  assert.ok(most <= MOST_IN_PAGE, `${most} rows in the page`);
  assert.equal(await page.isVisible(by('load-older')), false);
  await page.click(by('to-newest'));
  await page.locator(by('message-row', { messageId: 'in_mac:long-02999' })).waitFor();
  await atEnd(page);
  assert.ok((await rowsInPage(page)) <= MOST_IN_PAGE);
});

test('the keyboard scrolls the messages', async (t) => {
  const page = await long(t);
  await page.locator('.scroller').focus();
  const top = () => page.locator('.scroller').evaluate((box) => box.scrollTop);
  const before = await top();
  await page.keyboard.press('PageUp');
  await page.waitForFunction((from) => document.querySelector('.scroller').scrollTop < from - 200, before);
  await page.waitForSelector(`${by('to-newest')}:visible`);
});

test('older rows that did not come say why and are asked for again by hand', async (t) => {
  const page = await long(t);
  await page.evaluate(() => window.talk.fail('more'));
  await page.locator('.scroller').evaluate((box) => (box.scrollTop = 0));
  await page.locator(by('load-older')).filter({ hasText: 'the hub did not answer in time. Try again' }).waitFor();
  const asked = () => page.evaluate(() => window.fake.posted.filter(({ t: type, kind }) => type === 'more' && kind === 'message').length);
  const before = await asked();
  await page.click(by('load-older'));
  await page.waitForFunction(() => window.otter.messages('in_mac:long').get().rows.length === 150);
  assert.equal(await asked(), before + 1);
});

test('what comes while one reads further up is counted and does not move the text', async (t) => {
  const page = await long(t);
  await page.locator('.scroller').evaluate((box) => (box.scrollTop -= 1500));
  await page.waitForSelector(`${by('to-newest')}:visible`);
  const top = (id) => page.locator(by('message-row', { messageId: id })).evaluate((row) => row.getBoundingClientRect().top);
  const inSight = await page.evaluate(() => [...document.querySelectorAll('[data-testid=message-row]')].find((row) => row.getBoundingClientRect().top > 200).dataset.messageId);
  const before = await top(inSight);
  await page.evaluate(() => {
    const row = (n) => ['conversation/in_mac:long', `message/in_mac:new-${n}`, 9000 + n, true, { conversationId: 'in_mac:long', author: { type: 'agent', id: 'in_mac:juno' }, text: 'News.', status: 'complete', sentAt: new Date(Date.now() + n).toISOString() }];
    window.fake.push({ put: [row(1), row(2), row(3)] });
  });
  await page.locator(by('to-newest', { count: 3 })).waitFor();
  assert.ok(Math.abs((await top(inSight)) - before) < 1);
  await page.click(by('to-newest'));
  await atEnd(page);
  assert.equal(await page.isVisible(by('to-newest')), false);
});

test('a long text shows its beginning, and the whole when it is asked for', async (t) => {
  const page = await long(t);
  await page.evaluate(() => {
    const row = { conversationId: 'in_mac:long', author: { type: 'agent', id: 'in_mac:juno' }, text: 'A line of a text', truncated: true, status: 'complete', sentAt: new Date().toISOString() };
    window.fake.push({ put: [['conversation/in_mac:long', 'message/in_mac:cut', 9000, true, row]] });
  });
  const row = page.locator(by('message-row', { messageId: 'in_mac:cut' }));
  assert.equal(await row.locator(by('message-text')).innerText(), 'A line of a text');
  await row.locator(by('show-whole')).click();
  await page.waitForFunction((selector) => document.querySelector(selector).textContent.endsWith('This is its end.'), `${by('message-row', { messageId: 'in_mac:cut' })} ${by('message-text')}`);
  assert.equal(await row.locator(by('show-whole')).isVisible(), false);
});

test('a hundred conversations opened in a row leave nothing behind', { timeout: 180_000 }, async (t) => {
  const page = await open(t, 'many', talk('in_mac:c1'));
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const measure = async () => {
    for (let n = 0; n < 3; n += 1) await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    return Object.fromEntries(metrics.filter(({ name }) => ['Nodes', 'JSEventListeners'].includes(name)).map(({ name, value }) => [name, value]));
  };
  const visit = async (from, to) => {
    for (let n = from; n < to; n += 1) {
      await page.evaluate((hash) => (location.hash = hash), talk(`in_mac:c${n}`));
      await page.locator(by('message-row', { messageId: `in_mac:long-00039-in_mac:c${n}` })).waitFor({ state: 'attached' });
    }
  };
  await visit(2, 22);
  const early = await measure();
  await visit(22, 122);
  const late = await measure();
  const told = JSON.stringify({ early, late });
  assert.ok(late.Nodes < early.Nodes * 1.1, told);
  assert.ok(late.JSEventListeners < early.JSEventListeners * 1.1, told);
});

/** The person looks away, or back. */
const look = (page, here) => page.evaluate((value) => {
  document.hasFocus = () => value;
  if (value) window.dispatchEvent(new Event('focus'));
}, here);

const markedTo = (page) => page.evaluate(() => window.fake.posted.filter(({ kind }) => kind === 'conversation.markRead').map(({ data }) => data.messageCount));

test('what is unread begins at a line, and is read when somebody who looks sees the end', async (t) => {
  const page = await long(t);
  // All of it was unread and its end was seen: one mark.
  await page.waitForFunction(() => window.otter.unread('in_mac:long').get() === 0);
  assert.deepEqual(await markedTo(page), [ROWS]);
  await look(page, false);
  await page.evaluate(() => {
    const { id, ...conversation } = window.otter.entity('conversation', 'in_mac:long').get();
    const row = (n) => ['conversation/in_mac:long', `message/in_mac:new-${n}`, 9000 + n, true, { conversationId: 'in_mac:long', author: { type: 'agent', id: 'in_mac:juno' }, text: 'News.', status: 'complete', sentAt: new Date(Date.now() + n).toISOString() }];
    window.fake.push({ put: [row(1), row(2), ['org', `conversation/${id}`, 9003, true, { ...conversation, messageCount: 3002 }]] });
  });
  await page.locator(by('unread-divider')).waitFor();
  const next = await page.locator(by('unread-divider')).evaluate((line) => line.nextElementSibling.dataset.messageId);
  assert.equal(next, 'in_mac:new-1');
  assert.deepEqual(await markedTo(page), [ROWS]);
  await look(page, true);
  await page.waitForFunction(() => window.otter.unread('in_mac:long').get() === 0);
  // It is read here at once; the hub hears of one conversation every two seconds at most.
  await page.waitForFunction((count) => window.fake.posted.filter(({ kind }) => kind === 'conversation.markRead').length === count, 2);
  assert.deepEqual(await markedTo(page), [ROWS, ROWS + 2]);
  assert.equal(await page.isVisible(by('unread-divider')), true);
});
