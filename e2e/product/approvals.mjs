// Approvals: asked by a real agent, shown to everybody, answered once, ended by the gateway's own record.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN } from '../gateway-client.mjs';
import { by } from '../harness/browser.mjs';
import { until } from '../harness/process.mjs';
import { conversationOf } from '../harness/world.mjs';
import { say, TURN_MS } from './say.mjs';

/** The cards of the open approvals that are not open any more. */
const ENDED = ['.dock-list', '[data-testid="approvals-open"]'].map((list) => `${list} [data-testid="approval-card"]:not([data-state="pending"])`).join();

export const approvals = {
  'an agent asks, and everybody sees what it wants to run, where, and how long there is': async (world) => {
    const { owner, ann } = world;
    await owner.openConversation(world.main);
    await ann.openPage('approvals');
    const id = await ask(world, 'first');
    for (const page of [owner, ann]) {
      const card = page.part('approval-card', { approvalId: id });
      assert.equal(await card.locator('code').textContent(), commandOf(world, 'first'));
      assert.match(await card.textContent(), /Main Otter asks to run a command.*on gateway · laptop/s);
      assert.match(await card.locator(by('approval-left')).textContent(), /^\s*(29|30):\d\d left|\d+ min/);
      await page.part('approvals-badge', { count: 1 }).first().waitFor({ state: 'attached' });
    }
    assert.equal(runs(world, 'first'), 0, 'nothing runs before somebody answers');
    await world.shoot(owner, 'approval-desk');
    await world.shoot(ann, 'approval-phone');
  },

  'one click: it is decided, the command runs, everybody sees it resolved, its result is a step and the agent goes on': async (world) => {
    const { owner, ann, watcher } = world;
    const id = await asked(world, 'first');
    await owner.answer(id, 'allow-once');
    await resolved(world, id, 'allowed');
    await ran(world, 'first');
    await watcher.event('approval.resolved', about(id));
    assert.deepEqual(watcher.kinds(`approval/${id}`), ['approval.requested', 'approval.decided', 'approval.resolved']);
    for (const page of [owner, ann]) assert.deepEqual((await page.states('approval-card', id)).filter((state) => state !== 'decided'), ['pending', 'resolved']);
    assert.ok((await owner.states('approval-card', id)).includes('decided'), 'who decides sees it at once');
    const step = await watcher.event('step.recorded', ({ data }) => data.approvalId === id);
    assert.deepEqual([step.data.status, step.data.exitCode, step.data.name], ['completed', 0, 'exec']);
    const { runId } = await watcher.sees('approval', id, ({ state }) => state === 'resolved');
    await owner.row('with what the agent makes of the result', (row) => row.id === `${runId}:answer` && row.status === 'complete' && row.text.includes('finished.'));
    for (const page of [owner, ann]) await page.part('approvals-badge', { count: 0 }).first().waitFor({ state: 'attached' });
    await world.idle();
    assert.equal(runs(world, 'first'), 1, 'it ran once');
  },

  'denied on the phone: nothing runs': async (world) => {
    const { ann, watcher } = world;
    const id = await ask(world, 'denied');
    await ann.answer(id, 'deny');
    await resolved(world, id, 'denied');
    const step = await watcher.event('step.recorded', ({ data }) => data.approvalId === id);
    assert.equal(step.data.status, 'denied');
    await world.idle();
    assert.equal(runs(world, 'denied'), 0);
  },

  'two people at the same moment: one wins, the other is told who': async (world) => {
    const { owner, ann, watcher } = world;
    const id = await ask(world, 'both');
    // What has ended leaves the list a moment later, and what moves up then takes no press at once.
    for (const page of [owner, ann]) await page.until('what has ended is out of the way', async () => (await page.page.locator(ENDED).count()) === 0);
    for (const page of [owner, ann]) await page.still(page.part('approval-card', { approvalId: id }));
    const at = Date.now() + 400;
    await Promise.all([pressAt(owner, id, 'allow-once', at), pressAt(ann, id, 'deny', at)]);
    const decided = await watcher.event('approval.decided', about(id));
    const [winner, loser] = decided.data.by.name === 'Ann' ? [ann, owner] : [owner, ann];
    const told = loser.part('approval-card', { approvalId: id }).getByText(/your answer did not count|came too late/i);
    await told.waitFor();
    assert.match(await told.textContent(), new RegExp(`${decided.data.by.name} decided first|had ended before`));
    await resolved(world, id, winner === owner ? 'allowed' : 'denied');
    assert.equal(watcher.kinds(`approval/${id}`).filter((kind) => kind === 'approval.decided').length, 1);
    await world.idle();
    assert.equal(runs(world, 'both'), winner === owner ? 1 : 0);
  },

  'two that wait at once are answered in the other order, each for itself': async (world) => {
    const { owner, ann } = world;
    const earlier = await ask(world, 'earlier');
    const asking = conversationOf(world.instance, 'agent:researcher:main');
    await say(owner, asking, `RUN_EXEC:${commandOf(world, 'later')}`);
    const later = await waits(world, ann, 'later');
    await ann.page.waitForFunction(() => document.querySelectorAll('[data-testid="approval-card"][data-state="pending"]').length === 2);
    await ann.answer(later, 'allow-once');
    await ann.part('approval-card', { approvalId: later, state: 'resolved', outcome: 'allowed' }).waitFor({ state: 'attached' });
    await ran(world, 'later');
    assert.equal(await ann.part('approval-card', { approvalId: earlier }).getAttribute('data-state'), 'pending');
    assert.equal(runs(world, 'earlier'), 0);
    await ann.answer(earlier, 'deny');
    await resolved(world, earlier, 'denied');
    for (const session of ['agent:main:main', 'agent:researcher:main']) await world.idle(session);
    assert.deepEqual(['earlier', 'later'].map((name) => runs(world, name)), [0, 1]);
  },

  'an answer to something else than what is asked is refused, and the approval waits on': async (world) => {
    const { owner, ann } = world;
    const id = await ask(world, 'changed');
    const refusal = await owner.page.evaluate(async (approvalId) => {
      const { rev } = window.otter.approvals().get().rows.find((row) => row.id === approvalId);
      const { state, error } = await window.otter.decide({ id: approvalId, rev: rev - 1 }, 'allow-once').accepted;
      return { state, code: error?.code };
    }, id);
    assert.deepEqual(refusal, { state: 'refused', code: 'changed' });
    for (const page of [owner, ann]) await page.part('approval-card', { approvalId: id, state: 'pending' }).waitFor();
    await owner.part('approval-card', { approvalId: id }).getByText(/Look at it again/).waitFor();
    await ann.answer(id, 'allow-once');
    await resolved(world, id, 'allowed');
    await ran(world, 'changed');
    await world.idle();
  },

  'one that waits is there again after a kill -9 of the hub and of the bridge and a reload, and is answered once': async (world) => {
    const { owner, ann, hub, bridge, watcher } = world;
    const id = await ask(world, 'kept');
    await hub.kill9();
    for (const page of [owner, ann]) await page.until('the page knows', async () => (await page.phase()) !== 'online');
    await hub.start();
    for (const page of [owner, ann]) await page.online(40_000);
    await bridge.kill9();
    const { instance: instanceId } = world;
    await owner.part('instance-row', { instanceId, connection: 'offline' }).first().waitFor({ timeout: 60_000 });
    await ann.reload();
    await ann.openPage('approvals');
    await ann.part('approval-card', { approvalId: id, state: 'pending' }).waitFor();
    bridge.start();
    await owner.part('instance-row', { instanceId, connection: 'online', gateway: 'online' }).first().waitFor({ timeout: 60_000 });
    await owner.part('approval-card', { approvalId: id, state: 'pending' }).waitFor();
    await ann.answer(id, 'allow-once');
    await resolved(world, id, 'allowed');
    await ran(world, 'kept');
    // The watcher lost the hub, too, and comes back in its own time.
    await watcher.event('approval.resolved', about(id));
    assert.deepEqual([...new Set(watcher.kinds(`approval/${id}`))], ['approval.requested', 'approval.decided', 'approval.resolved']);
    await world.idle();
    assert.equal(runs(world, 'kept'), 1, 'it ran once');
  },

  'answered while the bridge is dead and the hub dies too: it reaches the gateway once': async (world) => {
    const { owner, hub, bridge } = world;
    const id = await ask(world, 'late');
    await bridge.kill9();
    await owner.answer(id, 'allow-once');
    await owner.part('approval-card', { approvalId: id, state: 'decided' }).waitFor();
    await world.watcher.event('approval.decided', about(id));
    await hub.kill9();
    await hub.start();
    await owner.online(40_000);
    assert.equal(runs(world, 'late'), 0);
    bridge.start();
    await resolved(world, id, 'allowed', 60_000);
    await ran(world, 'late');
    await world.idle();
    assert.equal(runs(world, 'late'), 1, 'it ran once');
  },

  'stopping the run that asks calls it off': async (world) => {
    const { owner, ann } = world;
    const id = await ask(world, 'stopped');
    await owner.part('run-row', { state: 'running' }).last().getByRole('button', { name: /stop/i }).click();
    await resolved(world, id, 'cancelled');
    await ann.part('approval-card', { approvalId: id }).getByText(/Called off/).waitFor();
    await world.idle();
    assert.equal(runs(world, 'stopped'), 0);
  },

  'answered at the gateway itself: it is resolved here, by somebody else': async (world) => {
    const { ann } = world;
    const id = await ask(world, 'elsewhere');
    await world.ask('exec.approval.resolve', { id: id.slice(world.instance.length + 1), decision: 'allow-once' }, ADMIN);
    await resolved(world, id, 'allowed');
    await ann.part('approval-card', { approvalId: id }).getByText(/outside of Otter/).waitFor();
    await ran(world, 'elsewhere');
    await world.idle();
  },

  'nobody answers in time: it ends as the gateway says': async (world) => {
    const { ann } = world;
    const request = { command: 'uname -a', host: 'gateway', agentId: 'main', sessionKey: 'agent:main:main', timeoutMs: 4000, twoPhase: true };
    const { id } = await world.ask('exec.approval.request', request, ADMIN);
    const approvalId = `${world.instance}:${id}`;
    await ann.part('approval-card', { approvalId, state: 'pending' }).waitFor();
    const shown = ['resolved', 'expired'].map((state) => by('approval-card', { approvalId, state })).join();
    await ann.page.locator(shown).waitFor({ timeout: 60_000 });
    const ended = await world.watcher.sees('approval', approvalId, ({ state }) => state !== 'pending');
    assert.notEqual(ended.outcome, 'allowed');
  },

  'the gateway is killed while one waits: it is called off, and nothing ran': async (world) => {
    const id = await ask(world, 'killed');
    await world.gateway.kill9();
    await world.gateway.start();
    await resolved(world, id, 'cancelled', 60_000);
    assert.equal(runs(world, 'killed'), 0);
    await world.idle();
  },
};

