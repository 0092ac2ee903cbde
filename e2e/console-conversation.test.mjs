// A conversation as a person lives in it: what agents do, stopping them, writing, and the head of the conversation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { DESKTOP, PHONE, asked, picture, previewRoom, push, say, talk } from './harness/preview.mjs';
import { faults } from './harness/recorder.mjs';

const { open } = previewRoom();
const ADA = 'in_mac:ada';
const MAIL = 'in_mac:mail';
const RUN = 'in_mac:run-busy';
const INPUT = by('composer-input');
const STOP = by('stop-button', { runId: RUN });

const stops = (page) => asked(page, 'run.abort');

/** Keeps the height of an element in each frame, as it was painted. */
function paintedHeights(selector) {
  window.heights = [];
  const { port1, port2 } = new MessageChannel();
  // What came between the frame and its message is not on the screen yet.
  let painted;
  port1.onmessage = () => painted?.isConnected && window.heights.push(painted.clientHeight);
  const look = () => {
    painted = document.querySelector(selector);
    port2.postMessage(null);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function busy(t) {
  const page = await open(t, 'busy', talk(ADA));
  await page.locator(by('run-row', { runId: RUN, state: 'running' })).waitFor();
  return page;
}

test('what a run did is folded to a line that says what failed, and unfolds to its steps', async (t) => {
  const page = await busy(t);
  const work = page.locator(by('run-work', { runId: 'in_mac:r3' }));
  const fold = work.locator(by('steps-fold'));
  assert.match(await fold.innerText(), /^5 steps, 1 failed, 1 approval, 1 sub-agent\s+2:08$/);
  assert.equal(await work.locator(by('step-row')).count(), 0);
  await fold.click();
  assert.equal(await work.locator(by('step-row')).count(), 5);
  const failed = work.locator(by('step-row', { status: 'failed' }));
  assert.deepEqual((await failed.locator('summary').innerText()).split(/\s*\n\s*/).filter(Boolean).map((part) => part.trim()), ['failed:', 'exec', 'cargo test -p otter-proto', 'exit 101', '41 s']);
  assert.equal(await failed.locator('pre').isVisible(), false);
  await failed.locator('summary').click();
  assert.match(await failed.locator('pre').innerText(), /^running 131 tests\ntest state::tests::a_merge/);
  assert.match(await failed.innerText(), /exit code 101 · the output went on/);
  await fold.click();
  assert.equal(await work.locator(by('step-row')).count(), 0);
});

test('a run of a sub-agent is told under the run that began it, with the way to its conversation', async (t) => {
  const page = await busy(t);
  await page.locator(by('run-work', { runId: 'in_mac:r3' })).locator(by('steps-fold')).click();
  const child = page.locator(by('child-run', { runId: 'in_mac:c1', state: 'completed' }));
  assert.match((await child.innerText()).replace(/\s+/g, ' '), /second pair of eyes has finished 19 s/);
  await child.locator('a').click();
  await page.locator('[data-open-conversation="in_mac:child"]').waitFor();
  await page.locator(by('message-row', { messageId: 'in_mac:c1:answer' })).waitFor();
});

test('steps come in while a run goes on, in their place, and what it does at the moment is shown', async (t) => {
  const page = await busy(t);
  assert.equal(await page.locator(by('run-phase')).innerText(), 'exec · cargo test -p otter-proto');
  const step = (n, change = {}) => [`conversation/${ADA}`, `step/${RUN}:s${n}`, 9000 + n, true, { conversationId: ADA, runId: RUN, name: 'exec', title: `command ${n}`, status: 'completed', exitCode: 0, startedAt: new Date(Date.now() + n).toISOString(), durationMs: 5, ...change }];
  await push(page, { put: [step(1), step(2)], signals: [[`conversation/${ADA}`, 'run.progress', RUN, { runId: RUN, phase: 'tool', tool: 'read', title: 'README.md' }]] });
  const work = page.locator(by('run-work', { runId: RUN }));
  await work.locator(by('step-row')).nth(1).waitFor();
  assert.equal(await page.locator(by('run-phase')).innerText(), 'read · README.md');
  assert.equal(await work.evaluate((element) => element.nextElementSibling.dataset.messageId), `${RUN}:answer`);
  await push(page, { put: Array.from({ length: 18 }, (_, n) => step(n + 3, n === 4 ? { status: 'failed', exitCode: 1 } : {})) });
  await work.locator(by('steps-fold')).waitFor();
  assert.match(await work.locator(by('steps-fold')).innerText(), /^14 earlier of 20 steps, 1 failed/);
  assert.equal(await work.locator(by('step-row')).count(), 6);
  await work.locator(by('steps-fold')).click();
  assert.equal(await work.locator(by('step-row')).count(), 20);
});

test('each way a run can end is told', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  const words = (id) => page.locator(by('run-row', { runId: id })).innerText();
  assert.match(await words('in_mac:r2'), /Failed: the model provider answered 529, overloaded/);
  await page.evaluate((hash) => (location.hash = hash), talk(MAIL));
  await page.locator(by('run-row', { runId: 'in_mac:n2' })).waitFor();
  assert.match(await words('in_mac:n2'), /^Ended without an answer/);
  await page.evaluate((hash) => (location.hash = hash), talk('in_old:scout'));
  await page.locator(by('run-row', { runId: 'in_old:x' })).waitFor();
  assert.match(await words('in_old:x'), /^Interrupted: the gateway restarted in the middle of this run/);
});

test('a run that somebody else stops is stopping here too, until the gateway has ended it', async (t) => {
  const page = await busy(t);
  await push(page, { put: [['org', 'command/cm_tom', 9000, true, { kind: 'run.abort', stage: 'received', runId: RUN, conversationId: ADA, issuedAt: new Date().toISOString() }]] });
  await page.locator(by('stop-button', { stopping: 'true' })).waitFor();
  assert.equal(await page.locator(STOP).isDisabled(), true);
  await push(page, { put: [['org', 'command/cm_tom', 9001, true, { kind: 'run.abort', stage: 'completed', runId: RUN, conversationId: ADA, issuedAt: new Date().toISOString() }]] });
  assert.equal(await page.locator(STOP).getAttribute('data-stopping'), 'true');
  const now = new Date().toISOString();
  await push(page, { put: [[`conversation/${ADA}`, `run/${RUN}`, 9002, true, { conversationId: ADA, agentId: ADA, state: 'aborted', startedAt: now, endedAt: now }]] });
  await page.locator(by('run-row', { runId: RUN, state: 'aborted' })).waitFor();
  assert.equal(await page.locator(STOP).count(), 0);
});

test('a stop that failed says why and can be tried again', async (t) => {
  const page = await busy(t);
  await push(page, { put: [['org', 'command/cm_1', 9000, true, { kind: 'run.abort', stage: 'failed', runId: RUN, conversationId: ADA, issuedAt: new Date().toISOString(), error: { code: 'gateway', message: 'the gateway did not answer' } }]] });
  await page.locator(by('run-row', { runId: RUN })).filter({ hasText: 'Could not stop: the gateway did not answer' }).waitFor();
  await page.click(STOP);
  await page.locator(by('stop-button', { stopping: 'true' })).waitFor();
  assert.deepEqual(await stops(page), [{ runId: RUN, conversationId: ADA }]);
});

test('Escape twice stops, once only says so', async (t) => {
  const page = await busy(t);
  await page.focus(INPUT);
  await page.keyboard.press('Escape');
  await page.locator(STOP).filter({ hasText: 'Esc again stops' }).waitFor();
  await page.locator(STOP).filter({ hasText: /^Stop$/ }).waitFor();
  assert.deepEqual(await stops(page), []);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.locator(by('stop-button', { stopping: 'true' })).waitFor();
  assert.deepEqual(await stops(page), [{ runId: RUN, conversationId: ADA }]);
});

test('who joins in the middle of an answer sees all of it so far, and a run that ended unseen is over', async (t) => {
  const page = await busy(t);
  const frames = await page.evaluate(() => window.otterRecorder.take());
  const first = frames.flatMap(({ rows }) => rows).find(({ id }) => id === `${RUN}:answer`);
  assert.match(first.text, /^All 214 tests pass\. The one failure/);
  // The page hears of the end by entities alone, without any signal.
  const now = new Date().toISOString();
  await push(page, { put: [[`conversation/${ADA}`, `run/${RUN}`, 9002, true, { conversationId: ADA, agentId: ADA, state: 'completed', startedAt: now, endedAt: now }], ['org', `conversation/${ADA}`, 9003, true, { instanceId: 'in_mac', agentId: ADA, title: 'Release 0.4', messageCount: 12 }]] });
  await page.locator(by('run-row', { runId: RUN, state: 'completed' })).waitFor({ state: 'attached' });
  assert.equal(await page.locator(STOP).count(), 0);
  assert.equal(await page.locator('.conversation').getAttribute('data-running'), null);
});

test('the same words twice are two messages, each shown once in every painted frame', async (t) => {
  const page = await open(t, 'live', talk(MAIL));
  await page.locator(by('message-row')).first().waitFor();
  await page.evaluate(() => window.otterRecorder.take());
  for (let n = 0; n < 2; n += 1) {
    await page.fill(INPUT, 'continue');
    await page.keyboard.press('Enter');
  }
  await page.waitForFunction(() => [...document.querySelectorAll('[data-own][data-delivery=delivered]')].filter((row) => row.querySelector('[data-testid=message-text]').textContent === 'continue').length === 2);
  const found = faults(await page.evaluate(() => window.otterRecorder.take())).filter((fault) => !fault.includes('is not continued'));
  assert.deepEqual(found, []);
});

test('people who write are named, and others hear of this person only while they write', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  const line = page.locator(by('typing-line'));
  const before = await line.boundingBox();
  await push(page, { signals: [[`conversation/${ADA}`, 'typing', `${ADA}/mb_tom`, { memberId: 'mb_tom', name: 'Tom', active: true }]] });
  await line.filter({ hasText: 'Tom is writing' }).waitFor();
  assert.deepEqual(await line.boundingBox(), before);
  await page.focus(INPUT);
  await page.keyboard.type('hello');
  const typing = () => page.evaluate(() => window.fake.posted.filter(({ t: type, kind }) => type === 'signal' && kind === 'typing').map(({ data }) => data.active));
  assert.deepEqual(await typing(), [true]);
  await page.keyboard.press('Enter');
  assert.deepEqual(await typing(), [true, false]);
});

