// What one asks for while there is no connection: it waits, over a reload and a closed page, and goes out once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { asked, has, previewRoom, push, say, talk } from './harness/preview.mjs';

const { open, person } = previewRoom();
const INPUT = by('composer-input');
const MAIL = 'in_mac:mail';
const ADA = 'in_mac:ada';
const REFUSED = by('message-row', { stage: 'refused' });
const conversation = (id) => by('conversation-row', { conversationId: id });

/** The own messages of the page that are no part of its scene, with how far they are. */
const sent = (page) =>
  page.locator(by('message-row')).evaluateAll((rows) =>
    rows.filter(({ dataset }) => /:01[0-9a-f-]{34}:user$/.test(dataset.messageId)).map((row) => [row.querySelector('[data-testid=message-text]').textContent, row.dataset.stage ?? row.dataset.delivery]));
const commandIds = (page) => page.evaluate(() => window.fake.posted.filter(({ t, kind }) => t === 'command' && kind === 'message.send').map(({ id }) => id));
const kept = (page) => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('otter:held:')).length);
const until = (page, selector, count) => page.waitForFunction(([query, wanted]) => document.querySelectorAll(query).length === wanted, [selector, count]);

test('words typed without a connection are rows that wait, over a reload and a closed page, and go out once', async (t) => {
  const openPage = await person(t);
  const before = await openPage('held', talk(MAIL));
  await before.locator('.stale').waitFor();
  await say(before, 'are you there?');
  await say(before, 'I can wait');
  assert.equal(await before.inputValue(INPUT), '');
  assert.match(await before.locator(by('message-row', { stage: 'held' })).first().innerText(), /are you there\?\s+Waits for the connection/);
  const ids = await commandIds(before);
  await before.reload();
  await until(before, by('message-row', { stage: 'held' }), 2);
  assert.deepEqual([await sent(before), await before.inputValue(INPUT)], [[['are you there?', 'held'], ['I can wait', 'held']], '']);
  assert.match(await before.textContent(by('held')), /^2 wait here$/);
  // The first page that has answers takes them out of the storage, so each page is given them.
  const rows = await before.evaluate(() => Object.entries(localStorage).filter(([name]) => name.startsWith('otter:held:')));
  await before.context().addInitScript((all) => all.forEach(([name, value]) => localStorage.setItem(name, value)), rows);
  await before.close();

  // Two pages find them: they have one id each, and the hub runs an id once.
  const pages = await Promise.all([openPage('live', talk(MAIL)), openPage('live', talk(MAIL))]);
  for (const page of pages) await until(page, by('message-row', { delivery: 'delivered' }), 3);
  for (const page of pages) {
    assert.deepEqual([await sent(page), await commandIds(page), await page.inputValue(INPUT), await kept(page)], [[['are you there?', 'delivered'], ['I can wait', 'delivered']], ids, '', 0]);
  }
});

test('what was sent and has no answer when the connection is lost waits too', async (t) => {
  const page = await open(t, 'live', talk(MAIL));
  await page.waitForSelector(by('message-row'));
  const [id, key] = ['01a216ee-5bab-7000-8000-000000000001', 'message/in_mac:01a216ee-5bab-7000-8000-000000000001:user'];
  const data = { conversationId: MAIL, text: 'on its way' };
  await push(page, {
    put: [[`conversation/${MAIL}`, key, 9000, true, { ...data, author: { type: 'member', id: 'mb_mara' }, status: 'complete', commandId: id }]],
    local: { [key]: { commandId: id, stage: 'sent' } },
    commands: [{ id, kind: 'message.send', data, state: 'sent' }],
  });
  const row = page.locator(by('message-row', { stage: 'sent' }));
  await row.filter({ hasText: 'Sending…' }).waitFor();
  assert.equal(await page.isVisible(by('held')), false);
  await push(page, { connection: { phase: 'waiting', reason: 'closed', code: 1006, since: 0, attempt: 1, nextRetryAt: null, roundTripMs: null } });
  await row.filter({ hasText: 'Waits for the connection' }).waitFor();
  assert.equal(await page.textContent(by('held')), '1 waits here');
});

