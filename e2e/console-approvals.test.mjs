// Approvals as a person meets them: what is seen before one answers, what an answer carries, and what never happens by accident.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { PHONE, asked, previewRoom, talk } from './harness/preview.mjs';

const { open } = previewRoom();
const ADA = 'in_mac:ada';
const SHORT = 'in_mac:ap-1';
const LONG = 'in_mac:ap-2';
const OTHER = 'in_mac:ap-3';

const card = (id, attributes = {}) => by('approval-card', { approvalId: id, ...attributes });
const button = (id, name) => `${card(id)} ${by(`approval-${name}`)}`;
const decisions = (page) => asked(page, 'approval.decide');
// A press is not taken for a while after something moved; the cards say how long.
const steady = (page) => page.waitForFunction(() => document.querySelector('.approval-answer:not([hidden])') && !document.querySelector('.approval-answer:not([hidden])[data-settling]'));
// What this machine still lays out may move a card at that moment: then one presses again, as a person does.
async function press(page, id, name) {
  await page.click(button(id, name));
  if (await page.locator(card(id)).filter({ hasText: 'Press again' }).count()) await page.click(button(id, name));
}
const pressAnyhow = (page, selector) => page.click(selector, { force: true });
const revOf = (page, id) => page.evaluate((key) => window.otter.entity('approval', key).get().rev, id);
const isOff = (page, selector) => page.locator(selector).getAttribute('aria-disabled');

async function approvals(t, scene = 'approvals', hash = talk(ADA), options) {
  const page = await open(t, scene, hash, options);
  await page.locator(card(SHORT)).waitFor();
  // A press in the moment in which a card came up is not taken.
  await steady(page);
  return page;
}

/** Rewrites an approval, as its instance would. */
const rewrite = (page, id, change) =>
  page.evaluate(([key, patch]) => {
    const { rev, local, id: _, ...row } = window.otter.entity('approval', key).get();
    window.fake.push({ put: [['org', `approval/${key}`, rev + 100, true, { ...row, ...patch }]] });
  }, [id, change]);

test('an approval tells what would run, where, for how long it waits; one click allows it and its result is a step', async (t) => {
  const page = await approvals(t);
  const words = await page.locator(card(SHORT)).innerText();
  assert.match(words, /Ada asks to run a command/);
  assert.match(words, /on gateway · Studio Mac/);
  assert.match(words, /rm -rf target\/debug\/incremental && cargo build -p otter-server/);
  const left = () => page.locator(`${card(SHORT)} ${by('approval-left')}`).innerText();
  const first = await left();
  assert.match(first, /^9:[0-5]\d left$/);
  await page.waitForFunction(([selector, old]) => document.querySelector(selector).innerText !== old, [`${card(SHORT)} ${by('approval-left')}`, first]);
  const rev = await revOf(page, SHORT);
  await press(page, SHORT, 'allow-once');
  assert.deepEqual(await decisions(page), [{ approvalId: SHORT, rev, decision: 'allow-once' }]);
  await page.locator(card(SHORT, { state: 'decided' })).waitFor();
  assert.match(await page.locator(card(SHORT)).innerText(), /You allowed it once\. (Telling the hub|Waiting for the gateway of Studio Mac)/);
  await page.locator(card(SHORT, { state: 'resolved', outcome: 'allowed' })).waitFor();
  await page.click(by('approval-result'));
  const step = page.locator(by('step-row', { status: 'completed' })).filter({ hasText: 'rm -rf target' });
  await step.waitFor();
  assert.equal(await step.evaluate((row) => row.open && row.contains(document.activeElement)), true);
});

