/**
 * What goes beyond the live rows: lists that were scrolled back, and texts that their rows show only the head of.
 *
 * @typedef {{ loading: boolean, hasMore: boolean, oldest: [string, string] | null, error: any }} Reach
 * @typedef {{ text: string, parts: string, whole: boolean, asked: boolean, error: any }} Long
 */

const TEXTS = 64;

/** By type: what orders its rows, and how many the live window holds. */
const TYPES = /** @type {Record<string, [string, number]>} */ ({
  instance: ['connectedAt', 500], agent: ['name', 500], session: ['lastActivityAt', 200],
  conversation: ['lastMessage.sentAt', 200], message: ['sentAt', 50], run: ['startedAt', 50], step: ['startedAt', 200],
  task: ['createdAt', 100], approval: ['requestedAt', 50], feedItem: ['occurredAt', 200], mark: ['readAt', 400],
  activity: ['occurredAt', 200], repo: ['pushedAt', 200], command: ['issuedAt', 100], member: ['joinedAt', 500],
});

/** @param {string} type @returns {number} live rows of a type, from which on there may be older ones */
const windowOf = (type) => TYPES[type]?.[1] ?? 500;

/** @param {any} row @param {string} path */
export const read = (row, path) => path.split('.').reduce((value, field) => value?.[field], row.data);

/** @param {any} row @returns {[string, string]} its place in the list of its type */
const placeOf = (row) => [read(row, TYPES[row.type]?.[0] ?? '') ?? '', row.id];

/** @param {[string, string]} a @param {[string, string]} b */
const isBefore = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** How far back lists go. */
export function createReaches() {
  /** @type {Map<string, Reach>} by `scope/type` */
  const reaches = new Map();
  /** @type {Map<string, [string, string]>} by `scope/type`: the oldest row that was live when the list was first shown */
  const floors = new Map();

  /** @param {string} key @param {any[]} rows @returns {any[]} those the list shows */
  function shown(key, rows) {
    const reach = reaches.get(key);
    if (reach && !reach.hasMore) return rows;
    const live = rows.filter((row) => row.live);
    // Rows of a conversation leave its window in order: what a person looks at stays where it is.
    if (key.startsWith('conversation/') && !floors.has(key) && live.length) {
      floors.set(key, live.map(placeOf).reduce((oldest, place) => (isBefore(place, oldest) ? place : oldest)));
    }
    const floor = reach?.oldest ?? floors.get(key);
    return floor ? rows.filter((row) => row.live || !isBefore(placeOf(row), floor)) : live;
  }

  return {
    shown,
    /** @param {string} key @param {string} type @param {number} rows @param {number} [count] how many there are in all */
    of(key, type, rows, count) {
      const reach = reaches.get(key);
      return reach ?? { loading: false, hasMore: count === undefined ? rows >= windowOf(type) : count > rows, oldest: null, error: null };
    },
    /** @param {string} key @param {any[]} change */
    apply: (key, [, , loading, hasMore, oldest, error]) =>
      void reaches.set(key, { loading, hasMore, oldest: oldest && [oldest.order, oldest.id], error: error && Object.freeze(error) }),
    /** @param {string} scope */
    forget(scope) {
      for (const map of [reaches, floors]) for (const key of map.keys()) if (key.startsWith(`${scope}/`)) map.delete(key);
    },
  };
}

/**
 * Texts by `type/id`.
 *
 * @param {(key: string) => void} ask fetches a whole text
 * @param {(key: string) => void} changed
 */
export function createTexts(ask, changed) {
  /** @type {Map<string, Long>} least recently begun first */
  const texts = new Map();
  /** @type {Map<string, number>} how many listen */
  const wanted = new Map();

  /** @param {string} key @returns {Long} */
  function entry(key) {
    let found = texts.get(key);
    if (!found) texts.set(key, (found = { text: '', parts: '', whole: false, asked: false, error: null }));
    for (const old of texts.keys()) {
      if (texts.size <= TEXTS) break;
      if (old !== key && !wanted.has(old)) texts.delete(old);
    }
    return found;
  }

  /** @param {string} key */
  function want(key) {
    const long = entry(key);
    if (long.asked || long.whole) return;
    long.asked = true;
    long.error = null;
    ask(key);
    changed(key);
  }

  return {
    get: (/** @type {string} */ key) => texts.get(key),
    /** A row was cut. @param {string} key @param {string | undefined} shown what was shown of it so far @param {boolean} edited */
    cut(key, shown, edited) {
      if (edited) texts.delete(key);
      if (shown) entry(key).text = shown;
      if (wanted.has(key)) want(key);
    },
    /** @param {string} key @param {boolean} isCut @returns {() => void} */
    listen(key, isCut) {
      wanted.set(key, (wanted.get(key) ?? 0) + 1);
      if (isCut) want(key);
      return () => {
        const rest = (wanted.get(key) ?? 1) - 1;
        if (rest) wanted.set(key, rest);
        else wanted.delete(key);
      };
    },
    /** @param {any[]} change */
    apply([key, first, part, done, error]) {
      const long = entry(key);
      if (first) long.parts = '';
      long.parts += part ? Object.values(part)[0] : '';
      long.error = error && Object.freeze(error);
      long.asked = !done;
      if (done && long.parts && !error) Object.assign(long, { text: long.parts, parts: '', whole: true });
      changed(key);
    },
    /** @param {string} key */
    remove: (key) => void texts.delete(key),
    /** Those who were asked for these answer no more. @param {(key: string) => boolean} are */
    orphan: (are) => texts.forEach((long, key) => are(key) && ((long.asked = false), changed(key))),
  };
}
