import { ask } from '../ask.js';
import { attribute, bag, h, icon, show, text, watch } from '../dom.js';
import { drafts } from '../drafts.js';
import { LIMITS } from '../limits.js';
import { agentOf, authorOf, isSelf, mayWrite, refusedIn, titleOf } from '../model.js';
import { link } from '../route.js';
import { age } from '../seconds.js';
import { plain } from '../words.js';
import { avatar, ripple } from './avatar.js';
import { askLine } from './dialog.js';
import { openMenu } from './menu.js';

const PIN = 'M7 3.5h6M8 3.5v5l-2.5 3.5h9L12 8.5v-5M10 12v5';
const HEAD = 200;
const DOTS = 'M5 10h.01M10 10h.01M15 10h.01';

/** @param {any} client @param {any} route @param {string} id @param {() => void} arrange called when the row belongs elsewhere */
export function conversationRow(client, route, id, arrange) {
  const ends = bag();
  let agent = '';
  let place = '';
  const face = avatar();
  const title = h('span');
  const label = h('span', { class: 'row-label' });
  const head = h('span');
  const last = h('time', { class: 'age' });
  const badge = h('span', { class: 'badge', hidden: true, 'aria-hidden': 'true' });
  const spoken = h('span', { class: 'unseen' });
  const row = h('a', { class: 'row', href: link('conversations', id), 'data-testid': 'conversation-row', 'data-conversation-id': id, 'data-walk-row': '' },
    face.element, h('span', { class: 'row-main' },
      h('span', { class: 'row-line' }, h('span', { class: 'row-title' }, icon(PIN), title), last),
      h('span', { class: 'row-line' }, h('span', { class: 'row-sub' }, label, head), h('span', { class: 'row-marks' }, ripple(), badge))),
    spoken);
  const more = h('button', { type: 'button', class: 'row-menu', 'aria-haspopup': 'menu', onclick: () => openMenu(more, actions(client, id)) }, icon(DOTS));
  const element = h('div', { role: 'listitem', class: 'row-box', oncontextmenu: onContext }, row, more);

  /** A click with the other button, a long press, or the menu key. @param {any} event */
  function onContext(event) {
    event.preventDefault();
    openMenu(row, actions(client, id), event.clientX ? { x: event.clientX, y: event.clientY } : undefined);
  }

  const paint = () => {
    const conversation = client.entity('conversation', id).get();
    if (!conversation) return;
    const { lastMessage, activeRun, pinned, archived, local } = conversation;
    const name = titleOf(client, conversation);
    face.set(conversation.agentId, agentOf(client, conversation)?.name ?? name);
    text(title, name);
    paintWords(conversation);
    age(last, lastMessage?.sentAt, 'short');
    attribute(row, 'data-running', Boolean(activeRun));
    attribute(row, 'data-pinned', Boolean(pinned) && 'true');
    attribute(row, 'data-archived', Boolean(archived) && 'true');
    attribute(row, 'data-stage', local?.stage ?? null);
    row.title = local?.stage === 'refused' ? `Not changed: ${local.error?.message ?? ''}` : local?.stage === 'held' ? 'Changed when the connection is back' : '';
    attribute(more, 'aria-label', `Actions for ${name}`);
    show(more, mayWrite(client) || unread() > 0);
  };

  /** What was not sent and what is not finished come before what was said last. @param {any} conversation */
  function paintWords(conversation) {
    const { lastMessage } = conversation;
    const [refused] = refusedIn(client, id);
    const draft = refused || id === route.current() ? '' : drafts.get(client.self.get(), id);
    attribute(row, 'data-words', refused ? 'refused' : draft ? 'draft' : null);
    text(label, refused ? 'Not sent: ' : draft ? 'Draft: ' : '');
    const by = lastMessage && (isSelf(client, lastMessage.author) ? 'You' : authorOf(client, lastMessage.author, conversation).name);
    text(head, refused || draft ? plain((refused || draft).slice(0, HEAD)) : lastMessage ? `${by}: ${plain(lastMessage.head ?? '')}` : 'Nothing said yet');
  }

  const unread = () => client.unread(id).get();
  const paintUnread = (/** @type {number} */ count) => {
    attribute(row, 'data-unread', count);
    text(badge, count > 99 ? '99+' : String(count));
    show(badge, count > 0);
    const running = row.dataset.running === 'true' ? ', an answer is being written' : '';
    text(spoken, (count > 0 ? `, ${count} unread` : '') + running);
  };
  const mark = () => {
    attribute(row, 'aria-current', id === route.current() ? 'page' : null);
    paint();
  };
  ends.add(watch(client.entity('conversation', id), (conversation) => {
    paint();
    const before = place;
    if (conversation) place = `${conversation.pinned} ${conversation.archived} ${conversation.folder}`;
    if (before && before !== place) arrange();
    // The name of the agent may come after its conversation.
    const key = conversation?.agentId;
    if (key && key !== agent) ends.add(client.entity('agent', (agent = key)).subscribe(paint));
  }), watch(client.unread(id), paintUnread), client.self.subscribe(paint), client.commands().subscribe(paint), route.onChange(mark));
  mark();
  return { element, end: ends.end };
}

