import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test as run } from 'node:test';
import { createHold, QUEUEABLE } from '../hold.js';
import { createClient } from '../index.node.js';
import { C, accepted, createFakeHub, refused, welcome } from './fake-hub.js';

const test = (name, fn) => run(name, { timeout: 20_000 }, fn);
const wait = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const HOUR_MS = 3_600_000;
const ADA = { org: 'org_1', id: 'mb_1' };

async function until(check, what) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (check()) return;
    await wait(10);
  }
  assert.fail(`never: ${what}`);
}

/** `localStorage` as a browser has it: its own keys are what is stored. */
function createStorage() {
  const storage = {};
  const hidden = (name, value) => Object.defineProperty(storage, name, { value });
  hidden('getItem', (key) => (key in storage ? storage[key] : null));
  hidden('setItem', (key, value) => void (storage[key] = String(value)));
  hidden('removeItem', (key) => void delete storage[key]);
  return storage;
}

/** A page that opens a conversation. */
async function page(t, storage) {
  const hub = createFakeHub();
  const client = createClient({ url: 'http://hub.test/ws', WebSocket: hub.WebSocket, storage });
  t.after(client.close);
  client.messages(C).subscribe(() => {});
  await until(() => hub.sockets.length === 1, 'a socket');
  return { hub, client, rows: () => client.messages(C).get().rows.map(({ text, local }) => [text, local?.stage]) };
}

/** An earlier page asked for something that was refused. */
async function refusedBefore(t, storage) {
  const before = await page(t, storage);
  before.hub.last().greet();
  await until(() => before.client.connection.get().phase === 'online', 'a connection');
  const typed = before.client.command('message.send', { conversationId: C, text: 'my words' });
  before.hub.last().say(refused(typed.id, 'no'));
  await typed.accepted;
  before.client.close();
  return typed;
}

test('what may wait in a browser is what the catalogue says', async () => {
  const { commands } = JSON.parse(await readFile(new URL('../../../schemas/v1/catalogue.json', import.meta.url), 'utf8'));
  assert.deepEqual([...QUEUEABLE].sort(), commands.filter((row) => row.offlineQueueable).map((row) => row.command).sort());
});

test('what was typed offline is sent once after a reload, under its id, and shown meanwhile', async (t) => {
  const storage = createStorage();
  const before = await page(t, storage);
  before.hub.last().greet();
  await until(() => before.client.connection.get().phase === 'online', 'a connection');
  before.hub.last().cut();
  const typed = before.client.command('message.send', { conversationId: C, text: 'typed offline' });
  before.client.close();
  assert.equal(Object.keys(storage).length, 1);

  const after = await page(t, storage);
  after.hub.last().greet();
  await until(() => after.rows().length === 2, 'the row');
  assert.deepEqual(after.rows(), [['Hello', undefined], ['typed offline', 'sent']]);
  assert.deepEqual(after.client.commands().get().map(({ id, data }) => [id, data.text]), [[typed.id, 'typed offline']]);
  assert.deepEqual(after.hub.last().take('command').map(({ id }) => id), [typed.id]);
  after.hub.last().say(accepted(typed.id, { org: 12 }));
  await until(() => Object.keys(storage).length === 0, 'the end of what was kept');
});

test('two pages that find the same command send it under one id', async (t) => {
  const storage = createStorage();
  const hold = createHold(() => storage, () => 'ws://hub.test/ws');
  hold.introduce(ADA);
  hold.put({ id: '01a216ee-5bab-7000-8000-000000000001', kind: 'message.send', data: { conversationId: C, text: 'once' } });
  const pages = [await page(t, storage), await page(t, storage)];
  for (const { hub } of pages) hub.last().greet();
  await until(() => pages.every(({ hub }) => hub.last().received.some(({ type }) => type === 'command')), 'both');
  const ids = pages.flatMap(({ hub }) => hub.last().take('command').map(({ id }) => id));
  assert.deepEqual(ids, Array(2).fill('01a216ee-5bab-7000-8000-000000000001'));
});

