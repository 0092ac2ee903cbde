import { tellAlerts } from './alerts.js';
import { announcer } from './announce.js';
import { tellRefusals } from './ask.js';
import { attribute, h, icon, show, watch } from './dom.js';
import { listenToKeys } from './keys.js';
import { noticeBoard } from './notices.js';
import { setTitle } from './page-title.js';
import { recall, remember } from './prefs.js';
import { createRoute } from './route.js';
import { startSeconds } from './seconds.js';
import { approvalsPage } from './view/approvals.js';
import { centre } from './view/centre.js';
import { conversations } from './view/conversations.js';
import { facts } from './view/facts.js';
import { feedPage } from './view/feed.js';
import { addMachine, fleetPage } from './view/fleet.js';
import { gate } from './view/gate.js';
import { instances } from './view/instances.js';
import { nav } from './view/nav.js';
import { page } from './view/page.js';
import { tasksPage } from './view/tasks.js';
import { topbar } from './view/topbar.js';

const CROSS = 'M5 5l10 10M15 5 5 15';
const FACTS = 'facts';
const WIDE = matchMedia('(min-width: 1280px)');
const NARROW = matchMedia('(max-width: 759px)');

/** @type {Record<string, (client: any, route: any, shell: any) => Part>} */
const PAGES = {
  approvals: (client, route, shell) => approvals(client, shell),
  tasks: tasksPage,
  feed: feedPage,
  fleet: fleetPage,
};

/**
 * What fills the centre. `show` is told when another part of the same page is asked for.
 *
 * @typedef {{ element: any, end(): void, focus?(): void, show?(id: string | null): void, scroller?: any }} Part
 */

/**
 * Puts the console into the page.
 *
 * @param {any} root @param {import('./client/index.js').Client} client
 */
export function mountConsole(root, client) {
  startSeconds(() => client.now());
  const route = createRoute();
  const list = conversations(client, route);
  const main = h('main', { class: 'centre', id: 'main', tabIndex: -1 });
  const aside = h('aside', { class: 'facts', 'aria-label': 'Session facts' });
  const skip = h('a', { class: 'skip', href: '#main', onclick: skipTo }, 'Skip to the content');
  const shell = h('div', { class: 'shell' },
    skip, topbar(client, route), nav(client, route), h('section', { class: 'side', 'aria-label': 'Conversations' }, list.element, instances(client, route)), main, aside);
  const context = { back: route.close, toggleFacts, liveUntil: trackLive(client, root) };
  const stage = createStage(main, aside);

  /** @param {Event} event */
  function skipTo(event) {
    event.preventDefault();
    main.focus();
  }

  /** @param {boolean} moved whether somebody went there, so that the keyboard has to follow */
  function showRoute(moved) {
    const { page: name, id } = route.place();
    attribute(root, 'data-page', name);
    attribute(root, 'data-view', name !== 'conversations' ? 'page' : id ? 'conversation' : 'list');
    if (name === 'conversations' && !id) openNewest(client, route);
    if (stage.is(name, id)) return;
    // Within a page the keyboard stays where it is: what was opened there gives it back.
    const isElsewhere = name === 'conversations' || !stage.shows(name);
    if (name !== 'conversations') stage.page(name, id, () => PAGES[name](client, route, context));
    else if (!id) stage.quiet(nothingOpen(client));
    else stage.conversation(id, centre(client, id, context), facts(client, id), closeFacts());
    if (isElsewhere && (moved || name === 'conversations')) stage.focus(NARROW.matches);
  }

  const closeFacts = () => h('button', { type: 'button', class: 'quiet close', 'aria-label': 'Close', onclick: toggleFacts }, icon(CROSS));

  function toggleFacts() {
    const shown = root.dataset.facts !== 'shown';
    attribute(root, 'data-facts', shown ? 'shown' : 'hidden');
    remember(FACTS, shown);
  }

  attribute(root, 'data-facts', WIDE.matches && recall(FACTS) !== false ? 'shown' : 'hidden');
  root.replaceChildren(shell, announcer, noticeBoard, gate(client, shell));
  route.onChange(() => showRoute(true));
  showRoute(false);
  tellRefusals(client);
  tellAlerts(client, route);
  listenToKeys(client, route);
}

