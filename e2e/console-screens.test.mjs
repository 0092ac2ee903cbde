// Pictures of the main states of the console, for people to look at: .cache/e2e/screens. Each state is light, dark and
// on a phone; none may scroll sideways or have text that is too pale to be read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { faintTexts, namelessControls } from './harness/contrast.mjs';
import { LOOKS, picture, previewRoom, push, say, talk } from './harness/preview.mjs';

const { open } = previewRoom();
const ADA = talk('in_mac:ada');

const seen = (selector) => (page) => page.locator(selector).first().waitFor();
const unfold = async (page) => {
  const work = page.locator(by('run-work', { runId: 'in_mac:r3' }));
  await work.locator(by('steps-fold')).click();
  await work.locator(by('step-row', { status: 'failed' })).locator('summary').click();
};
const refuse = async (page) => {
  await say(page, 'refuse this, please');
  await page.locator(by('message-row', { stage: 'refused' })).waitFor();
};
const writing = async (page) => {
  await push(page, { signals: [['conversation/in_mac:ada', 'typing', 'in_mac:ada/mb_tom', { memberId: 'mb_tom', name: 'Tom', active: true }]] });
  await page.locator(by('typing-line', { count: 1 })).waitFor();
};
const back = async (page) => {
  await page.locator(by('message-row')).first().waitFor();
  await page.evaluate(() => window.talk.fail('more'));
  await page.locator('.scroller').evaluate((box) => (box.scrollTop = 0));
  await page.locator('.history[data-error]').waitFor();
};
const decide = async (page) => {
  await page.locator(by('approval-card', { approvalId: 'in_mac:ap-1' })).locator(by('approval-allow-once')).click();
  await page.locator(by('approval-card', { state: 'decided' })).waitFor();
};
const always = (page) => page.locator(by('approval-card', { approvalId: 'in_mac:ap-1' })).locator(by('approval-always-choice')).click();

const hold = async (page) => {
  await page.locator('.stale').waitFor();
  await say(page, 'are you there?');
  await say(page, 'I can wait, and so can this longer sentence that goes over more than one line of the screen.');
  await page.locator(by('message-row', { stage: 'held' })).nth(1).waitFor();
};
const reset = async (page) => {
  await page.click(by('conversation-menu'));
  await page.click('text=Start the session anew…');
  await page.click(by('reset-confirm'));
  await page.locator(by('message-row', { kind: 'system' })).waitFor();
};
const unsent = async (page) => {
  await refuse(page);
  await page.evaluate((hash) => (location.hash = hash), talk('in_mac:mail'));
  await page.fill(by('composer-input'), 'half a thought\nand another half');
  await page.evaluate((hash) => (location.hash = hash), talk('in_mac:juno'));
  await page.locator(by('thread-empty')).waitFor();
  if (await page.locator('.back').isVisible()) await page.click('.back');
};
const press = (selector, then) => async (page) => {
  await page.locator(by('connection', { phase: 'online' })).waitFor();
  await page.click(selector);
  await page.locator(then).waitFor();
};
const help = async (page) => {
  await page.locator(by('message-row')).first().waitFor();
  await page.locator('main').focus();
  await page.keyboard.press('?');
  await page.locator('dialog').waitFor();
};

/** name, scene, place, what is done before the picture is taken */
const STATES = [
  ['talk-live', 'live', ADA, writing],
  ['talk-running', 'busy', ADA, seen(by('stop-button'))],
  ['talk-steps', 'busy', ADA, unfold],
  ['talk-refused', 'live', ADA, refuse],
  ['talk-held', 'held', ADA, hold],
  ['talk-reset', 'live', ADA, reset],
  ['talk-facts', 'live', ADA, press('[aria-label="Session facts"]:visible, [aria-label="Context of the session"]:visible', '.conversation-head')],
  ['talk-menu', 'live', ADA, press(by('conversation-menu'), '.menu')],
  ['list-unsent', 'live', ADA, unsent],
  ['switcher', 'live', ADA, press(by('open-switcher'), 'dialog')],
  ['people', 'live', ADA, press('.people', 'dialog, .menu')],
  ['help', 'live', ADA, help],
  ['add-machine', 'live', '#/fleet', press(by('fleet-add'), 'dialog')],
  ['talk-interrupted', 'live', talk('in_old:scout'), seen(by('run-row'))],
  ['talk-empty', 'live', talk('in_mac:juno'), seen(by('thread-empty'))],
  ['talk-loading', 'live', talk('in_mac:unknown'), seen(by('thread-empty'))],
  ['talk-stale', 'stale', ADA, seen('.stale')],
  ['talk-history-error', 'history', talk('in_mac:long'), back],
  ['approvals-in-talk', 'approvals', ADA, seen(by('approval-card'))],
  ['approvals-always', 'approvals', ADA, always],
  ['approvals-decided', 'decided', ADA, decide],
  ['approvals-overdue', 'overdue', ADA, seen('.approval[data-overdue]')],
  ['approvals-viewer', 'viewer', ADA, seen(by('approval-card'))],
  ['approvals-page', 'approvals', '#/approvals', seen(by('approval-card'))],
  ['approvals-none', 'live', '#/approvals', seen(by('approvals-empty'))],
  ['list', 'many', '#/', seen(by('conversation-row'))],
  ['list-folders', 'many', ADA, seen(by('message-row'))],
  ['tasks', 'live', '#/tasks', seen(by('task-card'))],
  ['task', 'live', '#/tasks/hub:t1', seen(by('task-dialog'))],
  ['feed', 'live', '#/feed', seen(by('feed-item', { read: true }))],
  ['feed-empty', 'empty', '#/feed', seen(by('feed-empty'))],
  ['fleet', 'live', '#/fleet', seen(by('fleet-card'))],
  ['fleet-stale', 'stale', '#/fleet', seen('.stale')],
  ['fleet-activity', 'live', '#/fleet/activity', seen(by('activity-row'))],
  ['fleet-pushes', 'live', '#/fleet/pushes', seen(by('repo-row'))],
  ['fleet-data', 'live', '#/fleet/data', seen(by('vendor-table'))],
  ['loading', 'loading', '#/', seen(by('connection'))],
  ['signed-out', 'signedout', '#/', seen(by('gate'))],
];

for (const [name, scene, place, act] of STATES) {
  test(`picture of ${name}`, async (t) => {
    for (const [look, options] of LOOKS) {
      const page = await open(t, scene, place, options);
      await act(page);
      await picture(page, `${name}-${look}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} ${look} scrolls sideways`);
      assert.deepEqual([await faintTexts(page), await namelessControls(page)], [[], []], `${name} ${look}`);
    }
  });
}