test('a long command is on the screen to its end before it may be allowed', async (t) => {
  const page = await approvals(t);
  assert.equal(await isOff(page, button(LONG, 'allow-once')), 'true');
  assert.equal(await isOff(page, button(LONG, 'deny')), null);
  await pressAnyhow(page, button(LONG, 'allow-once'));
  await page.locator(card(LONG)).focus();
  await page.keyboard.press('a');
  assert.deepEqual(await decisions(page), []);
  await page.locator(`${card(LONG)} pre`).evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await page.waitForFunction((selector) => !document.querySelector(selector).hasAttribute('aria-disabled'), button(LONG, 'allow-once'));
  await press(page, LONG, 'allow-once');
  await page.locator(card(LONG, { state: 'decided' })).waitFor();
});

test('two that wait are answered in the reverse order: each answer is for its own, and the other keeps its place', async (t) => {
  const page = await approvals(t, 'approvals', '#/approvals');
  const open = () => page.locator(by('approval-card')).evaluateAll((cards) => cards.filter(({ dataset }) => ['pending', 'decided'].includes(dataset.state)).map(({ dataset }) => `${dataset.approvalId} ${dataset.state}`));
  assert.deepEqual(await open(), [`${SHORT} pending`, `${LONG} pending`, `${OTHER} pending`]);
  const revs = [await revOf(page, OTHER), await revOf(page, SHORT)];
  await press(page, OTHER, 'allow-once');
  assert.deepEqual(await open(), [`${SHORT} pending`, `${LONG} pending`, `${OTHER} decided`]);
  await steady(page);
  await press(page, SHORT, 'deny');
  assert.deepEqual(await decisions(page), [{ approvalId: OTHER, rev: revs[0], decision: 'allow-once' }, { approvalId: SHORT, rev: revs[1], decision: 'deny' }]);
  await page.locator(card(OTHER, { state: 'resolved', outcome: 'allowed' })).waitFor();
  await page.locator(card(SHORT, { state: 'resolved', outcome: 'denied' })).waitFor();
  assert.equal(await page.locator(card(LONG, { state: 'pending' })).count(), 1);
  assert.match(await page.locator(card(SHORT)).innerText(), /You denied it\. Nothing ran\./);
});

test('the whole of a long command can be unfolded', async (t) => {
  const page = await approvals(t);
  await page.click(button(LONG, 'show-whole'));
  await page.waitForFunction((selector) => !document.querySelector(selector).hasAttribute('aria-disabled'), button(LONG, 'allow-once'));
  const [shown, all] = await page.locator(`${card(LONG)} pre`).evaluate((box) => [box.clientHeight, box.scrollHeight]);
  assert.ok(all - shown <= 2);
});

test('characters that would not be seen are written out', async (t) => {
  const page = await approvals(t);
  await rewrite(page, SHORT, { command: 'echo safe\u202e fdp.exe\u200b # ok' });
  await page.waitForFunction((selector) => document.querySelector(selector).innerText.includes('U+202E'), `${card(SHORT)} pre`);
  assert.equal(await page.locator(`${card(SHORT)} pre`).innerText(), 'echo safeU+202E fdp.exeU+200B # ok');
});

test('allowing for good is a second step that says what it means, and only offered answers can be given', async (t) => {
  const page = await approvals(t);
  assert.equal(await page.isVisible(button(SHORT, 'allow-always')), false);
  await page.evaluate((both) => both.forEach((each) => document.querySelector(each).click()), [button(SHORT, 'always-choice'), button(SHORT, 'allow-always')]);
  // The second press of a double click was not meant for what came up.
  assert.deepEqual(await decisions(page), []);
  assert.match(await page.locator(card(SHORT)).innerText(), /nobody is asked/);
  await steady(page);
  await page.click(button(SHORT, 'allow-always'));
  assert.deepEqual((await decisions(page)).map(({ decision }) => decision), ['allow-always']);
  await page.goto(`${page.url().split('#')[0]}#/approvals`);
  await page.locator(card(OTHER)).waitFor();
  assert.equal(await page.isVisible(button(OTHER, 'always-choice')), false);
});

