import { attribute, h, keyed, show, text } from '../dom.js';
import { agentOf, instanceName, titleOf } from '../model.js';
import { recall, remember } from '../prefs.js';
import { conversationRow } from './conversation-row.js';
import { holdStill } from './hold.js';
import { openMenu } from './menu.js';

const FIRST = 60;
const STEP = 60;
const SMALL = 6;
const PLAIN = new Set(['', 'Pinned', 'Recent']);
const GROUPS = /** @type {const} */ ([['folder', 'By folder'], ['agent', 'By agent'], ['machine', 'By machine']]);

/**
 * The conversations: pinned ones, folders, the others newest first, and those put away. A filter finds any of them.
 *
 * @param {any} client
 * @param {ReturnType<import('../route.js').createRoute>} route
 */
export function conversations(client, route) {
  const list = h('div', { class: 'conversations', role: 'list', 'aria-label': 'Conversations', 'data-walk': '' });
  const hint = h('p', { class: 'hint' });
  const filter = h('input', {
    type: 'search', class: 'filter', placeholder: 'Filter conversations', 'aria-label': 'Filter conversations', 'data-filter': '',
    autocomplete: 'off', spellcheck: false, oninput: () => (showFromTop(), paint()), onkeydown: onFilterKey,
  });
  const unreadOnly = h('button', { type: 'button', class: 'quiet small', 'aria-pressed': 'false', 'data-testid': 'unread-only', onclick: toggleUnread }, 'Unread');
  const group = h('button', { type: 'button', class: 'quiet small', 'aria-haspopup': 'menu', title: 'How the list is grouped', onclick: chooseGroup }, 'Group');
  const older = h('div', { class: 'older', hidden: true }, h('button', { type: 'button', class: 'quiet small', onclick: grow }, 'Show older ones'));
  const scroller = h('div', { class: 'conversations-scroll' }, hint, list, older);
  const element = h('div', { class: 'side-section grow' },
    h('div', { class: 'side-head' }, h('h2', {}, 'Conversations'), unreadOnly, group), h('div', { class: 'filter-box' }, filter), scroller);
  const store = client.list('conversation', { order: '-lastMessage.sentAt' });
  const rows = keyed(list, (key) => (key.startsWith('#') ? sectionHead(key.slice(1), toggleSection) : conversationRow(client, route, key, arrange)));
  /** @type {Record<string, boolean>} sections that somebody opened or folded */
  const chosen = recall('sections') ?? {};
  /** @type {Map<string, any>} */
  const unreads = new Map();
  let wanted = false;
  let limit = FIRST;
  let by = recall('group') ?? 'folder';
  const hold = holdStill(list, () => paint());

  function showFromTop() {
    limit = FIRST;
    scroller.scrollTop = 0;
  }

  function toggleUnread() {
    unreadOnly.setAttribute('aria-pressed', String(unreadOnly.getAttribute('aria-pressed') !== 'true'));
    showFromTop();
    paint();
  }

  function chooseGroup() {
    openMenu(group, GROUPS.map(([name, label]) => ({ label, checked: by === name, run: () => (remember('group', (by = name)), paint()) })));
  }

  /** A folder is open by itself while it is small: what is recent must not be far below. @param {string} name @param {number} size */
  const isOpen = (name, size) => chosen[name] ?? (name !== 'Archived' && (by !== 'folder' || PLAIN.has(name) || size <= SMALL));

  /** @param {string} name @param {boolean} open */
  function toggleSection(name, open) {
    chosen[name] = open;
    remember('sections', chosen);
    paint();
  }

  /** Rows may belong elsewhere now. Nothing moves while somebody points at the list. */
  function arrange() {
    if (wanted || hold.held()) return;
    wanted = true;
    queueMicrotask(() => {
      wanted = false;
      paint();
    });
  }

  /** @param {string} id */
  function unreadOf(id) {
    let store = unreads.get(id);
    if (!store) unreads.set(id, (store = client.unread(id)));
    return store.get();
  }

  function paint() {
    const { ids, loading, hasMore } = store.get();
    const query = filter.value.trim().toLowerCase();
    const onlyUnread = unreadOnly.getAttribute('aria-pressed') === 'true';
    const all = ids.map((/** @type {string} */ id) => client.entity('conversation', id).get()).filter(Boolean);
    const hits = all.filter((/** @type {any} */ each) => (!query || wordsOf(client, each).includes(query)) && (!onlyUnread || unreadOf(each.id) > 0));
    const entries = sections(client, hits, by).flatMap(([name, items]) => {
      const open = Boolean(query) || onlyUnread || isOpen(name, items.length);
      const unread = open || name === 'Archived' ? 0 : items.filter(({ id }) => unreadOf(id) > 0).length;
      const head = name ? [{ key: `#${name}`, item: { count: items.length, open, unread } }] : [];
      return [...head, ...(open ? items.map(({ id }) => ({ key: id })) : [])];
    });
    rows.set(entries.slice(0, limit));
    show(older, entries.length > limit || (hasMore && !loading && ids.length > 0));
    attribute(list, 'data-loading', loading && all.length === 0 ? '' : null);
    hint.className = loading && all.length === 0 ? 'unseen' : 'hint';
    show(hint, hits.length === 0 || (loading && all.length > 0));
    text(hint, loading ? 'Loading…' : query ? 'Nothing matches.' : onlyUnread ? 'Nothing is unread.' : 'Conversations of your agents appear here by themselves.');
  }

  /** More rows: those that are known first, then those the hub has. */
  function grow() {
    if (list.childElementCount < limit && store.get().hasMore) store.get().more();
    limit += STEP;
    paint();
  }
  new IntersectionObserver(([seen]) => seen.isIntersecting && grow(), { root: scroller, rootMargin: '400px' }).observe(older);

  /** @param {KeyboardEvent} event */
  function onFilterKey(event) {
    if (event.key === 'Escape') {
      filter.value = '';
      paint();
      /** @type {any} */ (document.querySelector('[data-testid=composer-input]'))?.focus();
    } else if (event.key === 'Enter') {
      list.querySelector('a')?.click();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      list.querySelector('a')?.focus();
    } else return;
    event.stopPropagation();
  }

  list.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const first = event.key === 'ArrowUp' && document.activeElement === list.querySelector('a');
    if (!first) return;
    event.preventDefault();
    event.stopPropagation();
    filter.focus();
  });

  store.subscribe(arrange);
  // A row that is folded away does not tell that it belongs elsewhere now.
  for (const query of [{ where: { archived: true } }, { where: { pinned: true } }, { order: 'folder' }]) client.list('conversation', query).subscribe(arrange);
  paint();
  client.unread().subscribe(arrange);
  return { element, focusFilter: () => (filter.focus(), filter.select()) };
}

