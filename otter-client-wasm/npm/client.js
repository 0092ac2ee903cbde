import { createCommands } from './commands.js';
import { createFlush } from './flush.js';
import { createHold } from './hold.js';
import { createOwnHost } from './host.js';
import { createScopes } from './scopes.js';
import { isOther, sameText } from './same.js';
import { createState, own, OWN } from './state.js';
import { createSharedHost } from './tabs.js';
import { attempt, createTopics } from './topics.js';
import { VERSION } from './version.js';
import { createViews } from './views.js';

/** @type {import('./index.js').Connection} */
const IDLE = Object.freeze({
  phase: 'idle', reason: null, code: null, since: null, attempt: 0, nextRetryAt: null, roundTripMs: null,
});
/** @type {import('./index.js').ScopeState} */
const LOADING = Object.freeze({ phase: 'loading', reason: null });
const IN_CONVERSATION = new Set(['message', 'run', 'step']);

/**
 * @param {() => Promise<import('./boundary.js').CoreConstructor>} load
 * @param {import('./index.js').ClientOptions} [options]
 * @param {{ open: () => SharedWorker, bytes: () => Promise<ArrayBuffer> }} [worker] how tabs share a core, where they can
 * @returns {import('./index.js').Client}
 */
export function createClientWith(load, options = {}, worker) {
  const topics = createTopics();
  const state = createState(topics, options.freeze ?? isDevelopment(), (scope, key) => send({ t: 'text', scope, kind: key }));
  const scopes = createScopes(send, state.release, forget);
  const hold = createHold(() => (options.storage === undefined ? globalThis.localStorage ?? null : options.storage), () => address(options.url));
  const commands = createCommands(topics, send, scopes.retain, hold);
  /** @type {Map<string, Set<{ fn: Function, active: boolean }>>} */
  const callbacks = new Map();
  /** @type {Map<string, import('./index.js').ScopeState>} */
  const phases = new Map();
  /** @type {[any, boolean][]} */
  let events = [];
  let connection = IDLE;
  /** @type {any} */
  let self = null;
  let offsetMs = 0;
  let closed = false;

  const flush = createFlush({ take: () => host.take(), apply, isDirty: topics.isDirty, emit: topics.emit, deliver });
  const core = {
    load: async () => options.core ?? load(),
    options: () => ({ url: address(options.url), client: options.client ?? { name: '@otter-camp/client', version: VERSION } }),
    WebSocket: () => options.WebSocket ?? globalThis.WebSocket,
    replay: () => [listening(), ...scopes.replay(), ...commands.replay()],
    self: () => self,
    changed: flush.schedule,
    shown: flush.shown,
    fail,
  };
  // A constructor cannot be handed to a worker.
  const shares = worker && globalThis.SharedWorker && options.shared !== false && !options.core && !options.WebSocket;
  const host = shares ? createSharedHost({ ...core, ...worker }) : createOwnHost(core);

  function start() {
    if (closed || connection !== IDLE) return;
    setConnection({ ...IDLE, phase: 'connecting', since: Date.now() });
    host.start();
  }

  /** @param {import('./boundary.js').ToCore} message */
  function send(message) {
    host.post(message);
    flush.schedule();
  }

  /** @param {any} changes a `Drain`; its part `events` waits for `deliver` */
  function apply(changes) {
    if (changes.connection) setConnection(changes.connection);
    if (changes.self !== undefined) introduce(changes.self);
    if (changes.serverOffsetMs !== undefined) setClock(changes.serverOffsetMs);
    state.apply(changes, now());
    for (const [scope, phase] of Object.entries(changes.scopes ?? {})) setPhase(scope, phase);
    for (const change of changes.commands ?? []) commands.apply(change);
    events.push(...(changes.events ?? []));
  }

  /** @param {number} offset */
  function setClock(offset) {
    offsetMs = offset;
    topics.mark('clock');
  }

  /** @param {any} principal */
  function introduce(principal) {
    const isNew = !self || isOther(self, principal);
    // The core has dropped what the former person asked for, and a new one never had what that person saw.
    if (self && isNew) {
      commands.close({ code: 'signedOut', message: 'someone else signed in before this was carried out' });
      forgetReading();
      [...phases.keys()].forEach((scope) => setPhase(scope, LOADING));
      state.clear();
    }
    self = Object.freeze(principal);
    topics.mark('self');
    if (isNew && principal?.type === 'member') hold.introduce(principal).forEach(commands.restore);
  }

  /** @param {string} reason @param {number | null} nextRetryAt */
  function fail(reason, nextRetryAt) {
    setConnection({ ...IDLE, phase: nextRetryAt ? 'waiting' : 'stopped', reason, since: Date.now(), nextRetryAt });
    for (const [scope, { phase }] of phases) if (phase === 'live') setPhase(scope, { phase: 'stale', reason });
    state.orphan();
    topics.emit();
  }

  /** @param {import('./index.js').Connection} value */
  function setConnection(value) {
    connection = Object.freeze(value);
    topics.mark('connection');
  }

  /** @param {string} scope @param {import('./index.js').ScopeState} phase */
  function setPhase(scope, phase) {
    phases.set(own(scope), Object.freeze(phase));
    topics.mark(`scope:${own(scope)}`);
  }

  /** @param {string} scope */
  function forget(scope) {
    phases.delete(own(scope));
    state.forget(scope);
  }

  function deliver() {
    const batch = events;
    events = [];
    for (const [event, replayed] of batch) {
      for (const entry of [...(callbacks.get(event.kind) ?? []), ...(callbacks.get('*') ?? [])]) {
        if (entry.active && !closed) attempt(() => entry.fn(event, { replayed }));
      }
    }
  }

  /** @returns {import('./boundary.js').ToCore} */
  const listening = () => ({ t: 'listen', kinds: [...callbacks.keys()] });

  /** @type {import('./index.js').Client['on']} */
  function on(kind, fn) {
    if (closed) return () => {};
    const entry = { fn, active: true };
    const entries = callbacks.get(kind) ?? new Set();
    entries.add(entry);
    if (entries.size === 1) {
      callbacks.set(kind, entries);
      send(listening());
    }
    start();
    return () => {
      entry.active = false;
      if (!entries.delete(entry) || entries.size > 0) return;
      callbacks.delete(kind);
      send(listening());
    };
  }

  /**
   * @template T
   * @param {string | string[] | null} follow scopes followed while somebody listens
   * @param {string[]} names topics that may change the value
   * @param {() => T} get
   */
  function store(follow, names, get) {
    return topics.store(names, get, () => {
      if (closed) return undefined;
      const releases = [follow ?? []].flat().map(scopes.retain);
      start();
      return () => releases.forEach((release) => release());
    });
  }

  /** @param {string} type @param {string} id @returns {import('./index.js').Store<import('./index.js').LongText>} */
  function textStore(type, id) {
    /** @type {any} */
    let value;
    return topics.store([`text:${type}/${id}`, `entity:${type}/${id}`], () => {
      const next = state.text(type, id);
      if (!value || !sameText(value, next)) value = Object.freeze(next);
      return value;
    }, () => {
      if (closed) return undefined;
      start();
      return state.listenText(type, id);
    });
  }

  /**
   * Items of one type in one scope, and whether they are still on their way.
   *
   * @param {string} scope @param {string} type @param {string} field @param {() => readonly any[]} read
   * @returns {import('./index.js').Store<any>}
   */
  function listStore(scope, type, field, read) {
    /** @type {any} */
    let value;
    const more = () => older(scope, type);
    const names = [`bucket:${scope}/${type}`, `scope:${scope}`];
    if (type === 'message') names.push(`entity:${scope}`);
    return store(scope, names, () => {
      const items = read();
      const reach = state.reach(scope, type);
      const starts = items.length === 0 && (phases.get(scope) ?? LOADING).phase === 'loading';
      const loading = starts || reach.loading;
      const hasMore = !starts && reach.hasMore;
      const { error } = reach;
      if (value?.[field] !== items || value.loading !== loading || value.hasMore !== hasMore || value.error !== error) {
        value = Object.freeze({ [field]: items, hasMore, loading, error, more });
      }
      return value;
    });
  }

  /** @param {string} scope @returns {import('./index.js').Store<readonly string[]>} */
  function typesStore(scope) {
    /** @type {readonly string[]} */
    let value = [];
    return store(scope, [`types:${scope}`], () => {
      const next = state.types(scope);
      if (!sameText(value, next)) value = Object.freeze(next);
      return value;
    });
  }

  /** Older rows come to a scope that is followed, and only then. @param {string} scope @param {string} type */
  function older(scope, type) {
    if (!closed && !state.reach(scope, type).loading) send({ t: 'more', scope, kind: type });
  }

  const now = () => Date.now() + offsetMs;

  /** @type {import('./index.js').Client['command']} */
  function command(kind, data) {
    const handle = commands.send(kind, data);
    if (closed) commands.close();
    start();
    flush.drain();
    return handle;
  }

  /** @param {string} scope @param {string} kind @param {object} data */
  const signal = (scope, kind, data) => send({ t: 'signal', scope, kind, data });

  const { stop: stopViews, forget: forgetReading, ...views } = createViews({
    state,
    topics,
    store,
    isLoading: (scope) => (phases.get(scope) ?? LOADING).phase === 'loading',
    isLive: (scope) => phases.get(scope)?.phase === 'live',
    older,
    command,
    drain: flush.drain,
    pending: commands.rows,
    signal,
    self: () => self,
    now,
  });

  return {
    ...views,
    start,
    on,
    send: signal,
    connection: store(null, ['connection'], () => connection),
    self: store(null, ['self'], () => self),
    scope: (name) => store(name, [`scope:${own(name)}`], () => phases.get(own(name)) ?? LOADING),
    /** @param {string} type @param {string} id */
    entity: (type, id) => store(IN_CONVERSATION.has(type) ? null : type === 'mark' ? OWN : 'org', [`entity:${type}/${id}`], () => state.entity(type, id)),
    list: (type, { scope = 'org', ...query } = {}) => listStore(own(scope), type, 'ids', () => state.list(own(scope), type, query)),
    types: (scope = 'org') => typesStore(own(scope)),
    messages: (id) => listStore(`conversation/${id}`, 'message', 'rows', () => state.messages(id)),
    text: (id, type = 'message') => textStore(type, id),
    /** @param {string} kind @param {string} key */
    signal: (kind, key) => store(null, [`signal:${kind}/${key}`], () => state.signal(`${kind}/${key}`)),
    command,
    commands: () => store(null, ['commands'], commands.rows),
    retry(id) {
      const handle = commands.retry(id);
      flush.drain();
      return handle;
    },
    dismiss(id) {
      commands.dismiss(id);
      flush.drain();
    },
    now,
    hashes: host.hashes,
    close() {
      if (closed) return;
      stopViews();
      closed = true;
      flush.stop();
      host.stop();
      scopes.stop();
      commands.close();
      setConnection({ ...IDLE, phase: 'closed', since: Date.now() });
      topics.clear();
      callbacks.clear();
    },
  };
}

/** @param {string | URL} [url] */
function address(url = '/ws') {
  const resolved = new URL(url, globalThis.location?.href);
  resolved.protocol = resolved.protocol.replace('http', 'ws');
  return resolved.href;
}

function isDevelopment() {
  // Bundlers replace the whole expression; a plain page has no `process`.
  try {
    return process.env.NODE_ENV !== 'production';
  } catch {
    return false;
  }
}