test('a press in the moment in which the cards move decides nothing', async (t) => {
  const page = await approvals(t, 'approvals', '#/approvals');
  const at = await page.locator(button(SHORT, 'allow-once')).boundingBox();
  const [x, y] = [at.x + at.width / 2, at.y + at.height / 2];
  await page.mouse.move(x, y);
  // An older one comes in above, so that another card's button is where the finger is.
  await page.evaluate(() => {
    const row = { instanceId: 'in_mac', agentId: 'in_mac:juno', host: 'gateway', command: 'shutdown now', state: 'pending', allowedDecisions: ['allow-once', 'deny'], requestedAt: new Date(Date.now() - 600_000).toISOString() };
    window.fake.push({ put: [['org', 'approval/in_mac:ap-0', 9000, true, row]] });
  });
  await page.waitForFunction(([selector, left, top]) => {
    if (!document.querySelector(selector)) return false;
    document.elementFromPoint(left, top).click();
    return true;
  }, [card('in_mac:ap-0'), x, y]);
  assert.deepEqual(await decisions(page), []);
  await steady(page);
  await press(page, 'in_mac:ap-0', 'allow-once');
  assert.deepEqual((await decisions(page)).map(({ approvalId }) => approvalId), ['in_mac:ap-0']);
});

test('an answered card keeps its place while others wait, so that the next press hits what it aims at', async (t) => {
  const page = await approvals(t, 'approvals', '#/approvals');
  const before = await page.locator(button(OTHER, 'deny')).boundingBox();
  await press(page, SHORT, 'deny');
  await page.locator(card(SHORT, { state: 'resolved', outcome: 'denied' })).waitFor();
  await steady(page);
  const order = await page.locator(`${by('approvals-open')} ${by('approval-card')}`).evaluateAll((cards) => cards.map(({ dataset }) => dataset.approvalId));
  assert.deepEqual(order, [SHORT, LONG, OTHER]);
  await press(page, OTHER, 'deny');
  assert.deepEqual((await decisions(page)).map(({ approvalId }) => approvalId), [SHORT, OTHER]);
  assert.ok(before.y > 0);
});

test('changed content is shown, says so, and is answered as it is shown', async (t) => {
  const page = await approvals(t);
  await rewrite(page, SHORT, { command: 'rm -rf /' });
  await page.locator(card(SHORT)).filter({ hasText: 'This has changed' }).waitFor();
  await pressAnyhow(page, button(SHORT, 'allow-once'));
  assert.deepEqual(await decisions(page), []);
  await steady(page);
  await press(page, SHORT, 'deny');
  assert.deepEqual(await decisions(page), [{ approvalId: SHORT, rev: await page.evaluate(() => window.fake.posted.findLast(({ kind }) => kind === 'approval.decide').data.rev), decision: 'deny' }]);
});

const REFUSALS = [
  ['alreadyDecided', /Your answer did not count: Tom decided first/, 'decided'],
  ['changed', /This changed while your answer was on its way/, 'pending'],
  ['alreadyEnded', /Your answer came too late/, 'pending'],
  ['unavailable', /Not connected: your answer was not sent/, 'pending'],
];
for (const [code, words, state] of REFUSALS) {
  test(`an answer that is refused ${code} says why and what is true now`, async (t) => {
    const page = await approvals(t);
    await page.evaluate((wrong) => window.talk.fail(wrong), code);
    await press(page, SHORT, 'allow-once');
    await page.locator(card(SHORT, { state })).filter({ hasText: words }).waitFor();
    if (code === 'changed') assert.match(await page.locator(`${card(SHORT)} pre`).innerText(), /--now-with-more$/);
    if (state !== 'pending') return;
    await steady(page);
    await press(page, SHORT, 'deny');
    await page.locator(card(SHORT, { state: 'resolved', outcome: 'denied' })).waitFor();
  });
}

test('an approval whose time is over is flagged and not called anything else', async (t) => {
  const page = await approvals(t, 'overdue');
  assert.equal(await page.locator(card(SHORT)).getAttribute('data-overdue'), '');
  assert.equal(await page.locator(`${card(SHORT)} ${by('approval-left')}`).innerText(), 'Time is over');
  assert.equal(await page.locator(card(SHORT)).getAttribute('data-state'), 'pending');
});

