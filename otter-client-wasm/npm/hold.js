const HOUR_MS = 3_600_000;
const LIFE_MS = 48 * HOUR_MS;
const WORDS_MS = 30 * 24 * HOUR_MS;
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
 * most, and for the person who gave them. Sent again under its id, a command runs once, from however many tabs. What has
 * no answer after 48 hours is not sent any more, but refused; refused ones keep their words for 30 days.
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
      if (storage.getItem(key) === null && keys(storage).length >= ROWS) return;
      storage.setItem(key, JSON.stringify({ at: Date.now(), owner, kind, data, error }));
    });
  }

  /** Answered or given up. @param {string} id */
  function drop(id) {
    unowned.delete(id);
    attempt((storage) => storage.removeItem(prefix() + id));
  }

  /** @param {Storage} storage @param {string} key @returns {Held | null} null, and gone, when it is not this person's or too old */
  function read(storage, key) {
    try {
      const row = JSON.parse(storage.getItem(key) ?? '');
      const age = Date.now() - row.at;
      if (row.owner === owner && age < WORDS_MS) {
        const error = row.error ?? (age < LIFE_MS ? undefined : EXPIRED);
        return { id: key.slice(prefix().length), kind: row.kind, data: row.data, error };
      }
    } catch {
      // Not written by this code.
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
