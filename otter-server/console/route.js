/**
 * What is open: in the fragment, so that Back works, a reload stays and a link can be sent to somebody.
 *
 * `#/c/<conversation>`, `#/approvals`, `#/tasks`, `#/tasks/<task>`, `#/feed`, `#/feed/<category>`, `#/fleet`,
 * `#/fleet/<tab>`; anything else is the list of conversations.
 *
 * @typedef {'conversations' | 'approvals' | 'tasks' | 'feed' | 'fleet'} Page
 * @typedef {{ page: Page, id: string | null }} Place
 */

/** @type {readonly Page[]} */
export const PAGES = ['conversations', 'approvals', 'tasks', 'feed', 'fleet'];

/** @param {string} hash @returns {Place} */
export function parse(hash) {
  const [, head, rest] = /^#\/([^/]*)\/?(.*)$/.exec(hash) ?? [];
  const page = /** @type {Page} */ (head === 'c' ? 'conversations' : head);
  if (!PAGES.includes(page) || head === 'conversations') return { page: 'conversations', id: null };
  try {
    return { page, id: decodeURIComponent(rest ?? '') || null };
  } catch {
    return { page, id: null };
  }
}

/** The address of a page, or of one thing on it. @param {Page} page @param {string | null} [id] */
export function link(page, id) {
  if (page === 'conversations') return id ? `#/c/${encodeURIComponent(id)}` : '#/';
  return id ? `#/${page}/${encodeURIComponent(id)}` : `#/${page}`;
}

/** Follows the fragment of the page. */
export function createRoute() {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  const tell = () => listeners.forEach((fn) => fn());
  const place = () => parse(location.hash);
  let told = location.hash;

  /** The browser tells of a new fragment later; nobody has to wait for it. */
  function changed() {
    if (told === location.hash) return;
    told = location.hash;
    tell();
  }

  /** @param {string} hash */
  function follow(hash) {
    location.hash = hash;
    changed();
  }

  window.addEventListener('hashchange', changed);
  document.addEventListener('click', (event) => {
    const hash = /** @type {any} */ (event.target)?.closest?.('a[href^="#/"]')?.getAttribute('href');
    if (!hash || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    follow(hash);
  });
  return {
    place,
    /** The open conversation. */
    current: () => (place().page === 'conversations' ? place().id : null),
    /** @param {string} id a conversation */
    open: (id) => follow(link('conversations', id)),
    /** @param {Page} page @param {string | null} [id] */
    go: (page, id) => follow(link(page, id)),
    /** Shows something without a step in the history. @param {string | null} id @param {Page} [page] */
    replace(id, page = 'conversations') {
      history.replaceState(null, '', link(page, id));
      changed();
    },
    close: () => follow('#/'),
    /** @param {() => void} fn @returns {() => void} ends it */
    onChange(fn) {
      listeners.add(fn);
      return () => void listeners.delete(fn);
    },
  };
}
