import { attribute, bag, h, icon, keyed, show, text, watch } from '../dom.js';
import { agentOf, authorOf, instanceName, isSelf, titleOf } from '../model.js';
import { age } from '../seconds.js';
import { avatar, ripple } from './avatar.js';

const PIN = 'M7 3.5h6M8 3.5v5l-2.5 3.5h9L12 8.5v-5M10 12v5';

/**
 * The conversations, newest first, with a filter that the keyboard reaches from anywhere.
 *
 * @param {any} client
 * @param {{ current(): string | null, open(id: string): void, onChange(fn: () => void): void }} route
 */
export function conversations(client, route) {
  const list = h('div', { class: 'conversations', role: 'list', 'aria-label': 'Conversations' });
  const hint = h('p', { class: 'hint' });
  const filter = h('input', {
    type: 'search', class: 'filter', placeholder: 'Find a conversation', 'aria-label': 'Find a conversation',
    'aria-keyshortcuts': 'Control+K Meta+K /', autocomplete: 'off', spellcheck: false, oninput: paint, onkeydown: onFilterKey,
  });
  const element = h('section', { class: 'side-section grow', 'aria-label': 'Conversations' },
    h('h2', {}, 'Conversations'), h('div', { class: 'filter-box' }, filter, h('kbd', {}, isMac() ? '⌘K' : 'Ctrl K')), hint, list);
  const store = client.list('conversation', { order: '-lastMessage.sentAt' });
  const rows = keyed(list, (id) => conversationRow(client, route, id, paint));

  function paint() {
    const { ids, loading } = store.get();
    const query = filter.value.trim().toLowerCase();
    const all = ids.map((/** @type {string} */ id) => client.entity('conversation', id).get()).filter((/** @type {any} */ each) => each && !each.archived);
    const hits = all.filter((/** @type {any} */ each) => !query || wordsOf(client, each).includes(query));
    const pinned = hits.filter((/** @type {any} */ each) => each.pinned);
    rows.set([...pinned, ...hits.filter((/** @type {any} */ each) => !each.pinned)].map(({ id }) => ({ key: id })));
    show(hint, hits.length === 0);
    text(hint, query ? 'Nothing matches.' : loading ? 'Loading…' : 'Conversations of your agents appear here by themselves.');
  }

  /** @param {KeyboardEvent} event */
  function onFilterKey(event) {
    if (event.key === 'Escape') {
      filter.value = '';
      paint();
      document.querySelector('[data-testid=composer-input]')?.focus();
    } else if (event.key === 'Enter') {
      list.querySelector('button')?.click();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      list.querySelector('button')?.focus();
    }
  }

  list.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll('button')];
    const next = buttons.indexOf(document.activeElement) + step;
    (buttons[next] ?? (next < 0 ? filter : buttons.at(-1))).focus();
  });

  watch(store, paint);
  route.onChange(() => list.querySelectorAll('button').forEach((button) => mark(button, route)));
  return { element, focusFilter: () => (filter.focus(), filter.select()), paint };
}

/** @param {any} button @param {any} route */
const mark = (button, route) => attribute(button, 'aria-current', button.dataset.conversationId === route.current() ? 'page' : null);

/** @param {any} client @param {any} conversation */
function wordsOf(client, conversation) {
  const parts = [titleOf(client, conversation), agentOf(client, conversation)?.name, instanceName(client, conversation.instanceId), conversation.lastMessage?.head];
  return parts.join(' ').toLowerCase();
}

/** @param {any} client @param {any} route @param {string} id @param {() => void} arrange called when the row may belong elsewhere */
function conversationRow(client, route, id, arrange) {
  const ends = bag();
  let agent = '';
  let place = '';
  const face = avatar();
  const title = h('span');
  const head = h('span', { class: 'row-sub' });
  const last = h('time', { class: 'age' });
  const button = h('button', { type: 'button', class: 'row', 'data-testid': 'conversation-row', 'data-conversation-id': id, onclick: () => route.open(id) },
    face.element, h('span', { class: 'row-main' }, h('span', { class: 'row-title' }, icon(PIN), title), head), h('span', { class: 'row-side' }, last, ripple()));
  const element = h('div', { role: 'listitem' }, button);

  const paint = () => {
    const conversation = client.entity('conversation', id).get();
    if (!conversation) return;
    const { lastMessage, activeRun, pinned } = conversation;
    face.set(conversation.agentId, agentOf(client, conversation)?.name ?? titleOf(client, conversation));
    text(title, titleOf(client, conversation));
    text(head, lastMessage ? `${isSelf(client, lastMessage.author) ? 'You' : authorOf(client, lastMessage.author, conversation).name}: ${lastMessage.head ?? ''}` : 'Nothing said yet');
    age(last, lastMessage?.sentAt, 'short');
    attribute(button, 'data-running', Boolean(activeRun));
    attribute(button, 'data-pinned', pinned ? '' : null);
    mark(button, route);
  };
  ends.add(watch(client.entity('conversation', id), (conversation) => {
    paint();
    if (conversation && place !== (place = `${conversation.pinned} ${conversation.archived}`)) queueMicrotask(arrange);
    // The name of the agent may come after its conversation.
    const key = conversation?.agentId;
    if (key && key !== agent) ends.add(client.entity('agent', (agent = key)).subscribe(paint));
  }));
  return { element, end: ends.end };
}

const isMac = () => /Mac|iPhone|iPad/.test(navigator.platform);
