/** The order of what a conversation shows. */

import { day } from './words.js';

const SAME_BREATH_MS = 5 * 60_000;

/** @type {WeakMap<object, string>} */
const days = new WeakMap();

/** @param {any} message */
function dayOf(message) {
  let found = days.get(message);
  if (found === undefined) days.set(message, (found = message.sentAt ? new Date(message.sentAt).toDateString() : ''));
  return found;
}

/**
 * What each run did: its tool calls, the approvals that have ended, the runs it began.
 *
 * @typedef {{ run: any, steps: any[], approvals: any[], children: any[], partial: boolean }} Work
 * @param {{ runs: readonly any[], children: readonly any[], steps: readonly any[], approvals: readonly any[], partial: boolean }} of
 * `children`: runs of other conversations; `partial`: older tool calls are not loaded
 * @returns {{ works: Map<string, Work>, loose: any[] }} `loose`: approvals of no run that is known
 */
export function gather({ runs, children, steps, approvals, partial }) {
  /** @type {Map<string, Work>} */
  const works = new Map(runs.map((run) => [run.id, { run, steps: [], approvals: [], children: [], partial: false }]));
  const oldest = steps[0]?.startedAt;
  if (partial && oldest) for (const work of works.values()) work.partial = work.run.startedAt < oldest && (work.run.endedAt ?? '~') > oldest;
  for (const step of steps) works.get(step.runId)?.steps.push(step);
  for (const child of [...runs, ...children]) if (child.parentRunId !== child.id) works.get(child.parentRunId)?.children.push(child);
  const loose = [];
  for (const approval of approvals) (works.get(approval.runId)?.approvals ?? loose).push(approval);
  return { works, loose };
}

/** @param {Work} work */
const hasWork = ({ steps, approvals, children, partial }) => steps.length + approvals.length + children.length > 0 || partial;

/** A run that another run of this conversation began is told there. @param {any} run @param {Map<string, Work>} works */
export const isNested = (run, works) => run.parentRunId !== run.id && works.has(run.parentRunId);

/**
 * The rows: messages with a line where a day begins and where the unread ones begin; what a run did before its answer,
 * how it ended after it; runs without an answer at their time, those that go on at the end.
 *
 * @param {{ messages: readonly any[], works: Map<string, Work>, loose: readonly any[], unreadFrom: string | null, cut: boolean, now: number }} of
 * `cut`: there are older messages, so what is older than the first row is not shown
 */
export function arrange({ messages, works, loose, unreadFrom, cut, now }) {
  const entries = createEntries();
  const answers = new Set(messages.map(({ id }) => id));
  const after = new Map();
  const others = [...loose.map((approval) => ({ at: approval.resolvedAt ?? approval.requestedAt, approval }))];
  const going = [];
  for (const work of works.values()) {
    const { run } = work;
    if (isNested(run, works)) continue;
    if (answers.has(`${run.id}:answer`)) after.set(`${run.id}:answer`, work);
    else if (run.state === 'running') going.push(work);
    else others.push({ at: run.endedAt ?? run.startedAt, work });
  }
  others.sort((a, b) => (a.at < b.at ? -1 : 1));
  const begin = cut ? (messages[0]?.sentAt ?? '') : '';
  const queue = others.filter(({ at }) => at >= begin);
  const latest = messages.findLast(({ author }) => author?.type !== 'agent');
  for (const message of messages) {
    while (queue[0] && (!message.sentAt || queue[0].at < message.sentAt)) entries.other(queue.shift());
    if (message.id === unreadFrom) entries.line('unread/line', null);
    const work = after.get(message.id);
    entries.date(message, now);
    if (work) entries.work(work);
    entries.message(message, message === latest, Boolean(work && work.run.state !== 'running'));
    if (work && work.run.state !== 'running') entries.end(work.run);
  }
  queue.forEach(entries.other);
  going.forEach(entries.work);
  return entries.all;
}

function createEntries() {
  /** @type {{ key: string, item: any }[]} */
  const all = [];
  let lastDay = '';
  /** @type {any} */
  let before;

  /** @param {string} key @param {any} item */
  function line(key, item) {
    all.push({ key, item });
    before = undefined;
  }

  /** @param {Work} work */
  function work(work) {
    if (hasWork(work)) line(`work/${work.run.id}`, work);
  }

  const end = (/** @type {any} */ run) => void all.push({ key: `run/${run.id}`, item: run });

  return {
    all,
    line,
    work,
    end,
    /** @param {any} message @param {number} now */
    date(message, now) {
      const date = dayOf(message) || lastDay;
      if (date !== lastDay) line(`day/${date}`, day(message.sentAt, now));
      lastDay = date;
    },
    /** @param {any} message @param {boolean} latest @param {boolean} ended */
    message(message, latest, ended) {
      all.push({ key: `message/${message.id}`, item: { message, follows: isSameBreath(before, message), latest, ended } });
      before = message;
    },
    /** @param {any} other */
    other(other) {
      if (other.approval) return line(`approval/${other.approval.id}`, other.approval);
      work(other.work);
      end(other.work.run);
    },
  };
}

/** @param {any} before @param {any} message */
function isSameBreath(before, message) {
  if (!before || before.author?.type !== message.author?.type || before.author?.id !== message.author?.id) return false;
  if (message.author?.type === 'agent') return false;
  return !message.sentAt || !before.sentAt || Date.parse(message.sentAt) - Date.parse(before.sentAt) < SAME_BREATH_MS;
}