/**
 * Named groups in the order they are shown; the one without a name is what belongs to no group.
 *
 * @param {any} client @param {any[]} items @param {'folder' | 'agent' | 'machine'} by @returns {[string, any[]][]}
 */
function sections(client, items, by) {
  const nameOf = {
    folder: (/** @type {any} */ each) => each.folder ?? '',
    agent: (/** @type {any} */ each) => agentOf(client, each)?.name ?? 'Other agents',
    machine: (/** @type {any} */ each) => instanceName(client, each.instanceId),
  }[by];
  const live = items.filter((each) => !each.archived);
  /** @type {Map<string, any[]>} */
  const named = new Map();
  for (const each of live.filter(({ pinned }) => !pinned)) named.set(nameOf(each), [...(named.get(nameOf(each)) ?? []), each]);
  const loose = named.get('') ?? [];
  named.delete('');
  const groups = [...named].sort(([a], [b]) => a.localeCompare(b));
  const pinned = live.filter((each) => each.pinned);
  const archived = items.filter((each) => each.archived);
  /** @type {[string, any[]][]} */
  const found = [['Pinned', pinned], ...groups, [groups.length + pinned.length > 0 ? 'Recent' : '', loose], ['Archived', archived]];
  return found.filter(([, rows]) => rows.length > 0);
}

/** @param {string} name @param {(name: string, open: boolean) => void} toggle */
function sectionHead(name, toggle) {
  const count = h('span', { class: 'count' });
  const badge = h('span', { class: 'badge' });
  const button = h('button', { type: 'button', class: 'section-head', onclick: () => toggle(name, button.getAttribute('aria-expanded') !== 'true') },
    h('span', { class: 'fold', 'aria-hidden': 'true' }), h('span', {}, name), count, h('span', { class: 'spacer' }), badge);
  return {
    element: h('div', { role: 'listitem', class: 'section', 'data-section': name }, button),
    /** @param {{ count: number, open: boolean, unread: number }} item */
    update({ count: rows, open, unread }) {
      button.setAttribute('aria-expanded', String(open));
      text(count, open ? '' : String(rows));
      text(badge, String(unread));
      badge.title = `${unread} with something unread`;
      show(badge, unread > 0);
    },
  };
}

/** @param {any} client @param {any} conversation */
function wordsOf(client, conversation) {
  const parts = [titleOf(client, conversation), agentOf(client, conversation)?.name, instanceName(client, conversation.instanceId), conversation.folder, conversation.lastMessage?.head];
  return parts.join(' ').toLowerCase();
}
