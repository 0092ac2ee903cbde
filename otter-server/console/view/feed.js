import { announce } from '../announce.js';
import { ask } from '../ask.js';
import { attribute, choose, h, keyed, show, text, watch } from '../dom.js';
import { mayWrite, subjectOf } from '../model.js';
import { isCalm } from '../motion.js';
import { notify } from '../notices.js';
import { link } from '../route.js';
import { day } from '../words.js';
import { CATEGORIES, categoryOf, feedItem, watchSight } from './feed-item.js';
import { holdStill } from './hold.js';
import { olderRows } from './older.js';
import { page } from './page.js';

const BATCH = 100;
const TOP = 40;
const EMPTY = 'All quiet on the river. What your agents and tools have to tell appears here by itself.';

/**
 * The feed: what happened that people may want to know, newest first.
 *
 * @param {any} client @param {ReturnType<import('../route.js').createRoute>} route @param {any} shell
 */
export function feedPage(client, route, shell) {
  const stores = { live: client.feed(), archived: client.feed({ archived: true }) };
  const readAll = h('button', { type: 'button', class: 'plain', 'data-testid': 'feed-read-all', onclick: () => acts.read(unreadShown()) }, 'Mark all read');
  const archiveAll = h('button', { type: 'button', class: 'plain', 'data-testid': 'feed-archive-all', title: 'For everyone', onclick: () => acts.archive(shown().map(({ id }) => id), true) }, 'Archive all');
  const tabs = filterBar();
  const pill = h('button', { type: 'button', class: 'pill-new', 'data-testid': 'feed-new', hidden: true, onclick: toTop });
  const list = h('div', { class: 'feed', role: 'feed', 'aria-label': 'Feed', 'data-walk': '' });
  const empty = h('div', { class: 'empty', 'data-testid': 'feed-empty' });
  const older = olderRows(() => store().get());
  const frame = page(client, shell, { name: 'feed', title: 'Feed', actions: [readAll, archiveAll], below: [tabs.element] },
    h('div', { class: 'feed-top' }, pill), list, empty, older.element);
  const { scroller } = frame;
  const acts = createActs(client);
  const sight = watchSight(scroller, (id) => acts.read([id]));
  const rows = keyed(list, (key) => (key.startsWith('#') ? dayHead(key.slice(1)) : seen(feedItem(client, key, acts))));
  const hold = holdStill(list, () => paint());
  /** @type {string | null} a category, `archived`, or all */
  let filter = null;
  /** @type {Set<string>} what is on the screen, so that nothing moves it away under a finger */
  let placed = new Set();

  const store = () => (filter === 'archived' ? stores.archived : stores.live);
  const shown = () => store().get().rows.filter(matches);
  const matches = (/** @type {any} */ item) => filter === null || filter === 'archived' || categoryOf(item) === filter;
  const unreadShown = () => shown().filter((/** @type {any} */ item) => !item.read).map((/** @type {any} */ { id }) => id);
  const isHeld = () => placed.size > 0 && (scroller.scrollTop > TOP || hold.held());

  /** @param {any} view */
  function seen(view) {
    sight.watch(view.element);
    return { ...view, end: () => (sight.unwatch(view.element), view.end()) };
  }

  /** Those that may be on the screen: while they are held, what is newer than them waits behind the pill. */
  function visible() {
    const all = shown();
    if (!isHeld()) return all;
    const oldest = all.findLastIndex((/** @type {any} */ { id }) => placed.has(id));
    return all.filter((/** @type {any} */ { id }, /** @type {number} */ at) => placed.has(id) || at > oldest);
  }

  function paint() {
    const { loading, unread } = store().get();
    const all = shown();
    const items = visible();
    placed = new Set(items.map((/** @type {any} */ { id }) => id));
    rows.set(byDay(items, client.now()));
    const waiting = all.length - items.length;
    show(pill, waiting > 0);
    text(pill, `↑ ${waiting} new`);
    show(empty, all.length === 0);
    attribute(empty, 'data-loading', loading ? '' : null);
    text(empty, loading ? 'Looking at the feed…' : filter === null ? EMPTY : filter === 'archived' ? 'Nothing is archived.' : 'Nothing of this kind.');
    frame.note(loading ? '' : filter === 'archived' ? 'Put away for everyone' : unread > 0 ? `${unread} unread` : 'All read');
    readAll.disabled = unreadShown().length === 0;
    show(readAll, filter !== 'archived');
    show(archiveAll, filter !== 'archived' && mayWrite(client));
    archiveAll.disabled = all.length === 0;
    tabs.paint(stores.live.get().rows, filter);
    older.paint();
  }

  function toTop() {
    placed = new Set();
    scroller.scrollTop = 0;
    paint();
    list.querySelector('article')?.focus({ preventScroll: true });
  }

  /** Only what comes while somebody looks moves in; what was missed is simply there. @param {any} event @param {{ replayed: boolean }} info */
  function onAdded(event, { replayed }) {
    if (replayed || document.visibilityState === 'hidden') return;
    const { category, severity, title } = event.data;
    if (category === 'alert' && severity === 'critical') announce(`Alert: ${title}`);
    const view = rows.get(subjectOf(event, 'feedItem'));
    if (view && !isCalm()) attribute(view.element, 'data-new', '');
  }

  scroller.addEventListener('scroll', () => scroller.scrollTop <= TOP && !pill.hidden && paint(), { passive: true });
  frame.ends.add(watch(stores.live, paint), stores.archived.subscribe(paint), client.self.subscribe(paint), client.on('feed.itemAdded', onAdded), rows.end, sight.end, hold.end, older.end);
  return {
    ...frame,
    /** @param {string | null} id a category, or `archived` */
    show(id) {
      filter = id === 'archived' || Object.hasOwn(CATEGORIES, id ?? '') ? id : null;
      placed = new Set();
      scroller.scrollTop = 0;
      paint();
    },
  };
}

