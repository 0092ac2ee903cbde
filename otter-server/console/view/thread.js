import { isOpen } from '../approval-words.js';
import { attribute, bag, h, icon, keyed, show, text, watch } from '../dom.js';
import { everySecond } from '../seconds.js';
import { arrange, gather, isNested } from '../timeline.js';
import { approvalRecord } from './approval-record.js';
import { createChildren } from './children.js';
import { historyTop } from './history.js';
import { messageRow } from './message.js';
import { createReader } from './reader.js';
import { liveRun, runEnd } from './run.js';
import { stickToEnd } from './stick.js';
import { createStops, stopByEscape } from './stops.js';
import { createTold } from './told.js';
import { createWindow } from './window.js';
import { workBlock } from './work.js';

const UNREAD = 'unread/line';
const DOWN = 'M10 4v12M5 11l5 5 5-5';
const UP = 'M10 16V4M5 9l5-5 5 5';

/**
 * What is said and done in a conversation, with the runs that go on below everything.
 *
 * @param {any} client @param {string} conversationId
 * @param {{ inDock(approvalId: string): boolean, lookAgain(): void }} beside `inDock`: whether an approval is shown beside the thread;
 * `lookAgain`: what came of approvals may have changed
 */
export function thread(client, conversationId, { inDock, lookAgain }) {
  const ends = bag();
  const messages = client.messages(conversationId);
  const runs = client.runs(conversationId);
  const steps = client.steps(conversationId);
  const approvals = client.approvals();
  const scope = client.scope(`conversation/${conversationId}`);
  const memory = new Map();
  const live = h('div', { class: 'live-runs' });
  const empty = h('div', { class: 'empty', 'data-testid': 'thread-empty' });
  const endWords = h('span');
  const end = h('button', { type: 'button', class: 'to-end', hidden: true, 'data-testid': 'to-newest', onclick: toEnd }, endWords, icon(DOWN));
  const unreadWords = h('span');
  const toUnread = h('button', { type: 'button', class: 'to-unread', hidden: true, 'data-testid': 'to-unread', onclick: goToUnread }, icon(UP), unreadWords);
  const scroller = h('div', { class: 'scroller', tabIndex: 0, role: 'region', 'aria-label': 'Messages' });
  const element = h('div', { class: 'thread' }, scroller, toUnread, end);
  const top = historyTop({ messages, runs, steps, isReady: () => scope.get().phase === 'live' });
  const rows = createWindow(scroller, makeRow, isLine);
  scroller.append(empty, top.element, rows.element, live);
  const stick = stickToEnd(scroller, rows.inner, { changed: onEnd, resized: () => rows.fit() });
  const reader = createReader(client, conversationId, { isAtEnd: stick.isAtEnd, changed: paint });
  const children = createChildren(client, conversationId, paint);
  const told = createTold(client, conversationId);
  let armed = false;
  const stops = { ...createStops(client, conversationId, paint), isArmed: () => armed };
  const inLive = keyed(live, (id) => liveRun(client, id, stops));
  /** @type {any[]} */
  let going = [];
  /** @type {string | undefined} the newest message when the reader left the end */
  let left;

  /** @param {string} key */
  function makeRow(key) {
    const [type, id] = split(key);
    switch (type) {
      case 'day':
        return lineRow({ class: 'day', 'data-day': id, role: 'separator' });
      case 'unread':
        return lineRow({ class: 'day unread-line', 'data-testid': 'unread-divider', role: 'separator' }, 'New');
      case 'run':
        return runEnd(client, id);
      case 'work':
        return workBlock(client, id, { memory, conversationId, loadSteps: () => steps.get().more() });
      case 'approval':
        return approvalRecord(client, id);
      default:
        return messageRow(client, id, memory);
    }
  }

  function paint() {
    const { rows: all, loading, hasMore } = messages.get();
    const { rows: known } = runs.get();
    const done = steps.get();
    const past = approvals.get().rows.filter((/** @type {any} */ row) => row.conversationId === conversationId && !isOpen(row) && !inDock(row.id));
    const { works, loose } = gather({ runs: known, children: children.of(done.rows, known), steps: done.rows, approvals: past, partial: done.hasMore });
    going = known.filter((/** @type {any} */ run) => run.state === 'running' && !isNested(run, works));
    rows.set(arrange({ messages: all, works, loose, unreadFrom: reader.look(all), cut: hasMore, now: client.now() }));
    inLive.set(going.map((run) => ({ key: run.id, item: run })));
    paintEmpty(all.length === 0 && known.length === 0, loading);
    top.paint();
    told.hear(all, scope.get().phase === 'live');
    lookAgain();
    settle();
    paintEnd();
  }

  /** Brings the scroller and the part of the list that is in the page to where they belong. */
  function settle() {
    stick.keep();
    rows.fit();
    top.near(scroller);
    paintUnread();
  }

  /** @param {boolean} isEmpty @param {boolean} loading */
  function paintEmpty(isEmpty, loading) {
    const { phase, reason } = scope.get();
    attribute(element, 'data-scope', phase);
    show(empty, isEmpty);
    attribute(empty, 'data-loading', loading && phase !== 'denied' ? '' : null);
    text(empty, phase === 'denied' ? (reason ?? 'You may not read this conversation.') : loading ? 'Loading the conversation…' : 'Nothing said yet. Say hello.');
  }

  /** @param {boolean} atEnd */
  function onEnd(atEnd) {
    left = atEnd ? undefined : messages.get().rows.at(-1)?.id;
    paintEnd();
    if (atEnd) reader.read();
  }

  function paintEnd() {
    const all = messages.get().rows;
    const since = left === undefined ? -1 : all.findLastIndex((/** @type {any} */ { id }) => id === left);
    const news = since < 0 ? 0 : all.length - 1 - since;
    show(end, !stick.isAtEnd());
    end.style.bottom = `${live.offsetHeight + 10}px`;
    attribute(end, 'data-count', news || null);
    text(endWords, news > 0 ? `${news} new` : 'Newest');
  }

  function paintUnread() {
    const line = rows.get(UNREAD)?.element;
    const count = reader.count();
    const isAbove = reader.from() !== null && (!line || line.getBoundingClientRect().bottom < scroller.getBoundingClientRect().top);
    show(toUnread, isAbove && !sawUnread);
    if (line && !isAbove) sawUnread = true;
    text(unreadWords, count > 0 ? `${count} unread` : 'First unread');
  }
  let sawUnread = false;

  function toEnd() {
    rows.toEnd();
    stick.toEnd();
    settle();
  }

  /** @param {string} key @returns {any} */
  function goTo(key) {
    const row = rows.reach(key);
    if (!row) return undefined;
    bringToMiddle(row);
    settle();
    return row;
  }

  /** @param {any} row */
  function bringToMiddle(row) {
    const [at, place] = [row.getBoundingClientRect(), scroller.getBoundingClientRect()];
    scroller.scrollTop += at.top - place.top - Math.max(48, (place.height - at.height) / 2);
    stick.leave();
  }

  function goToUnread() {
    goTo(UNREAD);
    sawUnread = true;
    paintUnread();
  }

  /** What leads to the tool call that an approval was for, once it is there. @param {string} approvalId */
  function toResult(approvalId) {
    const step = steps.get().rows.find((/** @type {any} */ each) => each.approvalId === approvalId);
    if (!step) return null;
    return h('button', { type: 'button', class: 'quiet to-result', 'data-testid': 'approval-result', 'data-step-id': step.id, onclick: () => showStep(step) }, 'See what it did');
  }

  /** @param {any} step */
  function showStep(step) {
    goTo(`work/${step.runId}`);
    const row = /** @type {any} */ (rows.get(`work/${step.runId}`))?.reveal(step.id);
    if (!row) return;
    bringToMiddle(row);
    row.querySelector('summary').focus({ preventScroll: true });
  }

  let today = '';
  rows.onFit(stick.keep);
  scroller.addEventListener('scroll', () => {
    rows.fit();
    top.near(scroller);
    paintUnread();
  }, { passive: true });
  ends.add(watch(messages, paint), runs.subscribe(paint), steps.subscribe(paint), approvals.subscribe(paint), scope.subscribe(paint),
    stopByEscape({ going: () => going.filter((run) => !run.stopping), stop: stops.stop, armed: (on) => ((armed = on), inLive.set(going.map((run) => ({ key: run.id, item: run })))) }),
    everySecond(() => {
      const now = new Date(client.now()).toDateString();
      if (today && now !== today) paint();
      today = now;
    }),
    stops.end, reader.end, children.end, stick.end, rows.end, inLive.end);
  return { element, end: ends.end, toEnd, toResult, paint };
}

const isLine = (/** @type {string} */ key) => key === UNREAD || key.startsWith('day/');

/** @param {string} key `type/id` */
const split = (key) => [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];

/** @param {Record<string, any>} properties @param {string} [words] */
function lineRow(properties, words) {
  const label = h('span');
  const element = h('div', properties, label);
  return { element, update: (/** @type {string | null} */ heading) => text(label, heading ?? words ?? '') };
}
