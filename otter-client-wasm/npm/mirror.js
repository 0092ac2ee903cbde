import { own } from './state.js';

/**
 * What a core has told so far, per scope, so that a tab that comes later gets it too.
 *
 * @typedef {{
 *   name: string, known: boolean, phase: any, rows: Map<string, any[]>, slots: Map<string, [string, string, string]>,
 *   lists: Map<string, any[]>, signals: Map<string, any[]>,
 * }} Scope `known`: its rows were told
 */
export function createMirror() {
  /** @type {Map<string, Scope>} */
  const scopes = new Map();
  /** @type {Map<string, any>} by `type/id` */
  const local = new Map();
  /** @type {Set<string>} runs whose text came from a core that died */
  const orphans = new Set();
  /** @type {Record<string, any>} */
  let common = {};

  /** @param {string} name @returns {Scope} */
  function scope(name) {
    const key = own(name);
    let found = scopes.get(key);
    if (!found) {
      found = { name, known: false, phase: null, rows: new Map(), slots: new Map(), lists: new Map(), signals: new Map() };
      scopes.set(key, found);
    }
    return found;
  }

  /** @param {any} changes a `Drain`, its signals with the moment at which they were heard */
  function apply(changes) {
    for (const part of ['connection', 'self', 'serverOffsetMs']) if (part in changes) common = { ...common, [part]: changes[part] };
    for (const name of changes.reset ?? []) {
      for (const key of scope(name).rows.keys()) local.delete(key);
      Object.assign(scope(name), { name, known: true, rows: new Map(), lists: new Map() });
    }
    for (const [name, key] of changes.drop ?? []) scope(name).rows.delete(key);
    for (const put of changes.put ?? []) {
      const of = scope(put[0]);
      of.known = true;
      of.rows.set(put[1], put);
    }
    for (const slot of changes.slots ?? []) applySlot(slot);
    for (const name of changes.reset ?? []) for (const run of scope(name).slots.keys()) if (orphans.delete(run)) scope(name).slots.delete(run);
    for (const list of changes.lists ?? []) scope(list[0]).lists.set(list[1], list);
    for (const signal of changes.signals ?? []) applySignal(signal);
    for (const [key, value] of Object.entries(changes.local ?? {})) value ? local.set(key, value) : local.delete(key);
    for (const [name, phase] of Object.entries(changes.scopes ?? {})) scope(name).phase = phase;
  }

  /** @param {[string, string, number, string | null]} slot */
  function applySlot([conversation, run, from, text]) {
    const { slots } = scope(`conversation/${conversation}`);
    orphans.delete(run);
    const old = slots.get(run)?.[2] ?? '';
    if (text === null) slots.delete(run);
    else slots.set(run, [conversation, run, old.slice(0, from) + text]);
  }

  /** @param {any[]} signal */
  function applySignal(signal) {
    const [name, kind, id, data] = signal;
    const { signals } = scope(name);
    if (data === null) signals.delete(`${kind}/${id}`);
    else signals.set(`${kind}/${id}`, signal);
  }

  /** All of a scope, to begin with. @param {string} name @param {Set<string>} lists the types whose reach is wanted @returns {any} */
  function whole(name, lists) {
    const of = scopes.get(own(name));
    if (!of) return {};
    const put = [...of.rows.values()];
    return {
      ...(of.known && { reset: [of.name], fresh: [of.name], put }),
      slots: [...of.slots.values()].map(([conversation, run, text]) => [conversation, run, 0, text]),
      signals: [...of.signals.values()],
      lists: [...of.lists.values()].filter(([, type]) => lists.has(`${own(name)}/${type}`)),
      local: Object.fromEntries(put.map(([, key]) => [key, local.get(key) ?? null])),
      ...(of.phase && { scopes: { [of.name]: of.phase } }),
    };
  }

  return {
    apply,
    whole,
    common: () => common,
    /** @param {string} name @param {string} type */
    list: (name, type) => scopes.get(own(name))?.lists.get(type),
    /** @param {string} name */
    forget(name) {
      for (const key of scopes.get(own(name))?.rows.keys() ?? []) local.delete(key);
      scopes.delete(own(name));
    },
    /** Somebody else is here now. */
    clear() {
      scopes.clear();
      local.clear();
      orphans.clear();
      common = {};
    },
    /** The core died: what it showed is stale until the next one has told it again. */
    orphan() {
      delete common.connection;
      for (const of of scopes.values()) {
        for (const run of of.slots.keys()) orphans.add(run);
        if (of.phase?.phase === 'live') of.phase = { phase: 'stale', reason: 'crashed' };
      }
    },
  };
}
