import { attribute, h, icon, show, text } from '../dom.js';
import { showMarkdown, showPlain } from '../markdown.js';
import { authorOf, isSelf } from '../model.js';
import { deliveryText, timeOfDay } from '../words.js';
import { avatar } from './avatar.js';
import { copyText } from './copy.js';
import { wholeText } from './whole-text.js';

const COPY = 'M7 7h9.5v9.5H7zM4 13V3.5h9.5';
const STATUS = { aborted: 'Stopped', interrupted: 'Interrupted' };

/**
 * One message. Its element lives as long as the message, through prediction, streaming and the final text.
 *
 * @param {any} client @param {string} id @param {Map<string, boolean>} memory what was unfolded by hand
 */
export function messageRow(client, id, memory) {
  const face = avatar();
  const author = h('span', { class: 'author' });
  const time = h('time', { class: 'age' });
  const body = h('div', { class: 'message-text', 'data-testid': 'message-text', id: `text-${id}` });
  const unfold = h('button', { type: 'button', class: 'quiet unfold', 'aria-controls': body.id, onclick: onUnfold });
  const copy = h('button', { type: 'button', class: 'quiet copy', 'aria-label': 'Copy the text', title: 'Copy the text', onclick: () => copyText(copy, whole.text()) }, icon(COPY));
  const whole = wholeText(client, id, memory, paintText);
  const note = h('span', { class: 'note' });
  const retry = h('button', { type: 'button', class: 'quiet', onclick: () => client.retry(commandId) }, 'Retry');
  const dismiss = h('button', { type: 'button', class: 'quiet', onclick: () => client.dismiss(commandId) }, 'Dismiss');
  const again = h('button', { type: 'button', class: 'quiet', onclick: sendAgain }, 'Send again');
  const choices = h('span', { class: 'choices' }, retry, dismiss, again);
  const foot = h('footer', { class: 'message-foot' }, note, choices);
  const element = h('article', { class: 'message', 'data-testid': 'message-row', 'data-message-id': id },
    face.element, h('div', { class: 'message-main' }, h('header', { class: 'message-head' }, author, time, copy), body, unfold, whole.element, foot));
  let commandId = '';
  /** @type {any} */
  let shown;
  let told = false;

  /** What ended as not delivered is never run again: this is a new message with the same words. */
  function sendAgain() {
    const { conversationId, text: words } = shown;
    client.command('message.send', { conversationId, text: words });
  }

  /** @param {{ message: any, follows: boolean, latest: boolean, ended: boolean }} item `follows`: the same person spoke just before; `latest`: no person spoke after;
   * `ended`: its run is told below */
  function update({ message, follows, latest, ended }) {
    attribute(element, 'data-follows', follows ? '' : null);
    attribute(element, 'data-latest', latest ? '' : null);
    if (message === shown && ended === told) return;
    told = ended;
    shown = message;
    const { status, local, delivery } = message;
    const own = isSelf(client, message.author) || Boolean(local);
    commandId = local?.commandId ?? message.commandId ?? '';
    paintAuthor(message, own);
    for (const [name, value] of Object.entries({ status, stage: local?.stage, delivery: delivery?.state, kind: message.author?.type ?? 'member' })) {
      attribute(element, `data-${name}`, value);
    }
    attribute(element, 'data-own', own ? '' : null);
    attribute(element, 'data-internal', message.internal ? '' : null);
    attribute(element, 'aria-busy', status === 'streaming' ? 'true' : null);
    whole.set(message);
    paintText();
    paintFold();
    paintNote();
    note.title = message.delivery ? deliveryText(message.delivery) : '';
    const refused = local?.stage === 'refused';
    const lost = own && !local && delivery?.state === 'failed';
    show(retry, refused);
    show(dismiss, refused);
    show(again, lost);
    show(choices, refused || lost);
    show(foot, Boolean(note.textContent) || refused);
  }

  function paintNote() {
    text(note, noteOf(shown, told, client.connection.get().phase === 'online'));
  }

  function paintText() {
    if (shown.author?.type === 'agent') showMarkdown(body, whole.text(), shown.status === 'streaming');
    else showPlain(body, whole.text());
  }

  /** What the gateway told its agent is folded to a line. */
  function paintFold() {
    const open = memory.get(id) === true;
    show(unfold, Boolean(shown.internal));
    attribute(element, 'data-unfolded', open ? '' : null);
    attribute(unfold, 'aria-expanded', String(open));
    text(unfold, open ? 'Show less' : 'Show all of it');
  }

  function onUnfold() {
    memory.set(id, memory.get(id) !== true);
    paintFold();
  }

  /** @param {any} message @param {boolean} own */
  function paintAuthor({ author: by, conversationId, sentAt }, own) {
    const { id: who, name } = authorOf(client, by, client.entity('conversation', conversationId ?? '').get());
    face.set(who, name);
    text(author, own ? 'You' : name);
    text(time, sentAt ? timeOfDay(sentAt) : '');
    if (sentAt) time.title = new Date(sentAt).toLocaleString();
  }

  const off = client.connection.subscribe(() => shown?.local && paintNote());
  return { element, update, end: () => (off(), whole.end()) };
}

/** @param {any} message @param {boolean} ended @param {boolean} online */
function noteOf({ status, local, delivery }, ended, online) {
  if (local?.stage === 'refused') return `Not sent: ${local.error?.message ?? local.error?.code ?? 'the hub refused it'}`;
  // What was sent and has no answer is sent again.
  if (local) return local.stage === 'sent' && online ? 'Sending…' : 'Waits for the connection';
  if (STATUS[status]) return ended ? '' : STATUS[status];
  return delivery ? deliveryText(delivery) : '';
}