/** What one does with items. @param {any} client */
function createActs(client) {
  /** @param {string[]} ids @param {boolean} archived */
  function archive(ids, archived) {
    for (let at = 0; at < ids.length; at += BATCH) ask(client, 'feed.archive', { itemIds: ids.slice(at, at + BATCH), archived });
    const many = ids.length === 1 ? 'One item' : `${ids.length} items`;
    notify('feed', { words: archived ? `${many} archived for everyone` : `${many} back in the feed`, actions: archived ? [['Undo', () => archive(ids, false)]] : [] });
  }

  return { read: client.markItemsRead, archive };
}

/** The categories, with how much is unread in each. */
function filterBar() {
  const entries = [[null, 'All'], ...Object.entries(CATEGORIES).map(([name, [words]]) => [name, words]), ['archived', 'Archived']];
  const chips = entries.map(([name, words]) => {
    const count = h('span', { class: 'chip-count' });
    return { name, count, element: h('a', { class: 'chip', href: link('feed', name), 'data-testid': 'feed-filter', 'data-filter-name': name ?? 'all' }, words, count) };
  });
  const element = h('nav', { class: 'chips', 'aria-label': 'Kinds of items' }, ...chips.map((chip) => chip.element));
  return {
    element,
    /** @param {any[]} rows @param {string | null} filter */
    paint(rows, filter) {
      for (const chip of chips) {
        choose(chip.element, 'aria-current', chip.name === filter ? 'page' : null);
        const unread = rows.filter((item) => !item.read && (chip.name === null || categoryOf(item) === chip.name)).length;
        text(chip.count, chip.name !== 'archived' && unread > 0 ? String(unread) : '');
      }
    },
  };
}

/** @param {any[]} items @param {number} now */
function byDay(items, now) {
  const entries = [];
  let last = '';
  for (const item of items) {
    const words = day(item.occurredAt, now);
    if (words !== last) entries.push({ key: `#${(last = words)}` });
    entries.push({ key: item.id, item });
  }
  return entries;
}

/** @param {string} words */
const dayHead = (words) => ({ element: h('h2', { class: 'feed-day' }, words) });
