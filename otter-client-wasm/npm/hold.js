const HOUR_MS = 3_600_000;
const LIFE_MS = 48 * HOUR_MS;
const WORDS_MS = 30 * 24 * HOUR_MS;
/** What is kept longer than that, because it has words. */
const WORDED = new Set(['message.send', 'task.create', 'task.update', 'task.dispatch']);
/** What became of it nobody knows: it may have been sent, and its answer lost. */
const EXPIRED = Object.freeze({ code: 'expired', message: 'it had no answer for 48 hours; look whether it arrived', retryable: true });
const ROWS = 200;
const PREFIX = 'otter:held:';

/** Commands that may wait for a connection, also over a reload. */
export const QUEUEABLE = new Set([
  'message.send', 'task.create', 'task.update', 'task.dispatch', 'feed.markRead', 'feed.archive', 'conversation.update',
  'conversation.markRead', 'command.cancel',
]);

/**
 * Keeps unanswered and refused commands in the browser's storage, so that closing or reloading a page loses none: 200 at
 * most, and for the person who gave them. Sent again under its id, a command runs once, from however many tabs. What a page
 * finds after 48 hours without an answer it does not send: what has words is refused then, anything else dropped. Refused
 * ones are kept for 30 days, as long as there is room for what has no answer yet.
 *
 * @typedef {{ id: string, kind: string, data: any, error?: any }} Held
 *
 * @param {() => Storage | null} open
 * @param {() => string} hub the address of the hub
 */
export function createHold(open, hub) {
  /** @type {string | null} */
  let owner = null;
  /** @type {Map<string, Held>} given here before it was known by whom */
  const unowned = new Map();

  /** @template T @param {(storage: Storage) => T} use @returns {T | undefined} nothing where there is no storage, or no room in it */
  function attempt(use) {
    try {
      const storage = open();
      return storage ? use(storage) : undefined;
    } catch {
      return undefined;
    }
  }

  const prefix = () => `${PREFIX}${hub()}:`;

  /** @param {Storage} storage @returns {string[]} */
  const keys = (storage) => Object.keys(storage).filter((key) => key.startsWith(prefix()));

  /** @param {Held} command */
  function put({ id, kind, data, error }) {
    if (!QUEUEABLE.has(kind)) return;
    if (!owner) return void unowned.set(id, { id, kind, data, error });
    attempt((storage) => {
      const key = prefix() + id;
      const old = parse(storage, key);
      if (!old && !hasRoom(storage, WORDED.has(kind))) return;
      const at = error && old?.error ? old.at : Date.now();
      storage.setItem(key, JSON.stringify({ at, owner, kind, data, error }));
    });
  }

  /** The oldest refused one makes room, and for words the oldest one that has none. @param {Storage} storage @param {boolean} forWords */
  function hasRoom(storage, forWords) {
    const all = keys(storage);
    if (all.length < ROWS) return true;
    const rows = all.map((key) => ({ key, ...parse(storage, key) })).sort((one, other) => one.at - other.at);
    const oldest = rows.find(({ error }) => error) ?? rows.find(({ kind }) => forWords && !WORDED.has(kind));
    if (oldest) storage.removeItem(oldest.key);
    return Boolean(oldest);
  }

  /** @param {Storage} storage @param {string} key @returns {any} null when there is none that this code has written */
  function parse(storage, key) {
    try {
      return JSON.parse(storage.getItem(key) ?? 'null');
    } catch {
      return null;
    }
  }

  /** Answered or given up. @param {string} id */
  function drop(id) {
    unowned.delete(id);
    attempt((storage) => storage.removeItem(prefix() + id));
  }

  /** @param {Storage} storage @param {string} key @returns {Held | null} null, and gone, when it is not this person's or too old */
  function read(storage, key) {
    const row = parse(storage, key);
    const age = Date.now() - (row?.at ?? 0);
    const error = row?.error ?? (age >= LIFE_MS && WORDED.has(row?.kind) ? EXPIRED : undefined);
    if (row?.owner === owner && age < (error ? WORDS_MS : LIFE_MS)) {
      return { id: key.slice(prefix().length), kind: row.kind, data: row.data, error };
    }
    storage.removeItem(key);
    return null;
  }

  /**
   * It is known who this is.
   *
   * @param {{ org: string, id: string }} person
   * @returns {Held[]} what earlier pages left, in the order it was given
   */
  function introduce({ org, id }) {
    owner = `${org}/${id}`;
    const left = attempt((storage) => keys(storage).sort().flatMap((key) => read(storage, key) ?? [])) ?? [];
    unowned.forEach(put);
    unowned.clear();
    return left;
  }

  return { put, drop, introduce };
}
