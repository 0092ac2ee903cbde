// The console as a person uses it, on a scripted core: what the DOM does, without hub, bridge and gateway.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { PHONE, previewRoom, push, say, talk } from './harness/preview.mjs';
import { faults } from './harness/recorder.mjs';

const { open, person } = previewRoom();
const INPUT = by('composer-input');
const TALK = { ada: 'in_mac:ada', mail: 'in_mac:mail' };

const count = (page, selector) => page.locator(selector).count();
const draft = (page) => page.inputValue(INPUT);

/** The frames of the list, and how far its end was out of sight while they were painted. */
async function watchScroll(page) {
  await page.evaluate(() => {
    const scroller = document.querySelector('.scroller');
    window.worstGap = 0;
    const look = () => {
      window.worstGap = Math.max(window.worstGap, scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight);
      requestAnimationFrame(look);
    };
    look();
  });
}

test('an answer streams into one element that stays when the answer is whole, and the end stays in sight', async (t) => {
  const page = await open(t, 'live', talk(TALK.mail));
  await watchScroll(page);
  await say(page, 'is all well?');
  assert.equal(await draft(page), '');
  await page.waitForSelector(by('message-row', { status: 'streaming' }));
  await page.waitForSelector(by('run-row', { state: 'running' }));
  await page.waitForSelector(by('message-row', { status: 'complete', kind: 'agent' }));
  await page.waitForSelector(by('run-row', { state: 'completed' }));
  const frames = await page.evaluate(() => window.otterRecorder.take());
  assert.ok(frames.length > 20, `${frames.length} frames`);
  // Markup that gets whole becomes shorter; a text that goes on, a row twice or in another node are not that.
  assert.deepEqual(faults(frames).filter((fault) => !fault.includes('is not continued')), []);
  assert.ok((await page.evaluate(() => window.worstGap)) <= 2);
});

test('a reader who scrolled up is left alone', async (t) => {
  const page = await open(t, 'live', talk(TALK.ada));
  const top = () => page.evaluate(() => document.querySelector('.scroller').scrollTop);
  const length = () => page.evaluate((row) => document.querySelector(row)?.textContent.length ?? 0, by('message-row', { status: 'streaming' }));
  await say(page, 'go on');
  await page.waitForSelector(by('message-row', { status: 'streaming' }));
  await page.hover('.scroller');
  await page.mouse.wheel(0, -500);
  await page.waitForSelector('.to-end:visible');
  const [from, written] = [await top(), await length()];
  await page.waitForFunction(([row, more]) => document.querySelector(row)?.textContent.length > more, [by('message-row', { status: 'streaming' }), written + 60]);
  assert.ok(Math.abs((await top()) - from) < 2);
  await page.click('.to-end');
  await page.waitForFunction(() => {
    const scroller = document.querySelector('.scroller');
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 3;
  });
});

test('a stopped run is stopping until it ended', async (t) => {
  const page = await open(t, 'busy', talk(TALK.ada));
  await page.click(`${by('run-row', { state: 'running' })} >> text=Stop`);
  await page.waitForSelector(by('run-row', { state: 'stopping' }));
  assert.equal(await page.locator('.stop:visible').isDisabled(), true);
  await page.waitForSelector(by('run-row', { state: 'aborted' }));
  await page.waitForSelector(by('message-row', { status: 'aborted' }));
  assert.equal(await count(page, by('run-row', { state: 'stopping' })), 0);
});

test('each conversation keeps its draft', async (t) => {
  const page = await open(t, 'live', talk(TALK.mail));
  await page.fill(INPUT, 'half a thought');
  await page.click(by('conversation-row', { conversationId: TALK.ada }));
  assert.equal(await draft(page), '');
  await page.reload();
  await page.click(by('conversation-row', { conversationId: TALK.mail }));
  assert.equal(await draft(page), 'half a thought');
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'Release 0.4');
});

test('a draft is the same in the tabs of its person, and nobody else finds it', async (t) => {
  const tab = await person(t);
  const [one, two] = [await tab('live', talk(TALK.mail)), await tab('live', talk(TALK.mail))];
  await one.bringToFront();
  await one.fill(INPUT, 'half a thought');
  await two.waitForFunction(([input]) => document.querySelector(input).value === 'half a thought', [INPUT]);
  await one.press(INPUT, 'Enter');
  await two.waitForFunction(([input]) => document.querySelector(input).value === '', [INPUT]);
  await one.fill(INPUT, 'mine');
  const other = { type: 'member', id: 'mb_other', name: 'Bea', role: 'owner', org: 'Otter & friends' };
  await push(one, { self: other });
  await one.waitForFunction(([input]) => document.querySelector(input).value === '', [INPUT]);
  await one.reload();
  await one.waitForFunction(([input]) => document.querySelector(input).value === 'mine', [INPUT]);
});