test('a refused one is there after a reload with its words, is not sent by itself, and is retried under a new id', async (t) => {
  const storage = createStorage();
  const typed = await refusedBefore(t, storage);

  const after = await page(t, storage);
  after.hub.last().greet();
  await until(() => after.rows().length === 2, 'the row');
  assert.deepEqual(after.rows(), [['Hello', undefined], ['my words', 'refused']]);
  assert.deepEqual(after.client.commands().get().map(({ id, state, error }) => [id, state, error.message]), [[typed.id, 'refused', 'no']]);
  assert.deepEqual(after.hub.last().take('command'), []);
  const again = after.client.retry(typed.id);
  await until(() => after.hub.last().received.some(({ type }) => type === 'command'), 'the second attempt');
  assert.deepEqual(after.hub.last().take('command').map(({ id, data }) => [id, data.text]), [[again.id, 'my words']]);
  assert.deepEqual(Object.keys(storage).map((key) => key.endsWith(again.id)), [true]);
});

test('one without an answer for two days is not sent, and keeps its words', async (t) => {
  const storage = createStorage();
  const hold = createHold(() => storage, () => 'ws://hub.test/ws');
  hold.introduce(ADA);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 49 * HOUR_MS });
  hold.put({ id: '01a216ee-5bab-7000-8000-000000000001', kind: 'message.send', data: { conversationId: C, text: 'old words' } });
  t.mock.timers.reset();
  const { hub, client, rows } = await page(t, storage);
  hub.last().greet();
  await until(() => rows().length === 2, 'the row');
  assert.deepEqual([rows(), hub.last().take('command')], [[['Hello', undefined], ['old words', 'refused']], []]);
  const [{ id, error }] = client.commands().get();
  assert.equal(error.code, 'expired');
  client.retry(id);
  await until(() => hub.last().received.some(({ type }) => type === 'command'), 'the second attempt');
  assert.equal(Object.keys(storage).length, 1);
});

test('a refused one is as old as its refusal, over however many pages, and makes room for what has no answer', async (t) => {
  const storage = createStorage();
  await refusedBefore(t, storage);
  const [key] = Object.keys(storage);
  storage.setItem(key, JSON.stringify({ ...JSON.parse(storage[key]), at: Date.now() - 29 * 24 * HOUR_MS }));
  const kept = storage[key];

  const after = await page(t, storage);
  after.hub.last().greet();
  await until(() => after.rows().length === 2, 'the row');
  assert.equal(storage[key], kept);
  const hold = createHold(() => storage, () => 'ws://hub.test/ws');
  const { id, org } = after.client.self.get();
  hold.introduce({ id, org });
  for (let n = 0; n < 200; n += 1) hold.put({ id: `c${n}`, kind: 'task.create', data: {} });
  assert.deepEqual([Object.keys(storage).length, key in storage], [200, false]);
  hold.put({ id: 'late', kind: 'task.create', data: {} });
  assert.equal(Object.keys(storage).length, 200, 'what waits is not given up for it');
});

test('words have room before marks', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const storage = createStorage();
  const hold = createHold(() => storage, () => 'ws://hub.test/ws');
  hold.introduce({ org: 'org_1', id: 'mb_1' });
  const kept = () => Object.keys(storage).map((key) => key.split(':').at(-1)).sort();
  for (let n = 100; n < 300; n += 1) {
    t.mock.timers.tick(1);
    hold.put({ id: `mark${n}`, kind: 'feed.markRead', data: {} });
  }
  const marks = kept();
  hold.put({ id: 'words', kind: 'message.send', data: { text: 'hello' } });
  assert.deepEqual(kept(), [...marks.slice(1), 'words']);
  hold.put({ id: 'mark300', kind: 'feed.markRead', data: {} });
  assert.deepEqual(kept(), [...marks.slice(1), 'words'], 'a mark takes the place of nothing');
});

test('what has no words is dropped after two days', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const storage = createStorage();
  const hold = createHold(() => storage, () => 'ws://hub.test/ws');
  hold.introduce(ADA);
  for (const kind of QUEUEABLE) hold.put({ id: kind, kind, data: {} });
  t.mock.timers.tick(48 * HOUR_MS);
  const found = createHold(() => storage, () => 'ws://hub.test/ws').introduce(ADA);
  const worded = ['message.send', 'task.create', 'task.dispatch', 'task.update'];
  assert.deepEqual(found.map(({ kind, error }) => [kind, error.code]), worded.map((kind) => [kind, 'expired']));
  assert.equal(Object.keys(storage).length, worded.length);
});