const about = (id) => ({ effects }) => effects?.some(({ entity }) => entity === `approval/${id}`);

/** A command that makes one more file each time it runs. */
const commandOf = ({ gateway }, name) => `mktemp ${join(gateway.dir, 'workspace', name)}.XXXXXX`;

/** How often the command of this name ran. */
function runs({ gateway }, name) {
  return readdirSync(join(gateway.dir, 'workspace')).filter((file) => file.startsWith(`${name}.`)).length;
}

/** Waits until the command of this name ran. */
export function ran(world, name) {
  return until(() => runs(world, name) > 0, { what: `the command ${name} to run` });
}

/** The owner asks for something that needs an approval; gives its id once both see it wait. */
export async function ask(world, name) {
  await world.owner.send(`RUN_EXEC:${commandOf(world, name)}`);
  return asked(world, name);
}

async function asked(world, name) {
  const [mine, theirs] = await Promise.all([world.owner, world.ann].map((page) => waits(world, page, name)));
  assert.equal(mine, theirs);
  return mine;
}

/** Waits until a page shows that the command of this name waits; gives the id of the approval. */
async function waits(world, page, name) {
  const card = page.part('approval-card', { state: 'pending' }).filter({ hasText: commandOf(world, name) });
  await card.waitFor({ timeout: TURN_MS });
  return card.getAttribute('data-approval-id');
}

/** Waits until both pages say what came of it. In a conversation the card leaves soon after; the page of all keeps it. */
async function resolved({ owner, ann }, approvalId, outcome, timeout = 30_000) {
  await ann.part('approval-card', { approvalId, state: 'resolved', outcome }).waitFor({ state: 'attached', timeout });
  await owner.until('the approval is resolved', async () => (await owner.states('approval-card', approvalId)).at(-1) === 'resolved', timeout);
}

function pressAt(page, approvalId, decision, at) {
  const press = (element, when) => new Promise((resolve) => setTimeout(() => resolve(element.click()), when - Date.now()));
  return page.part('approval-card', { approvalId }).locator(by(`approval-${decision}`)).evaluate(press, at);
}
