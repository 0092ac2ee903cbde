import { attribute, h, icon, watch } from './dom.js';
import { createRoute } from './route.js';
import { startSeconds } from './seconds.js';
import { centre } from './view/centre.js';
import { conversations } from './view/conversations.js';
import { facts } from './view/facts.js';
import { gate } from './view/gate.js';
import { instances } from './view/instances.js';
import { topbar } from './view/topbar.js';

const CROSS = 'M5 5l10 10M15 5 5 15';
const FACTS = 'otter.facts';
const WIDE = matchMedia('(min-width: 1120px)');
const NARROW = matchMedia('(max-width: 759px)');

/**
 * Puts the console into the page.
 *
 * @param {any} root @param {import('./client/index.js').Client} client
 */
export function mountConsole(root, client) {
  startSeconds(() => client.now());
  const route = createRoute();
  const list = conversations(client, route);
  const main = h('main', { class: 'centre' });
  const aside = h('aside', { class: 'facts', 'aria-label': 'Session facts' });
  const shell = h('div', { class: 'shell' },
    topbar(client), h('nav', { class: 'side', 'aria-label': 'Machines and conversations' }, instances(client, route), list.element), main, aside);
  const liveUntil = trackLive(client, root);
  /** @type {{ id: string, parts: any[] } | null} */
  let open = null;

  function showRoute() {
    const id = route.current();
    attribute(root, 'data-view', id ? 'conversation' : 'list');
    if (open && open.id === (id ?? '')) return;
    open?.parts.forEach((part) => part.end());
    open = null;
    if (!id) {
      const quiet = nothingOpen(client);
      open = { id: '', parts: [quiet] };
      main.replaceChildren(quiet.element);
      aside.replaceChildren();
      document.title = 'Otter';
      return;
    }
    const middle = centre(client, id, { back: route.close, toggleFacts, liveUntil });
    const side = facts(client, id);
    main.replaceChildren(middle.element);
    aside.replaceChildren(h('button', { type: 'button', class: 'quiet close', 'aria-label': 'Close', onclick: toggleFacts }, icon(CROSS)), side.element);
    open = { id, parts: [middle, side] };
    if (!NARROW.matches) middle.focus();
  }

  function toggleFacts() {
    const shown = root.dataset.facts !== 'shown';
    attribute(root, 'data-facts', shown ? 'shown' : 'hidden');
    try {
      localStorage.setItem(FACTS, String(shown));
    } catch {
      // Only a preference.
    }
  }

  attribute(root, 'data-facts', WIDE.matches && localStorage.getItem(FACTS) !== 'false' ? 'shown' : 'hidden');
  root.replaceChildren(shell, gate(client, shell));
  route.onChange(showRoute);
  showRoute();
  openNewest(client, route);
  document.addEventListener('keydown', (event) => onShortcut(event, list));
}

/** On a wide screen the newest conversation opens by itself, once. @param {any} client @param {any} route */
function openNewest(client, route) {
  if (route.current() || NARROW.matches) return;
  const store = client.list('conversation', { order: '-lastMessage.sentAt' });
  const off = store.subscribe(take);
  function take() {
    const [newest] = store.get().ids;
    if (!newest && !route.current()) return;
    off();
    if (!route.current()) route.replace(newest);
  }
  take();
}

/** When the page was last connected, ms by the local clock; null before the first time. @param {any} client @param {any} root */
function trackLive(client, root) {
  /** @type {number | null} */
  let last = null;
  watch(client.connection, ({ phase, since }) => {
    const wasLive = root.dataset.live === 'true';
    if (phase === 'online') last = Date.now();
    else if (wasLive) last = since ?? Date.now();
    attribute(root, 'data-live', String(phase === 'online'));
  });
  return () => last;
}

/** @param {any} client */
function nothingOpen(client) {
  const words = h('p');
  const element = h('div', { class: 'empty tall' }, words);
  const end = watch(client.list('conversation'), ({ ids, loading }) => {
    words.textContent = loading ? 'Finding your conversations…' : ids.length > 0 ? 'Choose a conversation.' : 'All quiet on the river. Conversations appear here as soon as a machine is connected.';
  });
  return { element, end };
}

/** @param {KeyboardEvent} event @param {{ focusFilter(): void }} list */
function onShortcut(event, list) {
  const typing = event.target instanceof HTMLElement && event.target.matches('input, textarea');
  const find = (event.key === 'k' && (event.metaKey || event.ctrlKey)) || (event.key === '/' && !typing);
  if (!find) return;
  event.preventDefault();
  list.focusFilter();
}
