// Stop: from any device, until the gateway says that it is over.

import assert from 'node:assert/strict';
import { ADMIN } from '../gateway-client.mjs';
import { by } from '../harness/browser.mjs';
import { until } from '../harness/process.mjs';
import { wordText } from '../model.mjs';
import { streaming } from '../spine/answers.mjs';
import { TURN_MS } from './say.mjs';

const HALF = 20;

export const stop = {
  'an answer that one person asked for is stopped by another on a phone': async (world) => {
    const { owner, ann, watcher } = world;
    const runId = await begin(world, 'phone');
    await stopButton(ann, runId).click();
    await stopped(world, runId, 'phone');
    assert.ok((await ann.states('run-row', runId)).includes('stopping'), 'who stops it sees that at once');
    await watcher.event('command.updated', ({ data }) => data.kind === 'run.abort' && data.runId === runId);
    await watcher.event('run.aborted', ({ effects }) => effects.some(({ entity }) => entity === `run/${runId}`));
    assert.deepEqual(watcher.kinds(`run/${runId}`), ['run.started', 'run.aborted']);
    await world.idle();
  },

  'after a reload too': async (world) => {
    const { owner } = world;
    const runId = await begin(world, 'reload');
    await owner.reload();
    await owner.openConversation(world.main);
    await stopButton(owner, runId).click();
    await stopped(world, runId, 'reload');
    await world.idle();
  },

  'two people at the same moment stop it once, and both are told that it is over': async (world) => {
    const { owner, ann, watcher } = world;
    const runId = await begin(world, 'twice');
    const buttons = await Promise.all([owner, ann].map((page) => stopButton(page, runId).elementHandle()));
    const at = Date.now() + 300;
    const press = (element, when) => new Promise((resolve) => setTimeout(() => resolve(element.click()), when - Date.now()));
    await Promise.all(buttons.map((button) => button.evaluate(press, at)));
    await stopped(world, runId, 'twice');
    await watcher.event('run.aborted', ({ effects }) => effects.some(({ entity }) => entity === `run/${runId}`));
    assert.deepEqual(watcher.kinds(`run/${runId}`), ['run.started', 'run.aborted']);
    const open = () => watcher.client.list('command').get().ids.map((id) => watcher.entity('command', id)).filter((each) => each.kind === 'run.abort' && ['accepted', 'received', 'started'].includes(each.stage));
    await until(() => open().length === 0, { what: 'every stop to be through' });
    await world.idle();
  },

  'a run that ended behind the back of the bridge does not run on here': async (world) => {
    const { owner, ann, bridge } = world;
    const runId = await begin(world, 'behind');
    await bridge.kill9();
    await world.ask('chat.abort', { sessionKey: 'agent:main:main' }, ADMIN);
    await world.idle();
    bridge.start();
    for (const page of [owner, ann]) {
      const ended = ['aborted', 'failed', 'completed'].map((state) => by('run-row', { runId, state })).join();
      await page.page.locator(ended).first().waitFor({ state: 'attached', timeout: 60_000 });
      await page.until('nothing is left to stop', async () => (await stopButton(page, runId).count()) === 0);
    }
  },
};

/** The button of a run that goes on. */
const stopButton = (page, runId) => page.part('run-row', { runId, state: 'running' }).getByRole('button', { name: /stop/i });

/** Asks for an answer that stops in its middle; gives its run once both see the half. */
async function begin(world, name) {
  const { owner, ann } = world;
  for (const page of [owner, ann]) await page.openConversation(world.main);
  await owner.send(`Please GATE:${name}:${2 * HALF}:${name}`);
  for (const page of [owner, ann]) await page.row('with half of the answer', streaming(wordText(HALF, name)), TURN_MS);
  return owner.part('run-row', { state: 'running' }).last().getAttribute('data-run-id');
}

async function stopped({ owner, ann }, runId, name) {
  for (const page of [owner, ann]) {
    await page.part('run-row', { runId, state: 'aborted' }).waitFor({ state: 'attached', timeout: 30_000 });
    const kept = await page.row('that keeps what was said', (row) => row.id === `${runId}:answer` && row.status === 'aborted');
    assert.ok(kept.text.startsWith(`${name}0 `));
  }
}