/** A page made elsewhere in the frame of all pages. @param {any} client @param {any} shell @param {string} name @param {string} title @param {any} inner */
function framed(client, shell, name, title, inner) {
  const frame = page(client, shell, { name, title }, inner.element);
  frame.ends.add(inner.end);
  return frame;
}

/** @param {any} client @param {any} shell */
function approvals(client, shell) {
  const frame = framed(client, shell, 'approvals', 'Approvals', approvalsPage(client));
  frame.ends.add(watch(client.approvals(), ({ pending }) => frame.note(pending === 0 ? '' : pending === 1 ? 'One waits for an answer' : `${pending} wait for an answer`)));
  return frame;
}

/** What is in the centre at the moment. @param {any} main @param {any} aside */
function createStage(main, aside) {
  /** @type {{ name: string, id: string | null, parts: Part[] } | null} */
  let open = null;
  /** @type {Map<string, number>} how far each page was scrolled */
  const scrolled = new Map();

  /** @param {string} name @param {string | null} id @param {Part[]} parts @param {any[]} beside */
  function put(name, id, parts, beside) {
    if (open && open.parts[0].scroller) scrolled.set(`${open.name}/${open.id}`, open.parts[0].scroller.scrollTop);
    open?.parts.forEach((part) => part.end());
    open = { name, id, parts };
    main.replaceChildren(parts[0].element);
    aside.replaceChildren(...beside);
    if (parts[0].scroller) parts[0].scroller.scrollTop = scrolled.get(`${name}/${id}`) ?? 0;
  }

  return {
    /** @param {string} name @param {string | null} id */
    is: (name, id) => open !== null && open.name === name && open.id === id,
    /** @param {string} name */
    shows: (name) => open?.name === name,
    /** @param {string} name @param {string | null} id @param {() => Part} make */
    page(name, id, make) {
      if (open?.name === name) {
        open.id = id;
        return open.parts[0].show?.(id);
      }
      const part = make();
      part.show?.(id);
      put(name, id, [part], []);
    },
    /** @param {Part} part */
    quiet: (part) => (put('conversations', null, [part], []), setTitle('')),
    /** @param {string} id @param {Part} middle @param {Part} side @param {any} close */
    conversation: (id, middle, side, close) => put('conversations', id, [middle, side], [close, side.element]),
    /** The keyboard goes where the eye went; on a phone a composer would open the keyboard. @param {boolean} narrow */
    focus(narrow) {
      const part = open?.parts[0];
      if (narrow && open?.name === 'conversations') return;
      part?.focus?.();
    },
  };
}

/** On a wide screen the newest conversation opens by itself. @param {any} client @param {any} route */
function openNewest(client, route) {
  if (NARROW.matches) return;
  const store = client.list('conversation', { order: '-lastMessage.sentAt' });
  const off = store.subscribe(take);
  function take() {
    const { page: name, id } = route.place();
    const [newest] = store.get().ids.filter((/** @type {string} */ each) => !client.entity('conversation', each).get()?.archived);
    const here = name === 'conversations' && !id;
    if (!newest && here) return;
    off();
    if (here) route.replace(newest);
  }
  queueMicrotask(take);
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
  const add = h('button', { type: 'button', class: 'primary', onclick: addMachine }, 'Add a machine');
  const element = h('div', { class: 'empty tall' }, words, h('p', { class: 'empty-act' }, add));
  const paint = () => {
    const { ids, loading } = client.list('conversation').get();
    const machines = client.list('instance').get();
    words.textContent = loading ? 'Finding your conversations…' : ids.length > 0 ? 'Choose a conversation.' : 'All quiet on the river. Conversations appear here as soon as a machine is connected.';
    show(add, !loading && !machines.loading && machines.ids.length === 0);
  };
  const ends = [watch(client.list('conversation'), paint), client.list('instance').subscribe(paint)];
  return { element, end: () => ends.forEach((end) => end()) };
}
