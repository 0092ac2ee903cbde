import { announce } from '../announce.js';
import { attribute, bag, h, keyed, show, text, watch } from '../dom.js';
import { agentOf } from '../model.js';
import { approvalCard } from './approval.js';
import { createOpenApprovals, keepFocus } from './open-approvals.js';
import { createSteady } from './steady.js';

export { approvalCard };

/**
 * All approvals: those that wait, and below them what became of the others.
 *
 * @param {any} client
 */
export function approvalsPage(client) {
  const ends = bag();
  const open = h('div', { class: 'approval-list', 'data-testid': 'approvals-open' });
  const past = h('div', { class: 'approval-list past', 'data-testid': 'approvals-past' });
  const empty = h('div', { class: 'empty', 'data-testid': 'approvals-empty' });
  const heading = h('h2', {}, 'Answered');
  const older = h('button', { type: 'button', class: 'quiet', 'data-testid': 'approvals-older', onclick: () => store.get().more() });
  const element = h('div', { class: 'approvals' }, empty, open, heading, past, older);
  const steady = createSteady(element);
  const store = client.approvals();
  const order = createOpenApprovals(open, paint);
  const inOpen = keyed(open, (id) => approvalCard(client, id, { steady }));
  const inPast = keyed(past, (id) => approvalCard(client, id, { steady }));
  let before = '';

  function paint() {
    const { rows, loading, hasMore, error } = store.get();
    const waiting = order.choose(rows);
    const held = new Set(waiting.map(({ id }) => id));
    const ended = rows.filter((/** @type {any} */ row) => !held.has(row.id));
    const places = [...waiting, ...ended].map(({ id }) => id).join();
    if (places !== before) steady.moved();
    before = places;
    inPast.set(ended.filter((/** @type {any} */ { id }) => inPast.get(id)).map(({ id }) => ({ key: id })));
    keepFocus(open, inOpen.set, waiting.map(({ id }) => ({ key: id })), () => element.closest('main')?.focus());
    inPast.set(ended.map(({ id }) => ({ key: id })));
    show(empty, waiting.length === 0);
    attribute(empty, 'data-loading', loading ? '' : null);
    text(empty, loading && rows.length === 0 ? 'Looking for approvals…' : 'Nothing waits for you. When an agent wants to run a command that it may not run by itself, it asks here.');
    show(heading, ended.length > 0);
    show(older, hasMore || Boolean(error));
    older.disabled = loading;
    text(older, error ? `Older ones did not come: ${error.message ?? error.code}. Try again` : loading ? 'Loading…' : 'Show older ones');
  }

  announceApprovals(client);
  ends.add(watch(store, paint), inOpen.end, inPast.end, order.end, steady.end);
  return { element, end: ends.end };
}

/** @type {WeakSet<object>} clients whose approvals are announced */
const announced = new WeakSet();

/**
 * Tells a screen reader of each approval that begins to wait, once, wherever in the console one is.
 *
 * @param {any} client
 */
export function announceApprovals(client) {
  if (announced.has(client)) return;
  announced.add(client);
  /** @type {Set<string> | null} */
  let known = null;
  watch(client.approvals(), ({ rows, loading }) => {
    if (loading && rows.length === 0) return;
    const first = known === null;
    known ??= new Set();
    for (const row of rows) {
      if (row.state !== 'pending' || known.has(row.id)) continue;
      known.add(row.id);
      if (!first) announce(`${agentOf(client, row)?.name ?? 'An agent'} asks to run a command: ${row.command.slice(0, 120)}`);
    }
  });
}
