// What a real gateway does beside conversations, as a member of the org sees it: approvals, tasks, jobs, feed items,
// resets and pings, with a kill -9 of the bridge and of the gateway under a task. No browser takes part.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ADMIN, connectTo, runJob } from './gateway-client.mjs';
import { Gateway } from './gateway.mjs';
import { Bridge, Hub } from './harness/hub.mjs';
import { Member } from './harness/member.mjs';
import { conversationOf } from './harness/world.mjs';
import { GREETING, RESUMED, startModel } from './model.mjs';

const MAIN = 'agent:main:main';
const world = {};

before(async () => {
  const dir = fileURLToPath(new URL('../.cache/e2e-bridge', import.meta.url));
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const model = await startModel();
  const gateway = await Gateway.create({ dir: join(dir, 'gateway'), modelUrl: model.url });
  const hub = await Hub.create({ dir });
  Object.assign(world, { dir, model, gateway, hub });
  await Promise.all([gateway.start(), hub.start()]);
  world.member = await Member.join(hub, await hub.setupLink());
  world.bridge = new Bridge({ dir, hub, gateway, token: hub.addInstance('laptop') });
  world.bridge.start();
  const { member } = world;
  world.instance = await member.sees('the gateway online', () => member.all('instance').find(({ gateway: link }) => link?.state === 'online')?.id);
  world.main = conversationOf(world.instance, MAIN);
  await member.sees('the conversation', () => member.entity(`conversation/${world.main}`));
  member.follow(world.main);
});

after(async () => {
  world.member?.close();
  await Promise.all([world.bridge?.stop(), world.hub?.stop(), world.gateway?.kill9()]);
  await world.model?.close();
});

const said = (text) => world.member.all('message').filter((message) => message.text?.includes(text));

test('a command waits for a decision, runs and is shown as a step', async () => {
  const { member, main } = world;
  await member.command('message.send', { conversationId: main, text: 'RUN_EXEC:echo otter-was-here' });
  const approval = await member.sees('the approval', () => member.all('approval').find(({ state }) => state === 'pending'));
  assert.equal(approval.command, 'echo otter-was-here');
  const rev = member.entities.get(`approval/${approval.id}`).rev;
  await member.command('approval.decide', { approvalId: approval.id, rev, decision: 'allow-once' });
  await member.sees('the end of the approval', () => member.entity(`approval/${approval.id}`).state === 'resolved');
  assert.equal(member.entity(`approval/${approval.id}`).outcome, 'allowed');
  const step = await member.sees('the step', () => member.all('step').find(({ name }) => name === 'exec'));
  assert.deepEqual([step.status, step.exitCode, step.approvalId], ['completed', 0, approval.id]);
  assert.match(step.outputHead, /otter-was-here/);
  await member.sees('the answer', () => said('finished.').length > 0);
});

test('a task waits for its session, is worked on and done', async () => {
  const { member, main, model, instance } = world;
  await member.command('message.send', { conversationId: main, text: 'GATE:busy:10' });
  await member.sees('the run that is in the way', () => member.all('run').some(({ state }) => state === 'running'));
  const created = await member.command('task.create', { title: 'STREAM:12:20:task', description: 'Twelve words.' });
  const task = `hub:${created}`;
  const command = await member.command('task.dispatch', { taskId: task, conversationId: main });
  await member.sees('that the bridge has the task', () => member.entity(`command/${command}`)?.stage === 'received');
  assert.equal(member.entity(`task/${task}`).status, 'queued');
  model.release('busy');
  await member.sees('the task in progress', () => member.entity(`task/${task}`).runId === `${instance}:${command}`);
  await member.sees('the task done', () => member.entity(`task/${task}`).status === 'done');
  assert.match(member.entity(`task/${task}`).summary, /^task0 task1 /);
  // What is in the conversation comes in a frame of its own.
  await member.sees('the end of its run', () => member.entity(`run/${instance}:${command}`)?.state === 'completed');
  const runs = member.events.filter(({ kind }) => kind === 'run.started' || kind === 'run.completed');
  const [ended, begun] = runs.slice(-3).map(({ kind, effects }) => `${kind} ${effects[0].entity}`);
  assert.match(ended, /^run.completed/, 'the session was idle');
  assert.equal(begun, `run.started run/${instance}:${command}`);
});

