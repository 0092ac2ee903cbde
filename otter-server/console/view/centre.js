import { attribute, bag, h, icon, show, text, watch } from '../dom.js';
import { agentOf, instanceName, titleOf } from '../model.js';
import { setTitle } from '../page-title.js';
import { everySecond } from '../seconds.js';
import { connectionText, span } from '../words.js';
import { composer } from './composer.js';
import { dock } from './dock.js';
import { thread } from './thread.js';

const BACK = 'M12.5 4.5 7 10l5.5 5.5';
const PANEL = 'M3 4.5h14v11H3zM12.5 4.5v11';

/**
 * The open conversation: its name, its messages, the composer.
 *
 * @param {any} client @param {string} id
 * @param {{ back(): void, toggleFacts(): void, liveUntil(): number | null }} shell
 */
export function centre(client, id, shell) {
  const ends = bag();
  const title = h('h1');
  const sub = h('p', { class: 'sub' });
  const stale = h('div', { class: 'stale', role: 'status', hidden: true });
  const messages = thread(client, id);
  const writer = composer(client, id, messages.toEnd);
  const asked = dock(client, id, { beside: messages.element, focus: writer.focus, toResult: () => null, changed: () => {} });
  const element = h('div', { class: 'conversation', 'data-open-conversation': id },
    h('header', { class: 'conversation-head' },
      h('button', { type: 'button', class: 'quiet back', 'aria-label': 'All conversations', onclick: shell.back }, icon(BACK)),
      h('div', { class: 'conversation-name' }, title, sub),
      h('button', { type: 'button', class: 'quiet', 'aria-label': 'Session facts', title: 'Session facts', onclick: shell.toggleFacts }, icon(PANEL))),
    stale, messages.element, asked.element, writer.element);

  const paint = () => {
    const conversation = client.entity('conversation', id).get();
    const name = titleOf(client, conversation);
    text(title, name || 'Conversation');
    const agent = agentOf(client, conversation)?.name;
    text(sub, conversation ? [agent !== name && agent, instanceName(client, conversation.instanceId)].filter(Boolean).join(' on ') : '');
    attribute(element, 'data-running', Boolean(conversation?.activeRun));
    setTitle(`${conversation?.activeRun ? '● ' : ''}${name || 'Conversation'}`);
  };
  const paintStale = () => {
    const connection = client.connection.get();
    const since = shell.liveUntil();
    show(stale, connection.phase !== 'online' && since !== null);
    if (since === null) return;
    const { title: state, detail } = connectionText(connection, Date.now());
    text(stale, `${[state, detail].filter(Boolean).join(': ')}. You see what was known ${span(Date.now() - since)} ago.`);
  };
  ends.add(watch(client.entity('conversation', id), paint), client.list('agent').subscribe(paint), client.list('instance').subscribe(paint),
    watch(client.connection, paintStale), everySecond(paintStale), messages.end, asked.end, writer.end);
  return { element, end: ends.end, focus: writer.focus };
}