test('a dismissed one does not come back', async (t) => {
  const storage = createStorage();
  const { hub, client } = await page(t, storage);
  hub.last().greet();
  await until(() => client.connection.get().phase === 'online', 'a connection');
  const typed = client.command('message.send', { conversationId: C, text: 'my words' });
  hub.last().say(refused(typed.id, 'no'));
  await typed.accepted;
  assert.equal(Object.keys(storage).length, 1);
  client.dismiss(typed.id);
  assert.deepEqual(Object.keys(storage), []);
});

test('someone else gets nothing of it, and it does not stay for them to find', async (t) => {
  const storage = createStorage();
  const hold = createHold(() => storage, () => 'ws://hub.test/ws');
  hold.introduce(ADA);
  hold.put({ id: 'c1', kind: 'message.send', data: { conversationId: C, text: 'private' } });
  const { hub, client } = await page(t, storage);
  const socket = hub.last();
  socket.open();
  const other = welcome();
  socket.say({ ...other, principal: { ...other.principal, id: 'mb_2' } });
  await until(() => client.self.get()?.id === 'mb_2', 'the other person');
  assert.deepEqual([socket.take('command'), client.commands().get(), Object.keys(storage)], [[], [], []]);
});

test('200 rows of one hub are kept, refused after 48 hours, gone after 30 days, and nothing that must not wait', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const storage = createStorage();
  const open = (url) => createHold(() => storage, () => url);
  const hold = open('ws://one.test/ws');
  hold.introduce(ADA);
  for (const kind of ['run.abort', 'approval.decide', 'x.acme.do']) hold.put({ id: kind, kind, data: {} });
  assert.deepEqual(Object.keys(storage), []);
  for (let at = 0; at < 201; at += 1) hold.put({ id: `c${String(at).padStart(3, '0')}`, kind: 'task.create', data: { at } });
  open('ws://two.test/ws').introduce(ADA);
  t.mock.timers.tick(48 * HOUR_MS - 1);
  assert.deepEqual(open('ws://one.test/ws').introduce(ADA).map(({ data }) => data.at), Array.from({ length: 200 }, (_, at) => at));
  const found = () => open('ws://one.test/ws').introduce(ADA);
  t.mock.timers.tick(1);
  assert.deepEqual(found().map(({ data, error }) => [data.at, error.code]), Array.from({ length: 200 }, (_, at) => [at, 'expired']));
  t.mock.timers.tick(28 * 24 * HOUR_MS);
  assert.deepEqual([found(), Object.keys(storage)], [[], []]);
});

test('a storage that refuses, or none, changes nothing else', () => {
  for (const open of [() => null, () => { throw new Error('denied'); }]) {
    const hold = createHold(open, () => 'ws://hub.test/ws');
    hold.put({ id: 'c1', kind: 'message.send', data: {} });
    assert.deepEqual(hold.introduce(ADA), []);
    hold.drop('c1');
  }
});

test('a text that no message may hold is refused before it is sent, and after a reload too', async (t) => {
  const storage = createStorage();
  const before = await page(t, storage);
  before.hub.last().greet();
  await until(() => before.client.connection.get().phase === 'online', 'a connection');
  const text = 'x'.repeat(2_200_000);
  const error = { code: 'tooLarge', message: 'a command has at most 1048576 bytes in all', retryable: false };
  const pasted = before.client.command('message.send', { conversationId: C, text });
  assert.deepEqual(await pasted.done, { state: 'refused', error });
  const typed = before.client.command('message.send', { conversationId: C, text: 'short' });
  assert.deepEqual(before.hub.last().take('command').map(({ id }) => id), [typed.id]);
  before.client.close();
  // An older program left it as not sent yet.
  for (const [key, value] of Object.entries(storage)) storage[key] = value.replace(/,"error":\{[^}]*\}/, '');

  const after = await page(t, storage);
  after.hub.last().greet();
  await until(() => after.client.commands().get().some(({ id, state }) => id === pasted.id && state === 'refused'), 'the refusal');
  assert.deepEqual(after.hub.last().take('command').map(({ id }) => id), [typed.id]);
  assert.ok(after.rows().some(([shown, stage]) => stage === 'refused' && shown.startsWith('xxx')));
  assert.deepEqual([after.client.connection.get().phase, Object.keys(storage).length], ['online', 2]);
});
