/**
 * The console on a scripted core, for work on its looks: serve the root of the repository with any static server and
 * open otter-server/console/preview.html, with ?scene=live | lively | busy | many | empty | loading | stale | held |
 * signedout | stopped | approvals | overdue | decided | viewer | history. `acts` in the browser's console makes things happen.
 */
import { createClientWith } from '../../otter-client-wasm/npm/client.js';
import { createFakeCore } from '../../otter-client-wasm/npm/testing.js';
import { mountConsole } from './app.js';
import { createActs } from './preview-acts.js';
import { manyConversations, liveliness } from './preview-life.js';
import { marks, orgRows, people } from './preview-org.js';
import { createTalk } from './preview-talk.js';
import { CONVERSATION, MEMBER, answerFor, world } from './preview-world.js';

const scene = new URLSearchParams(location.search).get('scene') ?? 'live';
const fake = createFakeCore({ onPost });
const client = createClientWith(() => Promise.reject(new Error('the preview has no core')), { core: fake.Core, url: 'http://preview.invalid/ws' });
const online = () => ({ phase: 'online', reason: null, code: null, since: Date.now() - 25 * 60_000, attempt: 0, nextRetryAt: null, roundTripMs: 9 + Math.random() * 6 });
const at = (ms = 0) => new Date(Date.now() + ms).toISOString();
const me = { type: 'member', id: MEMBER.id, name: MEMBER.name };
let seq = 1000;
const put = (scope, key, data, live = true) => ({ put: [[scope, key, (seq += 1), live, data]] });
const inConversation = (id) => `conversation/${id}`;
const talk = createTalk({ fake, client, scene, at, put, ada: CONVERSATION });
const busy = ['busy', 'approvals', 'overdue', 'decided', 'viewer'].includes(scene);

function onPost({ t, ...message }) {
  if (t === 'start') return begin();
  // What an earlier page left is asked for before the world of this page is there.
  if (t === 'command' && !client.entity('conversation', CONVERSATION).get()) return queueMicrotask(() => handle({ t, ...message }));
  return handle({ t, ...message });
}

function handle({ t, ...message }) {
  if (t === 'command' && message.kind === 'message.send') send(message.id, message.data, message.error);
  else if (t === 'command' && message.kind === 'run.abort') stop(message.id, message.data);
  else if (t === 'command' && acts.command(message)) return;
  else if (talk.onPost({ t, ...message })) return;
  else if (t === 'retry') acts.retry(message) || retry(message);
  else if (t === 'dismiss') acts.dismiss(message.id) || dismiss(message.id);
}

function begin() {
  if (scene === 'loading') return fake.push({ connection: { ...online(), phase: 'connecting', attempt: 1, roundTripMs: null } });
  if (scene === 'signedout') return fake.push({ connection: { ...online(), phase: 'signedOut', code: 4201, reason: 'Your session has ended.' } });
  const live = { phase: 'live', reason: null };
  fake.push({ connection: online(), self: { ...MEMBER, role: scene === 'viewer' ? 'viewer' : 'owner', org: 'Otter & friends' }, serverOffsetMs: 0, scopes: { org: live, 'member/self': live } });
  if (scene === 'empty') return;
  const { org, conversations } = world(at);
  if (scene === 'many') org.push(...manyConversations(at));
  fake.push({ put: marks(at).map(([key, data]) => ['member/self', key, (seq += 1), true, data]) });
  fake.push({ signals: people(at).map((person) => ['org', 'presence', person.memberId, person]) });
  if (scene === 'lively') liveliness(acts, at);
  fake.push({ put: [...org, ...orgRows(at)].map(([key, data]) => ['org', key, (seq += 1), true, data]) });
  for (const [id, rows] of Object.entries(conversations)) {
    fake.push({ put: rows.map(([key, data]) => [inConversation(id), key, (seq += 1), true, data]), scopes: { [inConversation(id)]: { phase: 'live', reason: null } } });
  }
  talk.begin();
  const beat = () => fake.push({ connection: online(), signals: [['org', 'instance.heartbeat', 'in_mac', { instanceId: 'in_mac', at: at(), outbox: { pending: 0, dead: 0 } }], ['org', 'instance.heartbeat', 'in_pi', { instanceId: 'in_pi', at: at(), heardAt: at(-130_000), outbox: { pending: 12, dead: 0 } }]] });
  beat();
  setInterval(() => scene === 'live' && beat(), 5000);
  if (scene === 'stale' || scene === 'held') {
    setTimeout(() => fake.push({ connection: { ...online(), phase: 'waiting', reason: 'heartbeat', code: 1006, since: Date.now() - 134_000, attempt: 4, nextRetryAt: Date.now() + 7000, roundTripMs: null }, scopes: { org: { phase: 'stale', reason: 'heartbeat' } } }), 100);
  }
  if (scene === 'stopped') setTimeout(() => fake.push({ connection: { ...online(), phase: 'stopped', code: 4500, reason: 'The hub speaks a newer protocol.' } }), 100);
  if (busy) setTimeout(() => answer(CONVERSATION, 'in_mac:run-busy', 30_000), 50);
}