test('the composer sends with Enter, breaks lines with Shift and Enter', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.focus(INPUT);
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  assert.deepEqual(await asked(page, 'message.send'), [{ conversationId: ADA, text: 'one\ntwo' }]);
});

test('the composer says from where on others see the beginning of a text, and sends none that the hub would refuse', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  const hint = () => page.textContent('.composer-hint');
  await page.fill(INPUT, 'a'.repeat(31 << 10));
  assert.equal(await hint(), '');
  await page.fill(INPUT, 'ä'.repeat(33 << 9));
  assert.equal(await hint(), 'A long text: 33 KB. Everybody sees its beginning, the whole after a click.');
  // A quote is two bytes in what the hub keeps.
  await page.fill(INPUT, '"'.repeat(17 << 10));
  assert.match(await hint(), /^A long text: 17 KB\./);
  await page.fill(INPUT, 'ä'.repeat(100 << 10));
  assert.match(await hint(), /^A long text: 200 KB\./);
  assert.equal(await page.isDisabled(by('composer-send')), false);
  await page.focus(INPUT);
  await page.keyboard.press('End');
  await page.keyboard.type('!');
  assert.equal(await hint(), 'Too long: 200.1 of 200 KB. It stays here.');
  assert.equal(await page.isDisabled(by('composer-send')), true);
  assert.equal(await page.getAttribute(INPUT, 'aria-invalid'), 'true');
  await page.locator(by('announcer')).filter({ hasText: 'Too long: 200.1 of 200 KB' }).waitFor({ state: 'attached' });
  await picture(page, 'composer-too-long');
  await page.keyboard.press('Enter');
  assert.deepEqual(await asked(page, 'message.send'), []);
  assert.equal((await page.inputValue(INPUT)).length, (100 << 10) + 1);
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Enter');
  assert.deepEqual((await asked(page, 'message.send')).map(({ text }) => text.length), [100 << 10]);
});