test('a task goes on when the bridge dies under it, and is stopped by its run', async () => {
  const { member, main, instance, bridge, model } = world;
  const created = await member.command('task.create', { title: 'GATE:killed:20:again' });
  const task = `hub:${created}`;
  const command = await member.command('task.dispatch', { taskId: task, conversationId: main });
  await member.sees('the task in progress', () => member.entity(`task/${task}`).status === 'inProgress');
  await bridge.kill9();
  model.release('killed');
  bridge.start();
  await member.sees('the task done', () => member.entity(`task/${task}`).status === 'done');
  await member.sees('what it said', () => said('again19').length === 1);

  const second = `hub:${await member.command('task.create', { title: 'GATE:stopped:20' })}`;
  const stopped = await member.command('task.dispatch', { taskId: second, conversationId: main });
  await member.sees('the task in progress', () => member.entity(`task/${second}`).status === 'inProgress');
  await member.command('run.abort', { conversationId: main, runId: `${instance}:${stopped}` });
  await member.sees('the task called off', () => member.entity(`task/${second}`).status === 'cancelled');
  assert.notEqual(command, stopped);
});

test('a sub-agent is a task of the gateway, and a job an activity', async () => {
  const { member, main, gateway } = world;
  await member.command('message.send', { conversationId: main, text: 'SPAWN:STREAM:5:30:child' });
  const task = await member.sees('the task of the sub-agent', () => member.all('task').find(({ taskKind }) => taskKind === 'subagent'));
  await member.sees('its end', () => member.entity(`task/${task.id}`).status === 'done');
  const { conversationId, runId, origin } = member.entity(`task/${task.id}`);
  assert.equal(origin, 'gateway');
  member.follow(conversationId);
  const run = await member.sees('its run', () => member.entity(`run/${runId}`));
  assert.ok(run.parentRunId, 'it hangs under the run that began it');

  await runJob(gateway, 'morning-report', 'hello');
  const activity = await member.sees('the activity', () => member.all('activity')[0]);
  assert.deepEqual([activity.title, activity.category, activity.status, activity.detail], ['morning-report', 'cron', 'completed', GREETING]);
});

test('an agent pushes items of every category, each once over restarts', async () => {
  const { member, main, bridge } = world;
  const titles = { email: 'Invoice due', market: 'OTTR rises', social: 'We are live', alert: 'Disk full', custom: 'A note' };
  for (const [category, title] of Object.entries(titles)) {
    await member.command('message.send', { conversationId: main, text: `FEED:${category}:${title}` });
    const item = await member.sees(title, () => member.all('feedItem').find((one) => one.title === title));
    assert.equal(item.category, category);
  }
  await bridge.kill9();
  const gateway = await connectTo(world.gateway);
  await gateway.call('otter.feed.push', { category: 'alert', title: 'while nobody listened', severity: 'warning' });
  gateway.close();
  bridge.start();
  await member.sees('what was pushed meanwhile', () => member.all('feedItem').find(({ title }) => title === 'while nobody listened'));
  const added = member.events.filter(({ kind }) => kind === 'feed.itemAdded').map(({ data }) => data.title);
  assert.deepEqual(added, [...Object.values(titles), 'while nobody listened']);
});

test('what another process of the machine pushes is seen at once', async () => {
  const { member, gateway } = world;
  const store = new URL('../otter-client-native/openclaw-plugin/store.js', import.meta.url).href;
  const path = join(gateway.dir, 'state', 'otter', 'feed.jsonl');
  const item = { id: randomUUID(), ts: Date.now(), category: 'alert', title: 'from the command line' };
  const code = `import { Store } from '${store}'; new Store(${JSON.stringify(path)}).push(${JSON.stringify(item)});`;
  execFileSync(process.execPath, ['--input-type=module', '-e', code]);
  await member.sees('the item', () => member.all('feedItem').find(({ title }) => title === item.title));
});

test('a night of talk without the bridge is read to its beginning', async () => {
  const { member, main, bridge } = world;
  await bridge.kill9();
  const gateway = await connectTo(world.gateway, () => {}, ADMIN);
  const notes = Array.from({ length: 260 }, (_, i) => `night ${i}.`);
  for (const message of notes) await gateway.call('chat.inject', { sessionKey: MAIN, message });
  gateway.close();
  bridge.start();
  const told = () => member.events.filter(({ kind, data }) => kind === 'message.created' && data.text?.startsWith('night '));
  await member.sees('the last note', () => told().some(({ data }) => data.text === notes.at(-1)));
  assert.deepEqual(told().map(({ data }) => data.text), notes);
  await member.sees('its head', () => member.entity(`conversation/${main}`).lastMessage?.head === notes.at(-1));
});

