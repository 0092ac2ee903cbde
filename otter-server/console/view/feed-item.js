import { attribute, bag, h, icon, show, text, watch } from '../dom.js';
import { showMarkdown } from '../markdown.js';
import { mayWrite } from '../model.js';
import { collapse } from '../motion.js';
import { age } from '../seconds.js';
import { avatar } from './avatar.js';

/** Name of a category on its filter, name of one item of it, drawing. */
export const CATEGORIES = /** @type {const} */ ({
  email: ['Mail', 'Mail', 'M3 5h14v10H3zM3.500 5.500 10 11l6.500-5.500'],
  market: ['Market', 'Market', 'M3 14l4.500-5 3.500 3L17 5.500M13 5.500h4v4'],
  social: ['Social', 'Post', 'M10 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.600-3.200 2.900-5 6-5s5.400 1.800 6 5'],
  alert: ['Alerts', 'Alert', 'M10 3.500 17.500 16.500h-15zM10 8v4M10 14.300h.01'],
  custom: ['Other', 'Notice', 'M10 3l1.800 5.200L17 10l-5.200 1.800L10 17l-1.800-5.200L3 10l5.200-1.800z'],
});
const SEVERITIES = /** @type {Record<string, string>} */ ({ info: 'Good to know', warning: 'Warning', critical: 'Critical' });

/** What an item is shown as; a kind that this page does not know is something else. @param {any} item @returns {keyof typeof CATEGORIES} */
export const categoryOf = ({ category }) => (Object.hasOwn(CATEGORIES, category) ? category : 'custom');

/**
 * One item of the feed. It unfolds where it stands.
 *
 * @param {any} client @param {string} id @param {{ read(ids: string[]): void, archive(ids: string[], archived: boolean): void }} acts
 */
