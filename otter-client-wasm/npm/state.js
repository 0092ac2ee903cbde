import { createReaches, createTexts, read } from './history.js';
import { sameList, sameText } from './same.js';

/**
 * The entity cache of one client: one immutable object per entity, the same reference until it changed, and lists
 * derived from them.
 *
 * @typedef {{ commandId: string, stage: 'held' | 'sent' | 'refused', error?: any }} Local
 * @typedef {{ scope: string, type: string, id: string, rev: number, live: boolean, data: any, local?: Local, entity: any }} Row
 * @typedef {{ conversationId: string, runId: string, text: string, agentId?: string, row: any }} Slot
 * @typedef {{ rows: Map<string, Row>, version: number, lists: Map<string, { version: number, value: any }> }} Bucket
 */

const LISTS_PER_BUCKET = 64;
const SIGNALS = 1000;

/**
 * @param {{ mark: (topic: string) => void }} topics hears `entity:<type>/<id>`, `bucket:<scope>/<type>`,
 * `types:<scope>`, `signal:<kind>/<key>`
 * @param {boolean} freeze whether objects handed out are frozen
 * @param {(scope: string, key: string) => void} fetchText asks for the whole of a text
 */
export function createState(topics, freeze, fetchText) {
  /** @type {Map<string, Row>} by `type/id` */
  const rows = new Map();
  /** @type {Map<string, Bucket>} by `scope/type` */
  const buckets = new Map();
  /** @type {Map<string, Slot>} by run, in the order they began */
  const slots = new Map();
  /** @type {Set<string>} runs whose text came from a core that died: the next one does not know of them */
  const orphans = new Set();
  /** @type {Map<string, any>} by `kind/key` */
  const signals = new Map();

  const reaches = createReaches();
  const texts = createTexts(askText, (key) => topics.mark(`text:${key}`));

  /** @param {string} scope @param {string} type @returns {Bucket} */
  function bucket(scope, type) {
    const key = `${scope}/${type}`;
    let found = buckets.get(key);
    if (!found) buckets.set(key, (found = { rows: new Map(), version: 0, lists: new Map() }));
    return found;
  }

  /** @param {any} changes one drain of the core @param {number} [now] the hub's clock */
  function apply(changes, now = 0) {
    /** @type {Map<string, Row>} what a swap takes away unless it is put again */
    const swapped = new Map();
    for (const scope of changes.fresh ?? []) refresh(own(scope));
    for (const scope of changes.reset ?? []) {
      reaches.forget(own(scope));
      for (const [key, row] of rows) if (row.scope === own(scope)) swapped.set(key, row);
    }
    for (const [, key] of changes.drop ?? []) remove(key);
    for (const [scope, key, rev, live, data] of changes.put ?? []) put(scope, key, rev, live, data, swapped);
    for (const key of swapped.keys()) remove(key);
    for (const change of changes.slots ?? []) applySlot(change);
    for (const change of changes.lists ?? []) applyList(change);
    for (const change of changes.texts ?? []) texts.apply(change);
    for (const runId of orphans) {
      const slot = slots.get(runId);
      if (slot && changes.reset?.includes(`conversation/${slot.conversationId}`)) applySlot([slot.conversationId, runId, 0, null]);
    }
    for (const [scope, kind, key, data, at] of changes.signals ?? []) applySignal(scope, kind, key, data, at ? now - (Date.now() - at) : now);
    for (const [key, local] of Object.entries(changes.local ?? {})) applyLocal(key, local ?? undefined);
    // A new core does not tell the end of what the one before it showed.
    for (const [scope, key] of changes.put ?? []) if (changes.reset?.includes(scope) && !changes.local?.[key]) applyLocal(key, undefined);
  }

  /** @param {string} scope @param {string} key @param {number} rev @param {boolean} live @param {any} data @param {Map<string, Row>} swapped */
  function put(scope, key, rev, live, data, swapped) {
    scope = own(scope);
    const old = rows.get(key);
    const again = swapped.delete(key) || old?.rev === rev;
    if (again && old && old.live === live && sameText(old.data, data)) {
      old.rev = rev;
      return;
    }
    const slash = key.indexOf('/');
    const row = { scope, type: key.slice(0, slash), id: key.slice(slash + 1), rev, live, data, local: old?.local, entity: null };
    build(row);
    rows.set(key, row);
    if (data.truncated) texts.cut(key, slotOf(key)?.text, Boolean(old && old.data.text !== data.text));
    const { rows: inBucket } = bucket(scope, row.type);
    if (inBucket.size === 0) topics.mark(`types:${scope}`);
    inBucket.set(key, row);
    touch(scope, row.type, row.id);
  }

  /** @param {string} key */
  function remove(key) {
    const row = rows.get(key);
    if (!row) return;
    rows.delete(key);
    texts.remove(key);
    const { rows: inBucket } = bucket(row.scope, row.type);
    inBucket.delete(key);
    if (inBucket.size === 0) topics.mark(`types:${row.scope}`);
    touch(row.scope, row.type, row.id);
  }

  /** @param {string} key @param {Local | undefined} local */
  function applyLocal(key, local) {
    const row = rows.get(key);
    if (!row || (row.local && local && sameText(row.local, local)) || row.local === local) return;
    row.local = local;
    build(row);
    touch(row.scope, row.type, row.id);
  }

  /** @param {Row} row */
  function build(row) {
    row.entity = { ...row.data, id: row.id };
    if (row.local) row.entity.local = row.local;
    // A decision names the rev of what was shown; the same words again under a newer rev are the same object.
    if (row.type === 'approval') Object.defineProperty(row.entity, 'rev', { enumerable: true, get: () => row.rev });
    if (freeze) deepFreeze(row.entity);
  }

  /** All of a scope comes anew: texts so far and signals that do not come again are over. @param {string} scope */
  function refresh(scope) {
    for (const slot of slots.values()) if (`conversation/${slot.conversationId}` === scope) orphans.add(slot.runId);
    for (const [id, signal] of signals) if (own(signal.scope) === scope) dropSignal(id, signal.kind);
  }

  /** @param {string} id @param {string} kind */
  function dropSignal(id, kind) {
    signals.delete(id);
    topics.mark(`signal:${id}`);
    topics.mark(`signals:${kind}`);
  }

  /** @param {[string, string, number, string | null]} change */
  function applySlot([conversationId, runId, from, text]) {
    const old = slots.get(runId);
    orphans.delete(runId);
    if (text === null) slots.delete(runId);
    else slots.set(runId, { conversationId, runId, text: (old?.text ?? '').slice(0, from) + text, row: null });
    touch(`conversation/${conversationId}`, 'message', answerOf(runId));
  }

  /** @param {any[]} change */
  function applyList(change) {
    const [scope, type] = [own(change[0]), change[1]];
    reaches.apply(`${scope}/${type}`, change);
    bucket(scope, type).version += 1;
    topics.mark(`bucket:${scope}/${type}`);
  }

  /** @param {string} key `type/id` */
  function askText(key) {
    const row = rows.get(key);
    if (row) fetchText(row.scope, key);
  }

  /** @param {string} key `type/id` @returns {Slot | undefined} */
  const slotOf = (key) => (key.startsWith('message/') && key.endsWith(ANSWER) ? slots.get(key.slice(8, -ANSWER.length)) : undefined);

  /** @param {string} scope @param {string} kind @param {string} key @param {any} data @param {number} heardAt */
  function applySignal(scope, kind, key, data, heardAt) {
    const id = `${kind}/${key}`;
    dropSignal(id, kind);
    if (data !== null) signals.set(id, { scope, kind, heardAt, data: freeze ? deepFreeze(data) : data });
    if (signals.size > SIGNALS) signals.delete(/** @type {string} */ (signals.keys().next().value));
  }

  /** @param {string} scope @param {string} type @param {string} id */
  function touch(scope, type, id) {
    bucket(scope, type).version += 1;
    topics.mark(`bucket:${scope}/${type}`);
    topics.mark(`entity:${type}/${id}`);
  }

  /** @param {Slot} slot a streamed answer as the message it becomes */
  function streaming(slot) {
    if (!slot.row) {
      const { conversationId, runId, text } = slot;
      const agentId = rows.get(`run/${runId}`)?.data.agentId;
      const author = agentId ? { type: 'agent', id: agentId } : { type: 'agent' };
      slot.row = { id: answerOf(runId), conversationId, runId, author, text, status: 'streaming' };
      if (freeze) deepFreeze(slot.row);
    }
    return slot.row;
  }

  /** @param {string} type @param {string} id @returns {any} undefined when unknown */
  function entity(type, id) {
    const row = rows.get(`${type}/${id}`);
    if (row) return row.entity;
    const slot = slotOf(`${type}/${id}`);
    return slot && streaming(slot);
  }

  /**
   * A derived value of one bucket, made again when the bucket changed.
   *
   * @param {string} scope @param {string} type @param {string} name
   * @param {(rows: Row[], old: any) => any} make returns `old` when nothing it shows changed
   */
  function derived(scope, type, name, make) {
    const source = bucket(scope, type);
    const memo = source.lists.get(name);
    if (memo?.version === source.version) return memo.value;
    const value = make(reaches.shown(`${scope}/${type}`, [...source.rows.values()]), memo?.value);
    source.lists.delete(name);
    source.lists.set(name, { version: source.version, value });
    if (source.lists.size > LISTS_PER_BUCKET) source.lists.delete(/** @type {string} */ (source.lists.keys().next().value));
    return value;
  }

  /** @param {string} scope @param {string} type @param {{ where?: Record<string, any>, order?: string }} query @returns {readonly string[]} */
  function list(scope, type, query) {
    return derived(scope, type, JSON.stringify(query), (live, old) => {
      const where = Object.entries(query.where ?? {});
      const hits = live.filter((row) => where.every(([field, value]) => row.data[field] === value));
      const ids = hits.sort(orderBy(query.order)).map((row) => row.id);
      return old && sameList(old, ids) ? old : Object.freeze(ids);
    });
  }

  /**
   * Messages by the hub's order, then own rows that it has not placed yet as typed, then answers being written: an
   * answer is dated when it is whole, so what is sent meanwhile belongs before it. Only the answer of a run that began
   * later comes after it, as when a gateway was killed and its turn is answered anew before the lost run is judged.
   *
   * @param {string} conversationId @returns {readonly any[]}
   */
  function messages(conversationId) {
    return derived(`conversation/${conversationId}`, 'message', '', (live, old) => {
      const shown = live.sort(byPlace).map((row) => row.entity);
      for (const slot of slots.values()) {
        if (slot.conversationId !== conversationId || rows.has(`message/${answerOf(slot.runId)}`)) continue;
        const began = beganAt(slot.runId);
        const isLater = (/** @type {any} */ row) => began && row.runId && row.status !== 'streaming' && beganAt(row.runId) > began;
        const later = shown.findIndex(isLater);
        shown.splice(later < 0 ? shown.length : later, 0, streaming(slot));
      }
      return old && sameList(old, shown) ? old : Object.freeze(shown);
    });
  }

  /** @param {string} runId @returns {string} the instant a run began, as far as it is known */
  function beganAt(runId) {
    return rows.get(`run/${runId}`)?.data.startedAt ?? '';
  }

  /** @param {string} scope @param {string} type @param {string} order @returns {readonly any[]} live entities */
  function entities(scope, type, order) {
    return derived(scope, type, `entities ${order}`, (live, old) => {
      const shown = live.sort(orderBy(order)).map((row) => row.entity);
      return old && sameList(old, shown) ? old : Object.freeze(shown);
    });
  }

  /** @param {string} scope @returns {string[]} the types that have rows, by name */
  function types(scope) {
    const found = [...buckets].filter(([key, { rows: some }]) => some.size > 0 && key.slice(0, key.lastIndexOf('/')) === scope);
    return found.map(([key]) => key.slice(key.lastIndexOf('/') + 1)).sort();
  }

  /**
   * How far back a list goes, and whether it may go further.
   *
   * @param {string} scope @param {string} type
   */
  function reach(scope, type) {
    const conversation = type === 'message' && rows.get(`conversation/${scope.slice('conversation/'.length)}`);
    const count = conversation ? conversation.data.messageCount ?? 0 : undefined;
    return reaches.of(`${scope}/${type}`, type, bucket(scope, type).rows.size, count);
  }

  /** @param {string} type @param {string} id the text of a message, as much of it as is known */
  function text(type, id) {
    const key = `${type}/${id}`;
    const row = rows.get(key);
    if (!row) return { text: slotOf(key)?.text ?? '', whole: false, loading: true, error: null };
    const head = row.data.text ?? '';
    if (!row.data.truncated) return { text: head, whole: true, loading: false, error: null };
    const long = texts.get(key);
    if (!long) return { text: head, whole: false, loading: false, error: null };
    const shown = long.text.length > head.length ? long.text : head;
    return { text: shown, whole: long.whole, loading: long.asked, error: long.error };
  }

  /** Forgets a scope. @param {string} scope */
  function forget(scope) {
    scope = own(scope);
    reaches.forget(scope);
    for (const [key, row] of rows) if (row.scope === scope) remove(key);
    for (const [runId, slot] of slots) if (`conversation/${slot.conversationId}` === scope) applySlot([slot.conversationId, runId, 0, null]);
    for (const key of buckets.keys()) if (key.startsWith(`${scope}/`)) buckets.delete(key);
  }

  /** Somebody else is here now: nothing stays. */
  function clear() {
    for (const scope of new Set([...buckets.keys()].map((key) => key.slice(0, key.lastIndexOf('/'))))) forget(scope);
    for (const [id, { kind }] of signals) dropSignal(id, kind);
  }

  return {
    apply,
    entity,
    /** @param {string} type @param {string} id whether it is in the live window of its scope */
    isLive: (type, id) => rows.get(`${type}/${id}`)?.live ?? false,
    list,
    messages,
    entities,
    types,
    reach,
    text,
    /** Fetches whole texts while somebody listens. @param {string} type @param {string} id */
    listenText: (type, id) => texts.listen(`${type}/${id}`, Boolean(rows.get(`${type}/${id}`)?.data.truncated)),
    /** The scope is not followed any more: its lists end with their live rows, and no text of it comes. @param {string} scope */
    release(scope) {
      reaches.forget(own(scope));
      texts.orphan((key) => rows.get(key)?.scope === own(scope));
    },
    forget,
    orphan() {
      [...slots.keys()].forEach((runId) => orphans.add(runId));
      texts.orphan(() => true);
    },
    /** @param {string} key `kind/key` */
    signal: (key) => signals.get(key)?.data ?? null,
    /** @param {string} kind @returns {{ scope: string, heardAt: number, data: any }[]} the latest of each key */
    signals: (kind) => [...signals.values()].filter((each) => each.kind === kind),
    clear,
  };
}

