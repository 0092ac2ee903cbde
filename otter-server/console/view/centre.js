import { ask } from '../ask.js';
import { attribute, bag, h, show, watch } from '../dom.js';
import { mayWrite } from '../model.js';
import { composer } from './composer.js';
import { dock } from './dock.js';
import { conversationHead } from './head.js';
import { staleBar } from './stale.js';
import { thread } from './thread.js';
import { typingLine } from './typing.js';

/**
 * The open conversation: its head, its messages, the approvals it waits for, the composer.
 *
 * @param {any} client @param {string} id
 * @param {{ back(): void, toggleFacts(): void, liveUntil(): number | null }} shell
 */
export function centre(client, id, shell) {
  const ends = bag();
  const head = conversationHead(client, id, shell);
  const stale = staleBar(client, shell);
  const unarchive = h('button', { type: 'button', class: 'quiet', onclick: () => ask(client, 'conversation.update', { conversationId: id, archived: false }) }, 'Bring it back');
  const archived = h('div', { class: 'archived', hidden: true, 'data-testid': 'archived-note' }, h('span', {}, 'This conversation is archived.'), unarchive);
  /** @type {ReturnType<typeof dock> | undefined} */
  let asked;
  const messages = thread(client, id, { inDock: (approvalId) => Boolean(asked?.has(approvalId)), lookAgain: () => asked?.look() });
  const typing = typingLine(client, id);
  const writer = composer(client, id, messages.toEnd);
  asked = dock(client, id, { beside: messages.element, focus: writer.focus, toResult: messages.toResult, changed: messages.paint });
  const element = h('div', { class: 'conversation', 'data-open-conversation': id }, head.element, stale.element, archived, messages.element, asked.element, typing.element, writer.element);

  const paint = () => {
    const conversation = client.entity('conversation', id).get();
    attribute(element, 'data-running', Boolean(conversation?.activeRun));
    show(archived, Boolean(conversation?.archived));
    show(unarchive, mayWrite(client));
  };
  ends.add(watch(client.entity('conversation', id), paint), client.self.subscribe(paint), stale.end,
    head.end, messages.end, asked.end, typing.end, writer.end);
  return { element, end: ends.end, focus: writer.focus };
}