test('a viewer may not write, and is told why', async (t) => {
  const page = await open(t, 'viewer', talk(ADA));
  await page.locator('.composer-hint').filter({ hasText: 'your role is viewer' }).waitFor();
  assert.equal(await page.isDisabled(INPUT), true);
});

test('a conversation is renamed in place; its session is started anew after a question', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.click(by('conversation-title'));
  await page.fill(by('conversation-title-input'), 'Release 0.5');
  await page.keyboard.press('Escape');
  assert.equal(await page.innerText('h1'), 'Release 0.4');
  await page.click(by('conversation-title'));
  await page.fill(by('conversation-title-input'), 'Release 0.5');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('h1').innerText === 'Release 0.5');
  assert.deepEqual(await asked(page, 'conversation.update'), [{ conversationId: ADA, title: 'Release 0.5' }]);
  await page.click(by('conversation-menu'));
  await page.click('text=Start the session anew…');
  assert.deepEqual(await asked(page, 'session.reset'), []);
  await page.click(by('reset-confirm'));
  await page.locator(by('notice')).filter({ hasText: 'The session was started anew' }).waitFor();
  assert.deepEqual(await asked(page, 'session.reset'), [{ conversationId: ADA }]);
});

test('a title that is too long stays where it is written until it fits', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  const TITLE = by('conversation-title-input');
  const height = () => page.locator('.conversation-head').evaluate((head) => head.offsetHeight);
  const before = await height();
  await page.click(by('conversation-title'));
  await page.fill(TITLE, '🦦'.repeat(201));
  await page.locator('.name-left').filter({ hasText: 'Too long: 201 of 200' }).waitFor();
  assert.equal(await height(), before);
  await page.keyboard.press('Enter');
  await page.focus(INPUT);
  assert.equal(await page.inputValue(TITLE), '🦦'.repeat(201));
  assert.deepEqual(await asked(page, 'conversation.update'), []);
  await page.fill(TITLE, '🦦'.repeat(200));
  await page.keyboard.press('Enter');
  await page.locator(TITLE).waitFor({ state: 'hidden' });
  assert.deepEqual(await asked(page, 'conversation.update'), [{ conversationId: ADA, title: '🦦'.repeat(200) }]);
});