test('a ping is answered, and a reset empties the session but not the conversation', async () => {
  const { member, main, instance } = world;
  const ping = await member.command('agent.ping', { agentId: `${instance}:main` });
  assert.equal((await member.ended(ping)).stage, 'completed');
  const before = { messages: member.all('message').length, session: member.entity(`session/${main}`) };
  assert.ok(before.session.contextUsed.value > 0);
  const reset = await member.command('session.reset', { conversationId: main });
  const end = await member.ended(reset);
  assert.equal(end.stage, 'completed', JSON.stringify(end));
  const stages = member.events.filter(({ subject, effects }) => effects?.some(({ entity }) => entity === `command/${reset}`)).map(({ data }) => data.stage);
  assert.deepEqual(stages, ['accepted', 'received', 'started', 'completed']);
  await member.sees('the mark', () => said('The session was reset').length === 1);
  await member.sees('the empty context', () => !member.entity(`session/${main}`).contextUsed?.value);
  assert.ok(member.entity(`conversation/${main}`), 'the conversation keeps its id');
  assert.ok(member.all('message').length >= Math.min(before.messages, 50), 'nothing is taken away');
});

test('a compaction is noticed, also one that is asked for in the chat', async () => {
  const { member, main } = world;
  // The model makes the summary, too: nothing that was said may hold one of its keywords.
  await member.command('message.send', { conversationId: main, text: 'hello again' });
  await member.sees('the context in use', () => member.entity(`session/${main}`).contextUsed?.value > 0);
  await member.command('message.send', { conversationId: main, text: '/compact' });
  await member.sees('the mark', () => said('The context was compacted').length === 1);
  await member.sees('the compaction', () => member.events.some(({ kind }) => kind === 'session.compacted'));
});

test('the bridge says that it is alive, what waits in it and what its gateway lets it do', async () => {
  const { member, instance, bridge } = world;
  const beat = await member.sees('a heartbeat', () => member.signals.findLast(({ kind, data }) => kind === 'instance.heartbeat' && data.outbox));
  assert.deepEqual([beat.data.instanceId, typeof beat.data.outbox.pending, beat.data.outbox.dead], [instance, 'number', 0]);
  const { bridge: program, gateway: link, connection } = member.entity(`instance/${instance}`);
  assert.deepEqual([program.name, connection, link.state, link.version], ['otter-bridge', 'online', 'online', '2026.9.6']);
  const report = bridge.doctor();
  assert.match(report, /ok {3}approvals +the bridge sees every approval/);
  assert.match(report, /ok {3}feed +agents can push items/);
});

test('a task that goes down with the gateway is carried on by the turn that it takes up', async () => {
  const { member, main, gateway, instance } = world;
  const task = `hub:${await member.command('task.create', { title: 'GATE:lost:20:lost' })}`;
  await member.command('task.dispatch', { taskId: task, conversationId: main });
  await member.sees('the task in progress', () => member.entity(`task/${task}`).status === 'inProgress');
  await member.sees('its words', () => member.signals.some(({ kind, data }) => kind === 'message.delta' && data.text.includes('lost3')));
  await gateway.kill9();
  await member.sees('that the gateway is away', () => member.entity(`instance/${instance}`).gateway.state !== 'online');
  const ping = await member.ended(await member.command('agent.ping', { agentId: `${instance}:main` }));
  assert.deepEqual([ping.stage, ping.error.code], ['failed', 'gatewayOffline']);
  await gateway.start();
  await member.sees('the task done', () => member.entity(`task/${task}`).status === 'done', 240_000);
  const statuses = member.events.filter(({ effects }) => effects?.some(({ entity }) => entity === `task/${task}`)).map(({ data }) => data.status);
  // Whether the loss is told first depends on who is faster.
  assert.deepEqual([...statuses.slice(0, 3), statuses.at(-1)], ['todo', 'queued', 'inProgress', 'done']);
  assert.equal(member.entity(`task/${task}`).summary, RESUMED);
});
