import { bag, h, keyed, show, text, watch } from '../dom.js';
import { approvalCard } from './approval.js';
import { announceApprovals } from './approvals.js';
import { createOpenApprovals, keepFocus } from './open-approvals.js';
import { createSteady } from './steady.js';

/**
 * The approvals that a conversation waits for, between its messages and the composer. It grows upwards: the oldest is
 * nearest to the composer, and a new one moves none of those that are there.
 *
 * @param {any} client @param {string} conversationId
 * @param {{ beside: any, focus(): void, toResult(approvalId: string): any, changed(): void }} place `beside`: what gets smaller when the
 * dock grows; `focus`: where the keyboard goes when the last card leaves
 */
export function dock(client, conversationId, { beside, focus, toResult, changed }) {
  const ends = bag();
  const list = h('div', { class: 'dock-list' });
  const count = h('p', { class: 'dock-count' });
  const element = h('section', { class: 'dock', 'aria-label': 'Approvals', hidden: true }, count, list);
  const steady = createSteady(list, beside);
  const store = client.approvals();
  const order = createOpenApprovals(list, paint);
  const cards = keyed(list, (id) => approvalCard(client, id, { steady, here: conversationId, toResult }));
  /** @type {Set<string>} */
  let shown = new Set();

  function paint() {
    const mine = store.get().rows.filter((/** @type {any} */ row) => row.conversationId === conversationId);
    const open = order.choose(mine);
    const next = open.map(({ id }) => id);
    const waiting = open.filter(({ state }) => state === 'pending').length;
    text(count, waiting > 1 ? `${waiting} approvals wait for an answer` : '');
    show(count, waiting > 1);
    show(element, open.length > 0);
    if (next.join() === [...shown].join()) return;
    steady.moved();
    shown = new Set(next);
    keepFocus(list, cards.set, next.map((key) => ({ key })), focus);
    changed();
  }

  announceApprovals(client);
  ends.add(watch(store, paint), cards.end, order.end, steady.end);
  return {
    element,
    /** Whether an approval is shown here, and so nowhere else. @param {string} id */
    has: (id) => shown.has(id),
    /** Cards look again for what came of them. */
    look: () => shown.forEach((id) => cards.get(id)?.update?.(undefined)),
    end: ends.end,
  };
}