/** The own scope has one name here, before and after it is known who this is. @param {string} scope */
export const own = (scope) => (scope.startsWith('member/') ? OWN : scope);
export const OWN = 'member/self';

const ANSWER = ':answer';
/** @param {string} runId */
const answerOf = (runId) => runId + ANSWER;

/** @param {Row} a @param {Row} b */
function byPlace(a, b) {
  return compare(a.data.sentAt ?? LAST, b.data.sentAt ?? LAST) || compare(a.local?.commandId ?? '', b.local?.commandId ?? '') || compare(a.id, b.id);
}

/** Sorts after every instant. */
const LAST = '~';

/** @param {string} [order] a field or a path such as `-lastMessage.sentAt`, `-` for newest first; rows without it come last */
function orderBy(order = 'id') {
  const down = order.startsWith('-');
  const path = down ? order.slice(1) : order;
  /** @param {Row} a @param {Row} b */
  return (a, b) => {
    const [x, y] = [read(a, path), read(b, path)];
    if (x === undefined || y === undefined) return (x === undefined ? 1 : 0) - (y === undefined ? 1 : 0) || compare(a.id, b.id);
    return (down ? compare(y, x) : compare(x, y)) || compare(a.id, b.id);
  };
}

/** @param {any} a @param {any} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {any} value @returns {any} */
function deepFreeze(value) {
  if (value && typeof value === 'object' && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