test('what is decided is never shown as done', async (t) => {
  const page = await approvals(t, 'decided');
  await press(page, SHORT, 'allow-once');
  await page.locator(card(SHORT, { state: 'decided' })).filter({ hasText: 'Waiting for the gateway of Studio Mac' }).waitFor();
  assert.equal(await page.locator(card(SHORT)).getAttribute('data-outcome'), null);
});

test('without a connection, and for a viewer, the answers are off with words', async (t) => {
  const page = await approvals(t);
  await page.evaluate(() => window.fake.push({ connection: { phase: 'waiting', reason: 'offline', code: null, since: Date.now(), attempt: 1, nextRetryAt: null, roundTripMs: null } }));
  await page.locator(card(SHORT)).filter({ hasText: 'Not connected' }).waitFor();
  await pressAnyhow(page, button(SHORT, 'deny'));
  const viewer = await approvals(t, 'viewer');
  assert.match(await viewer.locator(card(SHORT)).innerText(), /You may watch: a member of this org has to answer/);
  await pressAnyhow(viewer, button(SHORT, 'allow-once'));
  assert.deepEqual([await decisions(page), await decisions(viewer)], [[], []]);
});

test('the keyboard answers the card that has it, and goes on to the next', async (t) => {
  const page = await approvals(t);
  await page.focus(by('composer-input'));
  await page.keyboard.type('ad');
  await page.locator(card(SHORT)).focus();
  await page.keyboard.press('d');
  assert.deepEqual((await decisions(page)).map(({ approvalId, decision }) => [approvalId, decision]), [[SHORT, 'deny']]);
  await page.locator(card(SHORT, { state: 'resolved' })).waitFor();
  await page.waitForFunction((id) => document.activeElement.dataset.approvalId === id, LONG);
});

test('a new approval is told to a screen reader once', async (t) => {
  const page = await approvals(t);
  await page.evaluate(() => {
    window.said = [];
    const region = document.querySelector('[data-testid=announcer]');
    new MutationObserver(() => region.textContent && window.said.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    const row = { instanceId: 'in_mac', agentId: 'in_mac:juno', conversationId: 'in_mac:juno', host: 'gateway', command: 'uptime', state: 'pending', allowedDecisions: ['deny'], requestedAt: new Date().toISOString() };
    for (const rev of [9000, 9001]) window.fake.push({ put: [['org', 'approval/in_mac:ap-9', rev, true, { ...row, warning: String(rev) }]] });
  });
  await page.waitForFunction(() => window.said.length > 0);
  await rewrite(page, 'in_mac:ap-9', { warning: 'again' });
  await page.waitForTimeout(450);
  assert.deepEqual(await page.evaluate(() => window.said), ['Juno asks to run a command: uptime']);
});

test('what was answered is told in its conversation and on the page of approvals', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  const record = page.locator(card('in_mac:ap-force', { state: 'resolved', outcome: 'denied' }));
  await record.waitFor();
  assert.match(await record.innerText(), /You denied it\. Nothing ran\./);
  await page.goto(`${page.url().split('#')[0]}#/approvals`);
  await page.locator(by('approvals-empty')).waitFor();
  const past = page.locator(`${by('approvals-past')} ${by('approval-card')}`);
  await past.nth(2).waitFor();
  assert.match((await past.allInnerTexts()).join(), /Tom allowed it once.*Nothing ran.*Nobody answered in time/s);
});

test('a phone shows a whole card without scrolling sideways, with room for a thumb', async (t) => {
  const page = await approvals(t, 'approvals', talk(ADA), PHONE);
  const heights = await page.locator(`${card(SHORT)} button:visible`).evaluateAll((buttons) => buttons.map((each) => each.getBoundingClientRect().height));
  assert.ok(heights.every((height) => height >= 44), String(heights));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
});
