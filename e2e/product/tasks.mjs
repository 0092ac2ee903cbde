// Tasks: those of the gateway move by themselves, those of people are written down, handed over and followed.

import assert from 'node:assert/strict';
import { say, TURN_MS } from './say.mjs';

export const tasks = {
  'a sub-agent is a task that moves on the board by itself': async (world) => {
    const { owner, ann, model, watcher } = world;
    for (const page of [owner, ann]) await page.openPage('tasks');
    await say(ann, world.main, 'SPAWN:GATE:child:10:child');
    const begun = await watcher.event('task.upserted', ({ data }) => data.taskKind === 'subagent', TURN_MS);
    const taskId = idOf(begun);
    for (const page of [owner, ann]) await inColumn(page, taskId, 'inProgress').waitFor({ state: 'attached' });
    await world.shoot(owner, 'tasks-desk');
    model.release('child');
    for (const page of [owner, ann]) {
      await inColumn(page, taskId, 'done').waitFor({ state: 'attached', timeout: TURN_MS });
      assert.deepEqual((await page.states('task-card', taskId)).filter((status) => status !== 'queued'), ['inProgress', 'done']);
    }
    await world.idle();
  },

  'a task is written down, changed, and handed to an agent that begins when it is idle': async (world) => {
    const { owner, ann, model, watcher } = world;
    await owner.part('task-new').click();
    await owner.part('task-dialog').locator('[data-testid="task-title"]').fill('GATE:labour:12:labour');
    await owner.part('task-save').click();
    const taskId = idOf(await watcher.event('task.upserted', ({ data }) => data.title === 'GATE:labour:12:labour'));
    for (const page of [owner, ann]) await inColumn(page, taskId, 'todo').waitFor({ state: 'attached' });
    await openTask(owner, taskId);
    await owner.part('task-description').fill('Twelve words.');
    await owner.part('task-save').click();
    await watcher.event('task.upserted', ({ data }) => data.description === 'Twelve words.');

    const { id } = await say(ann, world.main, 'GATE:busy:10:busy');
    await watcher.event('run.started', ({ effects }) => effects[0].entity === `run/${world.instance}:${id}`, TURN_MS);
    await handOver(owner, taskId, world.main);
    for (const page of [owner, ann]) await card(page, taskId, 'queued').waitFor({ state: 'attached' });
    await watcher.event('command.updated', ({ data, effects }) => data.stage === 'received' && effects[0].entity === `command/${watcher.entity('task', taskId).commandId}`);
    assert.equal(watcher.entity('task', taskId)?.status, 'queued', 'the agent is busy');
    model.release('busy');
    for (const page of [owner, ann]) await inColumn(page, taskId, 'inProgress').waitFor({ state: 'attached', timeout: TURN_MS });
    model.release('labour');
    for (const page of [owner, ann]) {
      await inColumn(page, taskId, 'done').waitFor({ state: 'attached', timeout: TURN_MS });
      assert.deepEqual(await page.states('task-card', taskId), ['todo', 'queued', 'inProgress', 'done']);
    }
    const { runId, conversationId, summary } = await watcher.sees('task', taskId, ({ status }) => status === 'done');
    assert.equal(conversationId, world.main);
    assert.match(summary, /^labour0 labour1 /);
    await watcher.sees('run', runId, ({ state }) => state === 'completed');
    await owner.part('task-dialog').getByRole('link', { name: /open/i }).click();
    await owner.row('of the work', (row) => row.id === `${runId}:answer` && row.text.startsWith('labour0 '));
  },

  'a kill -9 of the hub and of the bridge under a task: it is done once': async (world) => {
    const { owner, ann, hub, bridge, model, watcher } = world;
    await owner.openPage('tasks');
    const taskId = await create(owner, 'GATE:sturdy:20:sturdy');
    await owner.page.evaluate(([id, conversation]) => window.otter.command('task.dispatch', { taskId: id, conversationId: conversation }), [taskId, world.main]);
    await card(owner, taskId, 'inProgress').waitFor({ state: 'attached', timeout: TURN_MS });
    await hub.kill9();
    await bridge.kill9();
    model.release('sturdy');
    await world.idle();
    await hub.start();
    bridge.start();
    for (const page of [owner, ann]) {
      await page.online(40_000);
      await inColumn(page, taskId, 'done').waitFor({ state: 'attached', timeout: TURN_MS });
    }
    const answers = await world.answersAtGateway('agent:main:main');
    assert.equal(answers.filter((text) => text.startsWith('sturdy0 ')).length, 1);
    await watcher.sees('task', taskId, ({ summary }) => summary?.startsWith('sturdy0 '));
  },
};

const idOf = ({ effects }) => effects[0].entity.slice('task/'.length);
const card = (page, taskId, status) => page.part('task-card', { taskId, status });
const inColumn = (page, taskId, column) => page.part('task-column', { column }).locator(`[data-testid="task-card"][data-task-id="${taskId}"]`);

async function create(page, title) {
  return page.page.evaluate(async (words) => {
    const handle = window.otter.command('task.create', { title: words });
    await handle.accepted;
    return `hub:${handle.id}`;
  }, title);
}

async function openTask(page, taskId) {
  if ((await page.part('task-dialog').count()) > 0) await page.page.keyboard.press('Escape');
  await page.part('task-dialog').waitFor({ state: 'detached' });
  await page.part('task-card', { taskId }).click();
  await page.part('task-dialog').waitFor();
}

async function handOver(page, taskId, conversationId) {
  await openTask(page, taskId);
  await page.part('dispatch-conversation').selectOption(conversationId);
  await page.part('dispatch').click();
}