export function feedItem(client, id, acts) {
  const ends = bag();
  /** @type {any} */
  let item = null;
  /** @type {string | undefined} the name of its agent, which may come later */
  let known;
  const sign = h('span', { class: 'feed-sign' });
  const what = h('span', { class: 'feed-what' });
  const from = h('span', { class: 'feed-from' });
  const when = h('time', { class: 'age' });
  const title = h('h3', { class: 'feed-title' });
  const market = marketLine();
  const snippet = h('p', { class: 'feed-snippet' });
  const body = h('div', { class: 'feed-body message-text', hidden: true });
  const detail = h('div', { class: 'feed-detail', hidden: true });
  const by = h('span', { class: 'feed-by' });
  const more = h('button', { type: 'button', class: 'quiet small feed-more', onclick: unfold }, 'More');
  const read = h('button', { type: 'button', class: 'quiet small feed-read', onclick: () => acts.read([id]) }, 'Mark read');
  const archive = h('button', { type: 'button', class: 'quiet small', onclick: () => acts.archive([id], !item.archived) });
  const open = h('a', { class: 'quiet small feed-open', target: '_blank', rel: 'noopener noreferrer', onclick: () => acts.read([id]) }, 'Open');
  const element = h('article', { class: 'feed-item', tabIndex: 0, 'data-testid': 'feed-item', 'data-item-id': id, 'data-walk-row': '', onkeydown: onKey, onclick: onClick },
    h('span', { class: 'feed-dot', 'aria-hidden': 'true' }), sign,
    h('div', { class: 'feed-main' },
      h('div', { class: 'feed-head' }, what, from, when), title, market.element, snippet, body, detail,
      h('div', { class: 'feed-foot' }, by, h('span', { class: 'spacer' }), more, open, read, archive)));

  function unfold() {
    const unfolded = element.dataset.unfolded === undefined;
    attribute(element, 'data-unfolded', unfolded ? '' : null);
    if (unfolded) acts.read([id]);
    paintFold();
  }

  /** @param {any} event */
  function onClick({ target }) {
    if (target.closest('a, button') || getSelection()?.toString()) return;
    unfold();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
    const run = { Enter: unfold, ' ': unfold, o: () => !open.hidden && open.click(), r: () => acts.read([id]), e: () => !archive.hidden && (step(element), archive.click()) }[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  function paintFold() {
    const unfolded = element.dataset.unfolded !== undefined;
    show(snippet, !unfolded && Boolean(item?.body));
    show(body, unfolded && Boolean(item?.body));
    const cut = !unfolded && snippet.scrollHeight > snippet.clientHeight + 4;
    show(more, unfolded || cut || Boolean(item?.detail));
    text(more, unfolded ? 'Less' : 'More');
    attribute(more, 'aria-expanded', String(unfolded));
    show(detail, unfolded && Boolean(item?.detail));
  }

  /** @param {any} next */
  function update(next) {
    const agent = next.agentId && client.entity('agent', next.agentId).get()?.name;
    if (item === next && agent === known) return;
    [item, known] = [next, agent];
    const { category, severity, archived, archivedBy, local } = item;
    const [, name, path] = CATEGORIES[categoryOf(item)];
    attribute(element, 'data-category', categoryOf(item));
    attribute(element, 'data-severity', category === 'alert' ? (severity ?? 'info') : null);
    attribute(element, 'data-read', String(item.read));
    attribute(element, 'data-archived', String(Boolean(archived)));
    attribute(element, 'data-stage', local?.stage ?? null);
    attribute(element, 'aria-label', `${item.read ? '' : 'Unread. '}${name}: ${item.title}`);
    paintSign(sign, item, path);
    text(what, category === 'alert' ? (SEVERITIES[severity] ?? 'Alert') : name);
    text(from, sender(item));
    age(when, item.occurredAt, 'short');
    text(title, item.title);
    market.set(item);
    showMarkdown(body, item.body ?? '');
    text(snippet, body.textContent.replace(/\s+/g, ' ').trim());
    if (detail.otterSource !== item.detail) detail.replaceChildren(...details((detail.otterSource = item.detail)));
    text(by, archived ? `Archived by ${archivedBy?.name ?? 'somebody'}` : agent ? `by ${agent}` : '');
    const url = httpsOnly(item.url);
    show(open, Boolean(url));
    attribute(open, 'href', url);
    if (url) open.title = url;
    show(read, !item.read && !archived);
    show(archive, mayWrite(client));
    text(archive, archived ? 'Bring back' : 'Archive');
    archive.title = archived ? 'For everyone' : 'For everyone (e)';
    paintFold();
  }

  const sizes = new ResizeObserver(paintFold);
  sizes.observe(snippet);
  element.addEventListener('animationend', (/** @type {AnimationEvent} */ { animationName }) => animationName === 'come' && attribute(element, 'data-new', null));
  ends.add(() => sizes.disconnect());
  return { element, update, end: ends.end, leave: (/** @type {() => void} */ done) => collapse(element, done) };
}

/** The keyboard goes on to the next item when this one goes. @param {any} element */
function step(element) {
  const rows = [...element.parentElement.querySelectorAll('[data-walk-row]')];
  const at = rows.indexOf(element);
  (rows[at + 1] ?? rows[at - 1])?.focus();
}

/** @param {any} sign @param {any} item @param {string} path */
function paintSign(sign, item, path) {
  const key = `${item.category} ${item.from}`;
  if (sign.otterKey === key) return;
  sign.otterKey = key;
  if (item.category === 'social' || (item.category === 'email' && item.from)) {
    const face = avatar();
    face.set(item.handle ?? item.from ?? '', item.from ?? item.handle ?? '?');
    sign.replaceChildren(face.element);
  } else sign.replaceChildren(h('span', { class: 'feed-icon' }, icon(path)));
}

/** @param {any} item */
function sender({ category, from, handle }) {
  const name = category === 'email' ? (/^(.*?)\s*<[^>]*>$/.exec(from ?? '')?.[1] || from) : from;
  return [name, handle].filter(Boolean).join(' ');
}

/** Symbol, price and change of a market item; which way it went is said and drawn, not only coloured. */
function marketLine() {
  const symbol = h('span', { class: 'feed-symbol' });
  const price = h('span', { class: 'feed-price' });
  const change = h('span', { class: 'feed-change' });
  const element = h('div', { class: 'feed-market', hidden: true }, symbol, price, change);
  return {
    element,
    /** @param {any} item */
    set(item) {
      show(element, item.category === 'market');
      text(symbol, item.symbol ?? '');
      text(price, item.price ?? '');
      const way = /^\s*[-−–]/.test(item.change ?? '') ? 'down' : /^\s*\+/.test(item.change ?? '') ? 'up' : 'flat';
      attribute(change, 'data-way', item.change ? way : null);
      text(change, item.change ?? '');
    },
  };
}

/** JSON of others as names with values; what is not an object is shown as it is. @param {string | undefined} source */
function details(source) {
  if (!source) return [];
  try {
    const value = JSON.parse(source);
    if (value && typeof value === 'object' && !Array.isArray(value)) {
      const plain = (/** @type {any} */ each) => (typeof each === 'object' && each !== null ? JSON.stringify(each) : String(each));
      return [h('dl', { class: 'sheet' }, ...Object.entries(value).map(([name, each]) => h('div', {}, h('dt', {}, name), h('dd', {}, plain(each)))))];
    }
  } catch {
    // Not JSON after all.
  }
  return [h('pre', {}, source)];
}

/** @param {string | undefined} address */
function httpsOnly(address) {
  try {
    const url = new URL(address ?? '');
    return url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}

/** Tells `seen` of items that were in sight for a moment. @param {any} root @param {(id: string) => void} seen */
export function watchSight(root, seen) {
  const LOOK_MS = 1000;
  /** @type {Map<any, ReturnType<typeof setTimeout>>} */
  const looking = new Map();
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(looking.get(target));
      looking.delete(target);
      if (isIntersecting) looking.set(target, setTimeout(() => document.visibilityState === 'visible' && seen(/** @type {any} */ (target).dataset.itemId), LOOK_MS));
    }
  }, { root, threshold: 0.6 });
  return {
    watch: (/** @type {any} */ element) => sight.observe(element),
    unwatch: (/** @type {any} */ element) => (clearTimeout(looking.get(element)), looking.delete(element), sight.unobserve(element)),
    end: () => (sight.disconnect(), looking.forEach(clearTimeout)),
  };
}
