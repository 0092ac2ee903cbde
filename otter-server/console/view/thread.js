import { attribute, bag, h, keyed, show, text, watch } from '../dom.js';
import { everySecond } from '../seconds.js';
import { day } from '../words.js';
import { messageRow } from './message.js';
import { runRow } from './run.js';
import { stickToEnd } from './stick.js';

const SAME_BREATH_MS = 5 * 60_000;

/**
 * The messages of a conversation with its runs, each run after its answer, those still going on below everything.
 *
 * @param {any} client @param {string} conversationId
 */
export function thread(client, conversationId) {
  const ends = bag();
  const rows = h('div', { class: 'rows', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions', 'aria-label': 'Messages' });
  const live = h('div', { class: 'live-runs' });
  const empty = h('div', { class: 'empty' });
  const end = h('button', { type: 'button', class: 'to-end', hidden: true }, 'Newest ↓');
  const scroller = h('div', { class: 'scroller', tabIndex: -1 }, empty, rows, live);
  const element = h('div', { class: 'thread' }, scroller, end);
  const stick = stickToEnd(scroller, end);
  const stops = createStops(client, conversationId, paint);
  const messages = client.messages(conversationId);
  const runs = client.runs(conversationId);
  const scope = client.scope(`conversation/${conversationId}`);
  const inRows = keyed(rows, (key) => {
    const [type, id] = split(key);
    if (type === 'day') return dayRow(id);
    return type === 'run' ? runRow(client, id, stops) : messageRow(client, id);
  });
  const inLive = keyed(live, (id) => runRow(client, id, stops));

  function paint() {
    const { rows: all, loading } = messages.get();
    const { rows: known } = runs.get();
    const going = known.filter((/** @type {any} */ run) => run.state === 'running');
    inRows.set(arrange(all, known.filter((/** @type {any} */ run) => run.state !== 'running'), client.now()));
    inLive.set(going.map(({ id }) => ({ key: id })));
    const { phase, reason } = scope.get();
    attribute(element, 'data-scope', phase);
    show(empty, all.length === 0);
    attribute(empty, 'data-loading', loading ? '' : null);
    text(empty, phase === 'denied' ? (reason ?? 'You may not read this conversation.') : loading ? 'Loading the conversation…' : 'Nothing said yet. Say hello.');
    stick.keep();
  }

  let today = '';
  ends.add(watch(messages, paint), runs.subscribe(paint), scope.subscribe(paint), stick.end, inRows.end, inLive.end,
    everySecond(() => {
      const now = new Date(client.now()).toDateString();
      if (today && now !== today) paint();
      today = now;
    }));
  return { element, end: ends.end, toEnd: stick.toEnd };
}

/** @param {string} key `type/id` */
const split = (key) => [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];

/**
 * The order of the rows: messages with a line where a day begins, and ended runs after their answer or at their time.
 *
 * @param {readonly any[]} messages @param {readonly any[]} ended @param {number} now
 */
function arrange(messages, ended, now) {
  const answers = new Set(messages.map(({ id }) => id));
  const after = new Map(ended.filter(({ id }) => answers.has(`${id}:answer`)).map((run) => [`${run.id}:answer`, run]));
  const loose = ended.filter(({ id }) => !answers.has(`${id}:answer`)).sort((a, b) => (a.endedAt < b.endedAt ? -1 : 1));
  const latest = messages.findLast(({ author }) => author?.type !== 'agent');
  const entries = [];
  let lastDay = '';
  /** @type {any} */
  let before;
  const addRun = (/** @type {any} */ run) => entries.push({ key: `run/${run.id}`, item: run });
  for (const message of messages) {
    while (loose[0] && (!message.sentAt || loose[0].endedAt < message.sentAt)) addRun(loose.shift());
    const date = message.sentAt ? new Date(message.sentAt).toDateString() : lastDay;
    if (date !== lastDay) {
      entries.push({ key: `day/${date}`, item: day(message.sentAt, now) });
      before = undefined;
    }
    lastDay = date;
    entries.push({ key: `message/${message.id}`, item: { message, follows: isSameBreath(before, message), latest: message === latest, ended: after.has(message.id) } });
    before = message;
    const run = after.get(message.id);
    if (run) addRun(run);
  }
  loose.forEach(addRun);
  return entries;
}

/** @param {any} before @param {any} message */
function isSameBreath(before, message) {
  if (!before || before.author?.type !== message.author?.type || before.author?.id !== message.author?.id) return false;
  if (message.author?.type === 'agent') return false;
  return !message.sentAt || !before.sentAt || Date.parse(message.sentAt) - Date.parse(before.sentAt) < SAME_BREATH_MS;
}

/** @param {string} id */
function dayRow(id) {
  const label = h('span');
  const element = h('div', { class: 'day', 'data-day': id, role: 'separator' }, label);
  return { element, update: (/** @type {string} */ heading) => text(label, heading) };
}

/**
 * Stops of this tab: a run is `stopping` from the click until it ended, or until the stop was refused.
 *
 * @param {any} client @param {string} conversationId @param {() => void} changed
 */
function createStops(client, conversationId, changed) {
  /** @type {Map<string, { error?: any }>} */
  const stopping = new Map();
  return {
    stopping: (/** @type {string} */ id) => stopping.get(id),
    /** @param {any} run */
    stop(run) {
      const entry = {};
      stopping.set(run.id, entry);
      changed();
      client.command('run.abort', { runId: run.id, conversationId }).done.then((/** @type {any} */ { state, error }) => {
        if (state !== 'completed') stopping.set(run.id, { error: error ?? { message: state } });
        changed();
      });
    },
  };
}
