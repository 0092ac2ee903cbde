// What an agent does: phases while it goes on, tool calls as rows, sub-agents under the run that began them.

import assert from 'node:assert/strict';
import { until } from '../harness/process.mjs';
import { ask, ran } from './approvals.mjs';
import { say, TURN_MS } from './say.mjs';

export const steps = {
  'a tool call is told while it goes on and is a row with its output when it has ended': async (world) => {
    const { owner, ann } = world;
    await owner.openConversation(world.main);
    await ann.openPage('approvals');
    const id = await ask(world, 'shown');
    await owner.part('run-phase').filter({ hasText: /exec|approval/ }).waitFor();
    await ann.answer(id, 'allow-once');
    await ran(world, 'shown');
    const row = owner.page.locator(`[data-testid="step-row"][data-approval-id="${id}"][data-status="completed"]`);
    await row.waitFor({ timeout: 30_000 });
    await row.locator('summary').click();
    assert.match(await row.locator('.step-output').textContent(), /shown\./);
    await world.idle();
    await world.shoot(owner, 'steps-desk');
    await ann.openConversation(world.main);
    await ann.page.locator(`[data-testid="step-row"][data-approval-id="${id}"]`).waitFor();
    await world.shoot(ann, 'steps-phone');
  },

  'a command that fails is a row with its exit code': async (world) => {
    const { owner, ann, watcher } = world;
    await ann.openPage('approvals');
    await owner.send(`RUN_EXEC:ls ${world.dir}/not-there`);
    const card = ann.part('approval-card', { state: 'pending' }).filter({ hasText: 'not-there' });
    await card.waitFor({ timeout: TURN_MS });
    const id = await card.getAttribute('data-approval-id');
    await ann.answer(id, 'allow-once');
    const step = await watcher.event('step.recorded', ({ data }) => data.approvalId === id);
    assert.equal(step.data.exitCode, 2);
    const row = owner.page.locator(`[data-testid="step-row"][data-approval-id="${id}"]`);
    await row.getByText('exit 2').first().waitFor();
    await world.idle();
  },

  'a sub-agent is shown under the run that began it': async (world) => {
    const { owner, watcher } = world;
    const known = await childRuns(owner);
    await say(owner, world.main, 'SPAWN:STREAM:5:30:helper');
    let runId;
    await owner.until('a new sub-agent', async () => (runId = (await childRuns(owner)).find((id) => !known.includes(id))), TURN_MS);
    await owner.part('child-run', { runId, state: 'completed' }).waitFor({ timeout: TURN_MS });
    const its = () => watcher.client.tasks().get().rows.find((each) => each.runId === runId);
    await until(its, { what: 'the task of the sub-agent' });
    assert.equal(its().taskKind, 'subagent');
    await world.idle();
  },
};

/** The sub-agent runs that the open conversation shows. */
function childRuns(page) {
  return page.part('child-run').evaluateAll((rows) => rows.map((row) => row.dataset.runId));
}