test('a title that somebody else changes meanwhile is not taken back by who only looked at it', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.click(by('conversation-title'));
  await page.evaluate((id) => window.fake.push({ put: [window.acts.merge(`conversation/${id}`, { title: 'Release 0.6' })] }), ADA);
  await page.waitForFunction(() => document.querySelector('h1').textContent === 'Release 0.6');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('h1').innerText === 'Release 0.6');
  assert.deepEqual(await asked(page, 'conversation.update'), []);
});

test('a session that was started anew is told by a line in the same conversation, whose messages stay', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.locator(by('session-context', { used: 118_400 })).waitFor();
  const before = await page.locator(by('message-row')).evaluateAll((rows) => rows.map(({ dataset }) => dataset.messageId));
  await page.click(by('conversation-menu'));
  await page.click('text=Start the session anew…');
  await page.click(by('reset-confirm'));
  const line = page.locator(by('message-row', { kind: 'system' }));
  await line.waitFor();
  assert.equal(await line.innerText(), 'The session was reset: the agent starts over without what was said before.');
  const after = await page.locator(by('message-row')).evaluateAll((rows) => rows.map(({ dataset }) => dataset.messageId));
  assert.deepEqual([after.slice(0, -1), after.at(-1).startsWith('in_mac:reset-')], [before, true]);
  // Nothing is known of the new context yet, and that is not 0.
  await page.locator(`${by('session-context')}:not([data-used])`).filter({ hasText: 'unknown of 200k' }).waitFor();
  assert.equal(await page.locator('[data-open-conversation]').getAttribute('data-open-conversation'), ADA);
  await say(page, 'Hello again');
  await page.locator(by('message-row', { delivery: 'delivered' })).filter({ hasText: 'Hello again' }).waitFor();
  assert.deepEqual(await asked(page, 'message.send'), [{ conversationId: ADA, text: 'Hello again' }]);
});

test('a draft of several lines has its height from the first frame, also on a phone', async (t) => {
  for (const device of [DESKTOP, PHONE]) {
    const page = await open(t, 'live', talk(MAIL), device);
    await page.fill(INPUT, 'one\ntwo\nthree\nfour');
    const height = await page.locator(INPUT).evaluate((input) => input.clientHeight);
    assert.ok(height > 80);
    await page.evaluate((hash) => (location.hash = hash), talk(ADA));
    await page.locator(`[data-open-conversation="${ADA}"]`).waitFor();
    await page.evaluate(paintedHeights, `[data-open-conversation="${MAIL}"] ${INPUT}`);
    await page.evaluate((hash) => (location.hash = hash), talk(MAIL));
    await page.waitForFunction(() => window.heights.length > 5);
    assert.equal(await page.inputValue(INPUT), 'one\ntwo\nthree\nfour');
    assert.deepEqual(await page.evaluate(() => [...new Set(window.heights)]), [height]);
  }
});

test('writing several lines keeps the newest message in sight', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.locator(by('message-row')).first().waitFor();
  await page.focus(INPUT);
  for (let n = 0; n < 6; n += 1) {
    await page.keyboard.type('a line');
    await page.keyboard.press('Shift+Enter');
  }
  const end = () => page.evaluate(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.scroller');
    return [scrollHeight - scrollTop - clientHeight < 3, document.querySelector('[data-testid=to-newest]').hidden];
  });
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.deepEqual(await end(), [true, true]);
});

test('code is copied as it was written', async (t) => {
  const page = await open(t, 'live', talk(ADA));
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('.code-block').hover();
  await page.locator('.code-block .copy').click();
  await page.locator('.code-block .copy[data-copied=yes]').waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^#\[test\]\nfn a_merge[^]*\n}$/);
});

test('a conversation that may not be read says so', async (t) => {
  const page = await open(t, 'live', talk('in_mac:secret'));
  await page.locator(by('thread-empty')).filter({ hasText: 'Loading the conversation' }).waitFor();
  await push(page, { scopes: { 'conversation/in_mac:secret': { phase: 'denied', reason: 'this conversation is not of your org' } } });
  await page.locator(by('thread-empty')).filter({ hasText: 'this conversation is not of your org' }).waitFor();
  assert.equal(await page.isDisabled(INPUT), true);
});