/** What can be done with a conversation. @param {any} client @param {string} id @returns {(import('./menu.js').Item | null)[]} */
export function actions(client, id) {
  const conversation = client.entity('conversation', id).get() ?? {};
  const change = (/** @type {any} */ data) => () => ask(client, 'conversation.update', { conversationId: id, ...data });
  const folders = foldersOf(client);
  const read = client.unread(id).get() > 0 ? [{ label: 'Mark read', run: () => client.markRead(id) }] : [];
  if (!mayWrite(client)) return read;
  return [
    { label: 'Rename…', run: () => rename(client, conversation) },
    { label: conversation.pinned ? 'Unpin' : 'Pin to the top', run: change({ pinned: !conversation.pinned }) },
    ...read,
    null,
    ...(folders.length > 0 ? [{ heading: true, label: 'Folder' }] : []),
    ...folders.map((folder) => ({ label: folder, checked: conversation.folder === folder, run: change({ folder }) })),
    ...(conversation.folder ? [{ label: 'Out of its folder', run: change({ folder: null }) }] : []),
    { label: 'New folder…', run: () => intoFolder(client, conversation, folders) },
    null,
    { label: conversation.archived ? 'Back from the archive' : 'Archive', run: change({ archived: !conversation.archived }) },
  ];
}

/** @param {any} client @returns {string[]} */
function foldersOf(client) {
  const names = client.list('conversation').get().ids.map((/** @type {string} */ id) => client.entity('conversation', id).get()?.folder);
  return [.../** @type {Set<string>} */ (new Set(names.filter(Boolean)))].sort((a, b) => a.localeCompare(b)).slice(0, 12);
}

/** @param {any} client @param {any} conversation */
export function rename(client, conversation) {
  askLine({
    title: 'Rename the conversation', name: 'rename', label: 'Title', value: conversation.title ?? '', limit: LIMITS.title, action: 'Rename',
    hint: `Everybody sees it. Empty, it is called “${titleOf(client, { ...conversation, title: null })}” again.`,
    done: (title) => title !== (conversation.title ?? '') && ask(client, 'conversation.update', { conversationId: conversation.id, title: title || null }),
  });
}

/** @param {any} client @param {any} conversation @param {string[]} options */
function intoFolder(client, conversation, options) {
  askLine({
    title: 'Move to a folder', name: 'folder', label: 'Folder', value: '', limit: LIMITS.folder, action: 'Move', options,
    hint: 'A name that is not there yet makes a new folder. Everybody sees it.',
    done: (folder) => folder && ask(client, 'conversation.update', { conversationId: conversation.id, folder }),
  });
}