function send(id, { conversationId, text }, refusal) {
  const key = `message/in_mac:${id}:user`;
  const row = { conversationId, author: { type: 'member', id: MEMBER.id, name: MEMBER.name }, text, status: 'complete', commandId: id };
  const tell = (stage, error) => fake.push({ ...put(inConversation(conversationId), key, row), local: { [key]: { commandId: id, stage, ...(error && { error }) } }, commands: [{ id, state: stage, ...(error && { error }) }] });
  if (refusal) return tell('refused', refusal);
  tell(scene === 'held' ? 'held' : 'sent');
  if (scene === 'held') return;
  setTimeout(() => {
    if (/refuse/.test(text)) return tell('refused', { code: 'tooManyOpen', message: 'this machine has 256 open commands; try again when some have ended', retryable: true });
    const placed = { ...row, sentAt: at() };
    const deliver = (state) => fake.push(put(inConversation(conversationId), key, { ...placed, delivery: { state } }));
    fake.push({ ...put(inConversation(conversationId), key, { ...placed, delivery: { state: 'pending' } }), local: { [key]: null }, commands: [{ id, state: 'accepted' }] });
    fake.push(put('org', `conversation/${conversationId}`, { ...client.entity('conversation', conversationId).get(), lastMessage: { id: key, author: row.author, sentAt: at(), head: text } }));
    setTimeout(() => deliver('taken'), 200);
    setTimeout(() => deliver('delivered'), 500);
    setTimeout(() => answer(conversationId, `in_mac:run-${id}`, 0), 650);
  }, 180);
}

const refusedText = new Map();
function retry({ id, as }) {
  const key = `message/in_mac:${id}:user`;
  const { text, conversationId } = client.entity('message', `in_mac:${id}:user`).get();
  refusedText.set(as, text);
  fake.push({ drop: [[inConversation(conversationId), key]] });
  send(as, { conversationId, text: text.replaceAll('refuse', 'accept') });
}

function dismiss(id) {
  const row = client.entity('message', `in_mac:${id}:user`).get();
  fake.push({ drop: [[inConversation(row.conversationId), `message/in_mac:${id}:user`]] });
}

const running = new Map();
function answer(conversationId, runId, agoMs) {
  const text = answerFor(runId);
  const scope = inConversation(conversationId);
  const agentId = client.entity('conversation', conversationId).get().agentId;
  const run = { conversationId, agentId, state: 'running', startedAt: at(-agoMs), model: 'claude-opus-4-6' };
  const conversation = () => client.entity('conversation', conversationId).get();
  fake.push({ ...put(scope, `run/${runId}`, run), signals: [[scope, 'run.progress', runId, { runId, phase: 'tool', tool: 'exec', title: 'cargo test -p otter-proto' }]] });
  fake.push(put('org', `conversation/${conversationId}`, { ...conversation(), activeRun: { id: runId } }));
  let shown = busy ? Math.floor(text.length * 0.6) : 0;
  if (shown) fake.push({ slots: [[conversationId, runId, 0, text.slice(0, shown)]] });
  const end = (state) => {
    clearInterval(timer);
    running.delete(runId);
    const said = text.slice(0, shown);
    const message = { conversationId, author: { type: 'agent', id: agentId }, text: said, status: state === 'completed' ? 'complete' : 'aborted', runId, sentAt: at() };
    fake.push({
      slots: [[conversationId, runId, 0, null]],
      signals: [[scope, 'run.progress', runId, null]],
      put: [[scope, `message/${runId}:answer`, (seq += 1), true, message], [scope, `run/${runId}`, (seq += 1), true, { ...run, state, endedAt: at(), usage: { input: 52_000, output: 840 } }],
        ['org', `conversation/${conversationId}`, (seq += 1), true, { ...conversation(), activeRun: null, lastMessage: { id: message.runId, author: message.author, sentAt: message.sentAt, head: said.slice(0, 200) } }]],
    });
  };
  const timer = setInterval(() => {
    if (busy && shown > text.length * 0.62) return;
    const next = Math.min(text.length, shown + 3 + Math.floor(Math.random() * 8));
    fake.push({ slots: [[conversationId, runId, shown, text.slice(shown, next)]] });
    shown = next;
    if (shown === text.length) end('completed');
  }, 40);
  running.set(runId, () => end('aborted'));
}

function stop(id, { runId }) {
  fake.push({ commands: [{ id, state: 'accepted' }] });
  setTimeout(() => fake.push({ commands: [{ id, state: 'completed' }] }), 400);
  setTimeout(() => running.get(runId)?.(), 1200);
}

const acts = createActs(fake, client, at, { me, held: scene === 'held' });
window.otter = client;
window.fake = fake;
window.acts = acts;
window.talk = talk;
mountConsole(document.getElementById('otter'), client);
