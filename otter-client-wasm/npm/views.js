import { createReading } from './reading.js';
import { keep, sameList, sameText } from './same.js';
import { OWN } from './state.js';

const TYPING_SENT_MS = 3000;
const TYPING_LIFE_MS = 6000;
const TICK_MS = 1000;
const MINUTE_MS = 60_000;
const STOPPING = new Set(['held', 'sent', 'accepted', 'received', 'started', 'completed']);
const APPROVAL_ORDER = ['pending', 'decided'];

/**
 * What the product shows, derived from entities and signals: approvals, tasks, the feed, what is unread, steps and runs,
 * who is here, the fleet.
 *
 * @param {{
 *   state: ReturnType<typeof import('./state.js').createState>,
 *   topics: ReturnType<typeof import('./topics.js').createTopics>,
 *   store: (scopes: string[], names: string[], get: () => any) => import('./index.js').Store<any>,
 *   isLoading: (scope: string) => boolean,
 *   isLive: (scope: string) => boolean,
 *   older: (scope: string, type: string) => void,
 *   command: import('./index.js').Client['command'],
 *   drain: () => void,
 *   pending: () => readonly any[],
 *   signal: (scope: string, kind: string, data: object) => void,
 *   self: () => any,
 *   now: () => number,
 * }} of `pending` gives the commands of this tab that are not through, `drain` runs who listens to what changed
 */