test('the key that ends the composition of a character sends nothing', async (t) => {
  const page = await open(t, 'live', talk(TALK.mail));
  await page.fill(INPUT, 'にほん');
  const press = (options) => page.locator(INPUT).evaluate((input, more) => void input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...more })), options);
  await press({ isComposing: true });
  await press({ keyCode: 229 });
  assert.equal(await draft(page), 'にほん');
  await press({ keyCode: 13 });
  assert.equal(await draft(page), '');
});

test('what cannot be followed stays on the screen, marked with its age', async (t) => {
  const page = await open(t, 'stale', talk(TALK.ada));
  await page.waitForSelector(by('connection', { phase: 'waiting' }));
  assert.match(await page.textContent('.stale'), /the hub went silent\. You see what was known 2 min ago\.$/);
  assert.ok((await count(page, by('message-row'))) > 3);
});

test('a hub that cannot be reached and a device without a network are two things', async (t) => {
  const page = await open(t, 'live', talk(TALK.ada));
  const told = (hasNetwork) => page.evaluate((onLine) => {
    Object.defineProperty(navigator, 'onLine', { get: () => onLine, configurable: true });
    window.fake.push({ connection: { phase: 'waiting', reason: 'offline', code: null, since: Date.now() + Number(onLine), attempt: 1, nextRetryAt: Date.now() + 9500, roundTripMs: null } });
  }, hasNetwork);
  await told(true);
  await page.locator(by('connection', { phase: 'waiting' })).filter({ hasText: /Reconnecting in \d+ s.*the hub cannot be reached/s }).waitFor();
  await told(false);
  await page.locator(by('connection', { phase: 'waiting' })).filter({ hasText: /Offline.*this device has no network/s }).waitFor();
});

test('a hub that does not know who is here gets a way to sign in on the screen', async (t) => {
  const page = await open(t, 'signedout');
  await page.waitForSelector(by('gate'));
  assert.match(await page.textContent(by('gate')), /You are signed out.*otter-server invite/);
});

test('loading and empty are told apart', async (t) => {
  const loading = await open(t, 'loading');
  await loading.waitForSelector('text=Finding your conversations');
  const empty = await open(t, 'empty');
  await empty.waitForSelector('text=No machine yet');
});

test('a phone shows one thing at a time and never scrolls sideways', async (t) => {
  const page = await open(t, 'busy', '', PHONE);
  await page.tap(by('conversation-row', { conversationId: TALK.ada }));
  await page.waitForSelector(INPUT);
  assert.equal(await page.isVisible(by('conversation-row', { conversationId: TALK.ada })), false);
  await page.tap('[aria-label="Context of the session"]');
  await page.waitForSelector(by('session-context', { used: 118_400, limit: 200_000 }));
  await page.tap('[aria-label="Close"]');
  await page.tap('[aria-label="All conversations"]');
  await page.waitForSelector(by('conversation-row', { conversationId: TALK.ada }));
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
});

test('what agents write is text: no markup of theirs, no address that runs code', async (t) => {
  const page = await open(t, 'live', talk(TALK.ada));
  const text = '<img src=x onerror=alert(1)> [x](javascript:alert(1)) **<b>b</b>** `</code><script>`\n\n[ok](https://a.b/c_(d)) https://x.y/z.\n\n* a\n\n```\nan open fence <i>';
  await page.waitForSelector(by('message-row'));
  await page.evaluate((words) => {
    const author = { type: 'agent', id: 'in_mac:ada' };
    const message = { conversationId: 'in_mac:ada', author, status: 'complete', sentAt: new Date().toISOString(), text: words };
    window.fake.push({ put: [['conversation/in_mac:ada', 'message/m9', 9999, true, message]] });
  }, text);
  const row = page.locator(`${by('message-row', { messageId: 'm9' })} ${by('message-text')}`);
  await row.waitFor();
  const found = await row.evaluate((element) => ({
    tags: [...new Set([...element.querySelectorAll('*')].map(({ tagName }) => tagName))].sort(),
    links: [...element.querySelectorAll('a')].map((link) => [link.getAttribute('href'), link.rel]),
  }));
  assert.deepEqual(found, {
    tags: ['A', 'BUTTON', 'CODE', 'DIV', 'LI', 'PRE', 'STRONG', 'UL', 'path', 'svg'],
    links: [['https://a.b/c_(d)', 'noopener noreferrer'], ['https://x.y/z', 'noopener noreferrer']],
  });
});
