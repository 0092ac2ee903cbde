import { ask } from '../ask.js';
import { attribute, bag, h, icon, isComposing, show, text, watch } from '../dom.js';
import { LIMITS, room } from '../limits.js';
import { saysOf } from '../machine.js';
import { agentOf, instanceName, mayWrite, titleOf } from '../model.js';
import { notify } from '../notices.js';
import { setTitle } from '../page-title.js';
import { age, everySecond } from '../seconds.js';
import { contextRing } from './context-ring.js';
import { actions } from './conversation-row.js';
import { confirm } from './confirm.js';
import { writeToClipboard } from './copy.js';
import { openMenu } from './menu.js';

const BACK = 'M12.5 4.5 7 10l5.5 5.5';
const PANEL = 'M3 4.5h14v11H3zM12.5 4.5v11';
const DOTS = 'M5 10h.01M10 10h.01M15 10h.01';
const PEN = 'M4 16l.8-3.4L13.6 3.8l2.6 2.6-8.8 8.8zM12 5.4l2.6 2.6';

/**
 * The head of a conversation: its name, which anybody who may write changes in place, whose it is and how that agent is.
 *
 * @param {any} client @param {string} id
 * @param {{ back(): void, toggleFacts(): void }} shell
 */
export function conversationHead(client, id, shell) {
  const ends = bag();
  const name = h('span', { class: 'name-words' });
  const rename = h('button', { type: 'button', class: 'name-button', title: 'Rename', 'data-testid': 'conversation-title', onclick: edit }, name, icon(PEN));
  const title = h('h1', {}, rename);
  const input = h('input', { type: 'text', class: 'name-input', hidden: true, 'aria-label': 'Title of the conversation', 'data-testid': 'conversation-title-input', oninput: measure, onkeydown: onKey, onblur: () => leave(true) });
  const left = h('p', { class: 'name-left', role: 'status', hidden: true });
  const whose = h('span', { class: 'whose' });
  const status = h('span', { class: 'agent-status', 'data-testid': 'agent-status' }, h('span', { class: 'dot' }), h('span'));
  const says = h('span', { class: 'agent-says', 'data-testid': 'agent-says' });
  const since = h('time', { class: 'age' });
  const sub = h('p', { class: 'sub' }, whose, status, since, says);
  const ring = contextRing();
  const context = h('button', { type: 'button', class: 'quiet head-context', 'aria-label': 'Context of the session', onclick: shell.toggleFacts }, ring.element);
  const dots = h('button', { type: 'button', class: 'quiet', 'aria-label': 'Actions', title: 'Actions', 'aria-haspopup': 'menu', 'data-testid': 'conversation-menu', onclick: () => openMenu(dots, items()) }, icon(DOTS));
  const element = h('header', { class: 'conversation-head' },
    h('button', { type: 'button', class: 'quiet back', 'aria-label': 'All conversations', onclick: shell.back }, icon(BACK)),
    h('div', { class: 'conversation-name' }, title, input, left, sub), context, dots,
    h('button', { type: 'button', class: 'quiet head-facts', 'aria-label': 'Session facts', title: 'Session facts', onclick: shell.toggleFacts }, icon(PANEL)));

  /** The title that somebody began to change. */
  let began = '';

  const conversation = () => client.entity('conversation', id).get();

  function edit() {
    if (!mayWrite(client) || !conversation()) return;
    if (input.hidden) input.value = began = titleOf(client, conversation());
    show(title, false);
    show(input, true);
    measure();
    input.focus();
    input.select();
  }

  /** Says in the line below how much room is left. @returns {boolean} whether the title fits */
  function measure() {
    const { fits, words } = room(input.value.trim(), LIMITS.title);
    attribute(input, 'aria-invalid', fits ? null : 'true');
    text(left, words);
    show(left, Boolean(words) && !input.hidden);
    show(sub, left.hidden);
    return fits;
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (isComposing(event) || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    if (leave(event.key === 'Enter')) rename.focus({ preventScroll: true });
  }

  /** Ends the change of the title, unless it is too long to be kept. @param {boolean} keep @returns {boolean} whether it ended */
  function leave(keep) {
    if (input.hidden || (keep && !measure())) return input.hidden;
    const words = input.value.trim();
    show(input, false);
    show(title, true);
    measure();
    // An empty title gives back the one that comes from what was said.
    if (keep && conversation() && words !== began && words !== titleOf(client, conversation())) ask(client, 'conversation.update', { conversationId: id, title: words || null });
    return true;
  }

  /** @returns {(import('./menu.js').Item | null)[]} */
  function items() {
    const reset = { label: 'Start the session anew…', danger: true, run: () => askReset(client, id) };
    return [...actions(client, id).map((item) => (item?.label === 'Rename…' ? { ...item, run: edit } : item)), null,
      { label: 'Copy the link', run: () => copyLink(id) }, ...(mayWrite(client) ? [reset] : [])];
  }

  function paint() {
    const row = conversation();
    const words = titleOf(client, row) || 'Conversation';
    const agent = agentOf(client, row);
    const session = client.entity('session', id).get();
    text(name, words);
    attribute(rename, 'aria-disabled', mayWrite(client) && row ? null : 'true');
    text(whose, row ? [agent?.name !== words && agent?.name, instanceName(client, row.instanceId)].filter(Boolean).join(' on ') : '');
    const state = row?.activeRun ? 'working' : (session?.status ?? '');
    text(status.lastChild, state);
    attribute(status, 'data-status', state);
    show(status, Boolean(state));
    age(since, row?.activeRun ? null : session?.lastActivityAt);
    paintSays();
    ring.set(session);
    context.title = ring.words(session);
    setTitle(`${row?.activeRun ? '● ' : ''}${words}`);
  }

  /** What the agent reports is another thing than what is seen of its session. */
  function paintSays() {
    const words = saysOf(client, agentOf(client, conversation()));
    text(says, words && `says: ${words}`);
    says.title = words;
  }

  ends.add(watch(client.entity('conversation', id), paint), everySecond(paintSays), client.entity('session', id).subscribe(paint), client.list('agent').subscribe(paint),
    client.list('instance').subscribe(paint), client.self.subscribe(paint), client.connection.subscribe(paintSays));
  return { element, end: ends.end };
}

/** @param {string} id */
async function copyLink(id) {
  const address = new URL(`#/c/${encodeURIComponent(id)}`, location.href).href;
  const done = await writeToClipboard(address);
  notify('link', done ? { words: 'The link is copied', detail: 'Members of this org can open it.' } : { words: 'This browser does not let the page copy', detail: address, lasts: 0 });
}

/** @param {any} client @param {string} id */
function askReset(client, id) {
  const name = agentOf(client, client.entity('conversation', id).get())?.name ?? 'The agent';
  confirm({
    title: 'Start the session anew?', name: 'reset', action: 'Start anew',
    words: `${name} forgets what was said in this conversation and starts with an empty context. The messages stay here to be read. This cannot be taken back.`,
    done: () => reset(client, id),
  });
}

/** @param {any} client @param {string} id */
function reset(client, id) {
  const key = `reset ${id}`;
  const done = notify(key, { words: 'Starting the session anew…', lasts: 0 });
  client.command('session.reset', { conversationId: id }).done.then((/** @type {any} */ { state, error }) => {
    done();
    if (state === 'completed') notify(key, { words: 'The session was started anew' });
    else notify(key, { words: 'The session was not started anew', detail: error?.message ?? WHY[state], tone: 'bad', lasts: 0, actions: [['Try again', () => reset(client, id)]] });
  });
}

const WHY = /** @type {Record<string, string>} */ ({ outcomeUnknown: 'it may have happened: look before you try again', expired: 'nobody carried it out in time' });
