import { attribute, h, icon, keyed, show, text } from '../dom.js';
import { agentOf, titleOf } from '../model.js';
import { age } from '../seconds.js';
import { took } from '../words.js';
import { approvalRecord } from './approval-record.js';
import { ripple } from './avatar.js';
import { stepRow } from './step.js';

const FEW = 3;
const LAST = 6;
const FORK = 'M6 3.5v13M6 12c0-3 8-2 8-5.5M14 6.5V3.5M14 3.5l-2 2M14 3.5l2 2';
const CHEVRON = 'M7.5 5l5 5-5 5';

/**
 * What a run did, in order: tool calls, approvals that ended, runs it began. A long list is folded to a line; while the
 * run goes on its last ones are shown.
 *
 * @param {any} client @param {string} runId
 * @param {{ memory: Map<string, boolean>, loadSteps(): void, conversationId: string }} place `memory`: what was folded by hand
 */
export function workBlock(client, runId, { memory, loadSteps, conversationId }) {
  const words = h('span');
  const total = h('span', { class: 'step-time' });
  const fold = h('button', { type: 'button', class: 'work-fold', 'data-testid': 'steps-fold', onclick: onFold }, icon(CHEVRON), words, total);
  const earlier = h('button', { type: 'button', class: 'quiet work-earlier', onclick: loadSteps }, 'Load its earlier steps');
  const list = h('div', { class: 'work-list' });
  const element = h('section', { class: 'work', 'data-run-id': runId, 'data-testid': 'run-work', 'aria-label': 'What was done' }, fold, earlier, list);
  const rows = keyed(list, (key) => {
    const [type, id] = split(key);
    if (type === 'approval') return approvalRecord(client, id);
    return type === 'child' ? childRow(client, id, conversationId) : stepRow(id);
  });
  /** @type {any} */
  let shown;
  /** @type {boolean | null} whether a run was going on when this was first shown */
  let began = null;
  let tail = false;

  function onFold() {
    memory.set(runId, tail || !isOpen());
    paint();
  }

  const isOpen = () => memory.get(runId) ?? (began || shown.steps.length + shown.children.length <= FEW);

  /** @param {import('../timeline.js').Work} work */
  function update(work) {
    if (shown && sameWork(shown, work)) return;
    began ??= work.run.state === 'running';
    shown = work;
    paint();
  }

  function paint() {
    const all = inOrder(shown);
    const many = all.length > FEW;
    const open = isOpen();
    // A run that goes on shows its last ones, unless somebody asked for all.
    tail = open && memory.get(runId) === undefined && all.length > LAST + 1;
    const visible = !many || (open && !tail) ? all : tail ? all.slice(-LAST) : [];
    show(fold, many);
    attribute(fold, 'aria-expanded', String(open && !tail));
    attribute(element, 'data-open', visible.length > 0 ? '' : null);
    paintWords(tail ? `${all.length - LAST} earlier of ` : '');
    const ms = shown.steps.reduce((/** @type {number} */ sum, /** @type {any} */ step) => sum + (step.durationMs ?? 0), 0);
    text(total, ms ? took(ms) : '');
    show(earlier, shown.partial);
    rows.set(visible);
  }

  /** @param {string} before */
  function paintWords(before) {
    const parts = summary(shown);
    const all = before + parts.map(([part]) => part).join(', ');
    if (words.textContent === all) return;
    words.replaceChildren(before, ...parts.flatMap(([part, bad], at) => [at > 0 ? ', ' : '', bad ? h('strong', { class: 'work-bad' }, part) : part]));
  }

  return {
    element,
    update,
    end: rows.end,
    /** Shows the row of a step, however far it is folded. @param {string} stepId */
    reveal(stepId) {
      if (!rows.get(`step/${stepId}`)) {
        memory.set(runId, true);
        paint();
      }
      const row = rows.get(`step/${stepId}`)?.element;
      if (row) row.open = true;
      return row;
    },
  };
}

/** @param {string} key `type/id` */
const split = (key) => [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];

/** @param {any} a @param {any} b */
function sameWork(a, b) {
  const same = (/** @type {any[]} */ x, /** @type {any[]} */ y) => x.length === y.length && x.every((each, at) => each === y[at]);
  return a.partial === b.partial && same(a.steps, b.steps) && same(a.approvals, b.approvals) && same(a.children, b.children);
}

/** @param {import('../timeline.js').Work} work */
function inOrder({ steps, approvals, children }) {
  const all = [
    ...steps.map((step) => ({ at: step.startedAt, key: `step/${step.id}`, item: step })),
    ...approvals.map((approval) => ({ at: approval.requestedAt, key: `approval/${approval.id}`, item: approval })),
    ...children.map((run) => ({ at: run.startedAt, key: `child/${run.id}`, item: run })),
  ];
  return all.sort((a, b) => (a.at < b.at || (a.at === b.at && a.key < b.key) ? -1 : 1));
}

/** What there is, in words, and whether it went wrong. @param {import('../timeline.js').Work} work @returns {[string, boolean][]} */
function summary({ steps, approvals, children }) {
  const failed = steps.filter(({ status }) => status === 'failed').length;
  const denied = steps.filter(({ status }) => status === 'denied').length;
  const count = (/** @type {number} */ number, /** @type {string} */ one) => (number ? `${number} ${one}${number === 1 ? '' : 's'}` : '');
  /** @type {[string, boolean][]} */
  const parts = [[count(steps.length, 'step'), false], [failed ? `${failed} failed` : '', true], [denied ? `${denied} denied` : '', true], [count(approvals.length, 'approval'), false], [count(children.length, 'sub-agent'), false]];
  return parts.filter(([words]) => words);
}

const STATE = /** @type {Record<string, string>} */ ({ running: 'is working', completed: 'has finished', failed: 'failed', aborted: 'was stopped' });

/** A run of a sub-agent, with the way to its conversation. @param {any} client @param {string} id @param {string} here */
function childRow(client, id, here) {
  const name = h('a', { class: 'step-title' });
  const words = h('span', { class: 'child-state' });
  const time = h('time', { class: 'step-time' });
  const element = h('div', { class: 'step child', 'data-testid': 'child-run', 'data-run-id': id }, h('div', { class: 'child-line' }, h('span', { class: 'step-mark' }, icon(FORK)), name, words, ripple(), time));
  /** @param {any} run */
  function update(run) {
    const conversation = client.entity('conversation', run.conversationId).get();
    text(name, (conversation && run.conversationId !== here && titleOf(client, conversation)) || agentOf(client, run)?.name || 'Sub-agent');
    if (run.conversationId !== here) name.href = `#/c/${encodeURIComponent(run.conversationId)}`;
    attribute(element, 'data-state', run.state);
    text(words, [STATE[run.state] ?? run.state, run.state === 'failed' && run.error?.message].filter(Boolean).join(': '));
    if (run.state === 'running') age(time, run.startedAt, 'clock');
    else {
      age(time, null);
      text(time, run.endedAt ? took(Date.parse(run.endedAt) - Date.parse(run.startedAt)) : '');
    }
  }
  return { element, update };
}