test('a refused message stays over a reload with its words, is named in the list, and is tried again or dismissed', async (t) => {
  const page = await open(t, 'live', talk(MAIL));
  await say(page, 'refuse this');
  await page.waitForSelector(REFUSED);
  await page.goto(page.url().replace(/#.*/, talk(ADA)));
  await page.reload();
  await page.locator(conversation(MAIL)).filter({ hasText: 'Not sent: refuse this' }).click();
  assert.match(await page.innerText(REFUSED), /refuse this\s+Not sent: this machine has 256 open commands; try again when some have ended\s+Retry\s+Dismiss/);
  assert.equal(await page.inputValue(INPUT), '');
  await page.click(`${REFUSED} >> text=Retry`);
  await page.waitForFunction(() => [...document.querySelectorAll('[data-delivery=delivered]')].some((row) => row.textContent.includes('accept this')));
  assert.deepEqual([await page.locator(REFUSED).count(), await kept(page)], [0, 0]);

  await say(page, 'refuse that');
  await page.waitForSelector(REFUSED);
  await page.reload();
  await page.click(`${REFUSED} >> text=Dismiss`);
  await page.waitForSelector(REFUSED, { state: 'detached' });
  await page.reload();
  await page.waitForSelector(by('message-row'));
  assert.deepEqual([await page.locator(REFUSED).count(), await page.inputValue(INPUT), await kept(page)], [0, '', 0]);
  assert.equal(await page.getAttribute(conversation(MAIL), 'data-words'), null);
});

test('what else is asked without a connection waits too, and goes out after a reload', async (t) => {
  const page = await open(t, 'held', talk(ADA));
  await page.waitForSelector(by('connection', { phase: 'waiting' }));
  await page.click(conversation(MAIL), { button: 'right' });
  await page.click('.menu >> text="Pin to the top"');
  await has(page, conversation(MAIL), 'data-stage', 'held');
  assert.equal(await page.getAttribute(conversation(MAIL), 'data-pinned'), 'true');
  assert.equal(await page.textContent(by('held')), '1 waits here');
  await page.goto(page.url().replace('scene=held', 'scene=live'));
  // It is pinned as soon as the command that waited is there.
  await has(page, conversation(MAIL), 'data-pinned', 'true');
  await has(page, conversation(MAIL), 'data-stage');
  await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith('otter:held:')));
  assert.deepEqual([await asked(page, 'conversation.update'), await kept(page)], [[{ conversationId: MAIL, pinned: true }], 0]);
});

test('a change that was refused is told after a reload too, until it is tried again or dismissed', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.evaluate((id) => void window.otter.command('conversation.update', { conversationId: id, title: 'refuse this' }), MAIL);
  const notice = page.locator(by('notice')).filter({ hasText: 'The conversation was not changed' });
  await notice.waitFor();
  await page.reload();
  await notice.getByText('Try again').click();
  await page.locator(`${conversation(MAIL)}:not([data-stage])`).filter({ hasText: 'accept this' }).waitFor();
  assert.deepEqual([await notice.count(), await kept(page)], [0, 0]);
});

const SELF = { type: 'member', id: 'mb_mara', name: 'Mara', role: 'owner', org: 'Otter & friends' };

/** A page that does not know yet who is here, in a browser with a draft. */
async function early(t) {
  const openPage = await person(t);
  const before = await openPage('live', talk(MAIL));
  await before.fill(INPUT, 'half a thought');
  await before.close();
  return { openPage, page: await openPage('loading', talk(MAIL)) };
}
const holds = (page, words) => page.waitForFunction(([query, text]) => document.querySelector(query).value === text, [INPUT, words]);

test('what is typed before it is known who is here is a draft, beside the one that was there', async (t) => {
  const { openPage, page } = await early(t);
  await page.fill(INPUT, 'typed early');
  await push(page, { self: SELF });
  await holds(page, 'half a thought\ntyped early');
  await page.close();
  const after = await openPage('live', talk(MAIL));
  assert.equal(await after.inputValue(INPUT), 'half a thought\ntyped early');
});

test('what is sent before it is known who is here leaves the composer, and the draft stays', async (t) => {
  const { page } = await early(t);
  await page.fill(INPUT, 'sent early');
  await page.evaluate(([query, self]) => {
    document.querySelector(query).dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    window.fake.push({ self });
  }, [INPUT, SELF]);
  await page.locator(by('message-row')).filter({ hasText: 'sent early' }).waitFor();
  await holds(page, 'half a thought');
});

test('words that are not sent yet are a draft, named in the list', async (t) => {
  const page = await open(t, 'live', talk(MAIL));
  await page.fill(INPUT, 'half a **thought**');
  await page.click(conversation(ADA));
  await page.locator(conversation(MAIL)).filter({ hasText: 'Draft: half a thought' }).waitFor();
  await page.click(conversation(MAIL));
  assert.equal(await page.inputValue(INPUT), 'half a **thought**');
  assert.equal(await page.getAttribute(conversation(MAIL), 'data-words'), null);
});
