/** How the preview answers what one does in a conversation. */

import { MEMBER } from './preview-world.js';
import { LONG, LONG_ROWS, CHILD, approvals, child, longRow, steps } from './preview-work.js';

const LIVE_ROWS = 50;
const PAGE_ROWS = 100;
const WHOLE = `${'A line of a text that was too long for its row.\n'.repeat(400)}This is its end.`;

/**
 * @param {{ fake: any, client: any, scene: string, at: (ms?: number) => string, put: (scope: string, key: string, data: any, live?: boolean) => any, ada: string }} stage
 */
export function createTalk({ fake, client, scene, at, put, ada }) {
  const scopeOf = (/** @type {string} */ id) => `conversation/${id}`;
  const push = (/** @type {any} */ scope, /** @type {string} */ key, /** @type {any} */ data) => fake.push(put(scope, key, data));
  /** @type {string[]} what is to go wrong next, by command */
  const failing = [];
  /** @type {Map<string, string>} what waits for a dismissal, by command */
  const refused = new Map();
  let oldest = LONG_ROWS - LIVE_ROWS;

  function begin() {
    for (const [key, data] of approvals(at, scene)) push('org', key, data);
    for (const [key, data] of steps(at)) push(scopeOf(ada), key, data);
    if (scene !== 'live') beginChild();
    for (const id of ['in_mac:ada', 'in_mac:mail', 'in_old:scout', CHILD]) push('member/self', `mark/${id}`, { target: 'conversation', messageCount: 12 });
    push('member/self', 'mark/in_mac:juno', { target: 'conversation', messageCount: 9 });
    if (scene === 'history') beginLong();
  }

  function beginChild() {
    const { org, rows } = child(at);
    org.forEach(([key, data]) => push('org', key, data));
    rows.forEach(([key, data]) => push(scopeOf(CHILD), key, data));
    fake.push({ scopes: { [scopeOf(CHILD)]: { phase: 'live', reason: null } } });
  }

  function beginLong() {
    const last = longRow(LONG_ROWS - 1)[1];
    push('org', `conversation/${LONG}`, { instanceId: 'in_mac', agentId: 'in_mac:juno', address: { kind: 'session' }, title: 'The river diary', messageCount: LONG_ROWS, activeRun: null, lastMessage: { author: last.author, sentAt: last.sentAt, head: last.text.slice(0, 200) } });
    for (let index = oldest; index < LONG_ROWS; index += 1) push(scopeOf(LONG), ...longRow(index));
    fake.push({ scopes: { [scopeOf(LONG)]: { phase: 'live', reason: null } } });
  }

  /** @param {string} scope @param {string} kind */
  function more(scope, kind) {
    const told = (/** @type {boolean} */ loading, /** @type {boolean} */ hasMore, /** @type {any} */ error = null) =>
      fake.push({ lists: [[scope, kind, loading, hasMore, scope === scopeOf(LONG) && kind === 'message' ? { order: longRow(oldest)[1].sentAt, id: longRow(oldest)[0].slice(8) } : null, error]] });
    if (scope !== scopeOf(LONG) || kind !== 'message') return setTimeout(() => told(false, false), 50);
    told(true, true);
    return setTimeout(() => {
      if (failing[0] === 'more' && failing.shift()) return told(false, true, { code: 'unavailable', message: 'the hub did not answer in time' });
      const from = Math.max(0, oldest - PAGE_ROWS);
      const rows = [];
      for (let index = from; index < oldest; index += 1) rows.push(...put(scope, ...longRow(index), false).put);
      oldest = from;
      fake.push({ put: rows });
      return told(false, from > 0);
    }, 120);
  }

  /** @param {string} key */
  function whole(key) {
    fake.push({ texts: [[key, true, null, false, null]] });
    setTimeout(() => fake.push({ texts: [[key, true, { text: WHOLE }, true, null]] }), 150);
  }

  /** @param {string} id @param {string} key @param {any} error @param {any} row */
  function refuseAs(id, key, error, row) {
    refused.set(id, key);
    fake.push({ ...put('org', key, row), local: { [key]: { commandId: id, stage: 'refused', error } }, commands: [{ id, state: 'refused', error }] });
  }

  /** @param {string} id @param {any} data */
  function decide(id, { approvalId, rev, decision }) {
    const key = `approval/${approvalId}`;
    const before = client.entity('approval', approvalId).get();
    const { rev: _, local: __, id: ___, ...row } = before;
    const mine = { ...row, state: 'decided', decision, by: MEMBER, commandId: id };
    const refuse = (/** @type {any} */ error, /** @type {any} */ now = row) => refuseAs(id, key, error, now);
    fake.push({ ...put('org', key, mine), local: { [key]: { commandId: id, stage: 'sent' } }, commands: [{ id, state: 'sent' }] });
    const wrong = failing.shift();
    setTimeout(() => {
      if (wrong === 'alreadyDecided') return refuse({ code: wrong, message: 'Tom decided first' }, { ...row, state: 'decided', decision: 'deny', by: { type: 'member', id: 'mb_tom', name: 'Tom' }, decidedAt: at() });
      if (wrong === 'changed') return refuse({ code: wrong, message: 'the approval has changed since it was shown; look at it again' }, { ...row, command: `${row.command} --now-with-more` });
      if (wrong) return refuse({ code: wrong, message: wrong });
      fake.push({ ...put('org', key, { ...mine, decidedAt: at() }), local: { [key]: null }, commands: [{ id, state: 'accepted' }] });
      if (scene === 'decided') return undefined;
      return setTimeout(() => {
        const outcome = decision === 'deny' ? 'denied' : 'allowed';
        push('org', key, { ...mine, decidedAt: at(), state: 'resolved', outcome, resolvedAt: at() });
        if (row.runId) push(scopeOf(row.conversationId), `step/${approvalId}:result`, { conversationId: row.conversationId, runId: row.runId, name: 'exec', title: row.command.split('\n')[0], approvalId, status: outcome === 'allowed' ? 'completed' : 'denied', exitCode: outcome === 'allowed' ? 0 : undefined, startedAt: at(), endedAt: at(1400), durationMs: 1400, outputHead: outcome === 'allowed' ? 'Finished `dev` profile in 1.38s\n' : undefined });
      }, 900);
    }, 250);
  }

  /** The row of the session begins anew, a row of the gateway says so; the conversation is the same. @param {string} id @param {any} data */
  function reset(id, { conversationId }) {
    const { id: _, rev: __, local: ___, contextUsed: ____, ...session } = client.entity('session', conversationId).get() ?? {};
    fake.push({ commands: [{ id, state: 'accepted' }] });
    setTimeout(() => {
      push('org', `session/${conversationId}`, { ...session, status: 'idle', lastActivityAt: at() });
      push(scopeOf(conversationId), `message/in_mac:reset-${id}`, { conversationId, author: { type: 'system' }, text: 'The session was reset: the agent starts over without what was said before.', status: 'complete', sentAt: at() });
      fake.push({ commands: [{ id, state: 'completed' }] });
    }, 200);
  }

  const COMMANDS = /** @type {Record<string, (id: string, data: any) => void>} */ ({
    'approval.decide': decide,
    'session.reset': reset,
  });

  /** A conversation out of many is filled when it is opened. @param {string} scope */
  function fill(scope) {
    const id = /^conversation\/(in_mac:c\d+)$/.exec(scope)?.[1];
    if (!id) return;
    const rows = Array.from({ length: 40 }, (_, index) => longRow(index)).map(([key, row]) => [`${key}-${id}`, { ...row, conversationId: id }]);
    setTimeout(() => fake.push({ put: rows.flatMap(([key, row]) => put(scope, key, row).put), scopes: { [scope]: { phase: 'live', reason: null } } }), 5);
  }

  return {
    begin,
    /** The next command of this person is refused with this code. @param {string} code */
    fail: (code) => void failing.push(code),
    /** @param {any} message @returns {boolean} whether it was for a conversation */
    onPost({ t, scope, kind, id, data }) {
      if (t === 'subscribe') fill(scope);
      if (t === 'more') more(scope, kind);
      else if (t === 'text') whole(kind);
      else if (t === 'dismiss' && refused.has(id)) fake.push({ local: { [refused.get(id) ?? '']: null } });
      else if (t === 'command' && COMMANDS[kind]) COMMANDS[kind](id, data);
      else return false;
      return true;
    },
  };
}