export function createViews({ state, topics, store, isLoading, isLive, older, command, drain, pending, signal, self, now }) {
  /** @type {Map<string, number>} when this tab last said that it writes, by conversation */
  const typed = new Map();
  let watchers = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;

  const bucket = (/** @type {string} */ scope, /** @type {string} */ type) => `bucket:${scope}/${type}`;
  const conversation = (/** @type {string} */ id) => `conversation/${id}`;

  function onRead() {
    topics.mark(bucket(OWN, 'mark'));
    drain();
  }

  const reading = createReading({ command, changed: onRead });

  /**
   * @param {string[]} scopes followed while somebody listens
   * @param {string[]} names topics that may change the value
   * @param {() => any[]} read
   * @param {(...inputs: any[]) => any} make runs when what was read is not the same again
   */
  function view(scopes, names, read, make) {
    /** @type {any[]} */
    let last = [];
    /** @type {any} */
    let value;
    return store(scopes, [...names, ...scopes.map((scope) => `scope:${scope}`)], () => {
      const inputs = read();
      if (value === undefined || !sameList(inputs, last)) {
        const next = make(...inputs);
        value = typeof next === 'object' ? keep(value, next) : next;
        last = inputs;
      }
      return value;
    });
  }

  /**
   * Rows of one type, read with the further inputs of `more`.
   *
   * @param {string} scope @param {string} type @param {string} order
   * @param {{ scopes?: string[], names?: string[], read?: () => any[] }} more
   * @param {(entities: readonly any[], starts: boolean, ...inputs: any[]) => { rows: readonly any[] }} make
   */
  function rowsView(scope, type, order, { scopes = [], names = [], read = () => [] }, make) {
    const follows = [scope, ...scopes];
    const more = () => older(scope, type);
    const inputs = () => {
      const { hasMore, loading, error } = state.reach(scope, type);
      return [state.entities(scope, type, order), follows.some(isLoading), hasMore, loading, error, ...read()];
    };
    return view(follows, [bucket(scope, type), ...names], inputs, (entities, starts, hasMore, loading, error, ...rest) => {
      const made = make(entities, starts, ...rest);
      const empty = starts && entities.length === 0;
      return { ...made, hasMore: hasMore && !empty, loading: loading || empty, error, more };
    });
  }

  // What was read here counts like a mark.
  const marks = { scopes: [OWN], names: [bucket(OWN, 'mark')], read: () => [state.entities(OWN, 'mark', 'id'), reading.version()] };

  function approvals() {
    const rank = (/** @type {any} */ row) => (APPROVAL_ORDER.indexOf(row.state) + 3) % 3;
    return rowsView('org', 'approval', 'requestedAt', {}, (entities) => {
      const waiting = entities.filter((row) => row.state === 'pending' || row.state === 'decided').sort((a, b) => rank(a) - rank(b));
      const ended = entities.filter((row) => !waiting.includes(row)).reverse();
      return { rows: [...waiting, ...ended], pending: waiting.filter((row) => row.state === 'pending').length };
    });
  }

  const tasks = () => rowsView('org', 'task', '-createdAt', {}, (rows) => ({ rows }));

  /** @param {{ archived?: boolean }} [options] */
  function feed({ archived = false } = {}) {
    return rowsView('org', 'feedItem', '-occurredAt', marks, (entities, loading, read) => {
      const seen = new Set(read.map((/** @type {any} */ mark) => mark.id));
      // Before the marks are there nothing is called unread, and never what is older than marks are kept for.
      const isRead = (/** @type {any} */ { id }) => loading || seen.has(id) || reading.has(id) || !state.isLive('feedItem', id);
      const rows = entities.map((item) => decorate(item, { read: isRead(item) }));
      const unread = rows.filter((item) => !item.read && !item.archived).length;
      return { rows: rows.filter((item) => Boolean(item.archived) === archived), unread };
    });
  }

  /** @param {string} [id] a conversation; without it all that are not archived */
  function unread(id) {
    const names = [...marks.names, id ? `entity:conversation/${id}` : bucket('org', 'conversation')];
    const read = () => [
      isLoading('org') || isLoading(OWN),
      id ? state.entity('mark', id) : marks.read()[0],
      reading.version(),
      id ? state.entity('conversation', id) : state.entities('org', 'conversation', 'id'),
    ];
    return view(['org', OWN], names, read, (loading, _, __, of) => {
      if (loading) return 0;
      const counted = id ? [of] : of.filter((/** @type {any} */ each) => !each.archived);
      return counted.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + unreadOf(each), 0);
    });
  }

  /** @param {any} of a conversation */
  const unreadOf = (of) => {
    const read = Math.max(state.entity('mark', of?.id)?.messageCount ?? 0, of?.importedCount ?? 0, reading.count(of?.id));
    return Math.max(0, (of?.messageCount ?? 0) - read);
  };

  /** @param {string} id a conversation */
  function markRead(id) {
    const of = state.entity('conversation', id);
    return unreadOf(of) > 0 ? reading.readTo(id, of.messageCount) : null;
  }

  /** @param {readonly string[]} ids of feed items */
  function markItemsRead(ids) {
    const isUnread = (/** @type {string} */ id) => state.isLive('feedItem', id) && !state.entity('mark', id) && !reading.has(id);
    reading.readItems(ids.filter(isUnread));
  }

  /** @param {string} id a conversation */
  function runs(id) {
    const aborts = () => [state.entities('org', 'command', 'issuedAt'), pending()];
    const more = { scopes: ['org'], names: [bucket('org', 'command'), 'commands'], read: aborts };
    return rowsView(conversation(id), 'run', 'startedAt', more, (entities, _, shared, mine) => {
      const stopped = new Set();
      for (const each of shared) if (each.kind === 'run.abort' && STOPPING.has(each.stage)) stopped.add(each.runId);
      for (const each of mine) if (each.kind === 'run.abort' && STOPPING.has(each.state)) stopped.add(each.data.runId);
      return { rows: entities.map((run) => (run.state === 'running' && stopped.has(run.id) ? decorate(run, { stopping: true }) : run)) };
    });
  }

  /** @param {string} id a conversation @param {string} [runId] */
  function steps(id, runId) {
    return rowsView(conversation(id), 'step', 'startedAt', {}, (entities) => ({
      rows: runId ? entities.filter((step) => step.runId === runId) : entities,
    }));
  }

  function instances() {
    const more = {
      names: [bucket('org', 'conversation'), 'signals:instance.heartbeat'],
      read: () => [state.entities('org', 'conversation', 'id'), ...state.signals('instance.heartbeat')],
    };
    return rowsView('org', 'instance', 'name', more, (entities, _, conversations, ...heartbeats) => ({
      rows: entities.map((instance) => {
        const beat = heartbeats.find(({ data }) => data.instanceId === instance.id);
        const openRuns = conversations.filter((/** @type {any} */ each) => each.instanceId === instance.id && each.activeRun).length;
        return decorate(instance, { openRuns, heardAt: beat ? at(beat.data.heardAt) || beat.heardAt : null, outbox: beat?.data.outbox ?? instance.outbox ?? null });
      }),
    }));
  }

  function presence() {
    const read = () => [isLive('org'), ...state.signals('presence')];
    return view(['org'], ['signals:presence'], read, (live, ...signals) => {
      const online = signals.map(({ data }) => data).filter(({ state }) => live && state === 'online');
      return { rows: online.sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '')) };
    });
  }

  /** @param {string} id a conversation */
  function typing(id) {
    const scope = conversation(id);
    const read = () => {
      const since = now() - TYPING_LIFE_MS;
      const writes = (/** @type {any} */ each) => each.scope === scope && each.data.active && each.heardAt > since;
      return state.signals('typing').filter((each) => writes(each) && each.data.memberId !== self()?.id);
    };
    const of = view([scope], ['signals:typing', 'clock'], read, (...signals) => ({ rows: signals.map(({ data }) => data) }));
    return ticking(of);
  }

  /** @param {string} id a conversation @param {boolean} [active] */
  function setTyping(id, active = true) {
    const last = typed.get(id) ?? -Infinity;
    const age = now() - last;
    if (active ? age < TYPING_SENT_MS : age > TYPING_LIFE_MS) return;
    if (active) typed.set(id, now());
    else typed.delete(id);
    signal(conversation(id), 'typing', { active });
  }

  /** @param {string | number | null | undefined} instant @returns {number} ms since 1970, NaN without one */
  const at = (instant) => (typeof instant === 'string' ? Date.parse(instant) : (instant ?? NaN));

  /** @param {string | number | null | undefined} instant */
  function timeLeft(instant) {
    return ticking(topics.store(['clock'], () => whole(at(instant) - now(), TICK_MS)));
  }

  /** @param {string | number | null | undefined} instant */
  function age(instant) {
    return ticking(
      topics.store(['clock'], () => {
        const ms = now() - at(instant);
        return whole(ms, ms < MINUTE_MS ? TICK_MS : MINUTE_MS);
      }),
    );
  }

  /** A store that is also looked at once a second. @template T @param {import('./index.js').Store<T>} of */
  function ticking(of) {
    /** @param {() => void} fn */
    const subscribe = (fn) => {
      const end = of.subscribe(fn);
      if (watchers++ === 0) clock = setInterval(tick, TICK_MS);
      /** @type {any} */ (clock)?.unref?.();
      let on = true;
      return () => {
        if (on && --watchers === 0) clearInterval(clock);
        on = false;
        end();
      };
    };
    return { get: of.get, subscribe };
  }

  function tick() {
    topics.mark('clock');
    topics.emit();
  }

  return {
    approvals,
    tasks,
    feed,
    unread,
    markRead,
    markItemsRead,
    runs,
    steps,
    instances,
    presence,
    typing,
    setTyping,
    timeLeft,
    age,
    /** @param {any} approval @param {import('./index.js').Decision} decision */
    decide: (approval, decision) => command('approval.decide', { approvalId: approval.id, rev: approval.rev, decision }),
    forget: reading.forget,
    stop() {
      reading.stop();
      clearInterval(clock);
    },
  };
}

/** @type {WeakMap<object, { extra: object, value: any }>} */
const decorated = new WeakMap();

/** An entity with derived fields: the same object again for the same entity and fields. @param {any} entity @param {object} extra */
function decorate(entity, extra) {
  const old = decorated.get(entity);
  if (old && sameText(old.extra, extra)) return old.value;
  const value = Object.freeze({ ...entity, ...extra });
  decorated.set(entity, { extra, value });
  return value;
}

/** @param {number} ms @param {number} unit @returns {number | null} at least 0, in whole units rounded up to seconds; null when unknown */
const whole = (ms, unit) => (Number.isNaN(ms) ? null : Math.max(0, Math.floor(ms / unit) * unit));
