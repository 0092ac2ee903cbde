import { announce } from '../announce.js';
import { attribute, bag, h, icon, isComposing, show, text } from '../dom.js';
import { drafts } from '../drafts.js';
import { LIMITS, isCut, room } from '../limits.js';
import { agentOf, instanceName, mayWrite } from '../model.js';
import { bytesOf, size } from '../words.js';

const KEPT_AT_ONCE = 50 * 1024;
const SEND = 'M3.5 10 16.5 3.5 12.5 16.5 9.5 11.5zM9.5 11.5 16.5 3.5';

/**
 * Where one types. Words leave it only when their message is on the screen or the hub has it.
 *
 * @param {any} client @param {string} conversationId @param {() => void} sent
 */
export function composer(client, conversationId, sent) {
  const ends = bag();
  const input = h('textarea', {
    'data-testid': 'composer-input', rows: 1, 'aria-label': 'Message', enterKeyHint: 'send', spellcheck: true, oninput: onTyped, onkeydown: onKey,
  });
  const button = h('button', { type: 'submit', class: 'send', 'data-testid': 'composer-send', 'aria-label': 'Send', title: 'Send (Enter)' }, icon(SEND));
  const hint = h('p', { class: 'composer-hint', id: 'composer-hint' });
  const keys = h('span', { class: 'keys' }, h('kbd', {}, 'Enter'), ' sends, ', h('kbd', {}, 'Shift Enter'), ' new line');
  const element = h('form', { class: 'composer', onsubmit: onSubmit }, h('div', { class: 'composer-box' }, input, button), h('div', { class: 'composer-foot' }, hint, keys));
  attribute(input, 'aria-describedby', 'composer-hint');
  const messages = client.messages(conversationId);
  /** @type {any} what was sent and is not on the screen yet */
  let pending = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let keeping;
  /** @type {any} whose words are in the composer */
  let person = null;
  let fits = true;
  /** The draft that was there before words were typed by somebody who was not known yet. */
  let beside = '';

  function onInput() {
    clearTimeout(keeping);
    // A long text is not written to the store of the browser at each keystroke.
    if (input.value.length < KEPT_AT_ONCE) keep();
    else keeping = setTimeout(keep, 500);
    paintHint();
    fit();
  }

  function keep() {
    clearTimeout(keeping);
    keeping = undefined;
    drafts.set(person, conversationId, input.value);
  }

  /** Who is signed in is known, or is somebody else. */
  function introduce() {
    const self = client.self.get();
    if (self && (self.id !== person?.id || self.org !== person?.org)) {
      const stored = drafts.get(self, conversationId);
      // What was typed before it was known by whom is this person's, too.
      const typed = person ? '' : input.value;
      beside = typed && stored !== typed ? stored : '';
      input.value = beside ? `${beside}\n${typed}` : stored || typed;
      person = self;
      keep();
    }
    paint();
  }

  /** Another tab of this person goes on writing here, or has sent it. */
  function follow() {
    const words = drafts.get(person, conversationId);
    if (pending || keeping !== undefined || words === input.value) return;
    input.value = words;
    paint();
  }

  function onTyped() {
    client.setTyping(conversationId, Boolean(input.value.trim()));
    onInput();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    onSubmit(event);
  }

  /** @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    const words = input.value;
    if (!words.trim() || pending || blocked()) return;
    if (!fits) return announce(hint.textContent);
    client.setTyping(conversationId, false);
    const handle = client.command('message.send', { conversationId, text: words });
    pending = { handle, words };
    handle.accepted.then((/** @type {any} */ { state }) => settle(state !== 'refused' && state !== 'closed'));
    settle(false);
    sent();
  }

  /** Empties the composer once the words are somewhere else. @param {boolean} accepted */
  function settle(accepted) {
    if (!pending) return paint();
    const { handle, words } = pending;
    const { state, error } = handle.get();
    const shown = messages.get().rows.some((/** @type {any} */ { local, id }) => local?.commandId === handle.id || id.endsWith(`:${handle.id}:user`));
    if (accepted || shown) {
      if (input.value === words) input.value = '';
      else if (beside && input.value === `${beside}\n${words}`) input.value = beside;
      onInput();
      pending = null;
    } else if (state === 'refused') {
      pending = null;
      text(hint, `Not sent: ${error?.message ?? 'the hub refused it'}`);
      return;
    }
    paint();
  }

  function fit() {
    // The thread above keeps its height while this one is measured.
    element.style.height = `${element.offsetHeight}px`;
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 220)}px`;
    element.style.height = '';
    button.disabled = !input.value.trim() || Boolean(pending) || Boolean(blocked()) || !fits;
  }

  /** Why nothing can be sent here, in words. */
  function blocked() {
    const { phase, reason } = client.scope(`conversation/${conversationId}`).get();
    if (phase === 'denied') return reason ?? 'You may not write here.';
    return mayWrite(client) ? '' : 'You may watch here, not write: your role is viewer.';
  }

  function paint() {
    const conversation = client.entity('conversation', conversationId).get();
    const agent = agentOf(client, conversation)?.name;
    input.placeholder = agent ? `Message ${agent}` : 'Message';
    input.disabled = Boolean(blocked());
    paintHint();
    fit();
  }

  function paintHint() {
    const long = howLong(input.value);
    if (fits && !long.fits) announce(long.words);
    fits = long.fits;
    attribute(input, 'aria-invalid', fits ? null : 'true');
    text(hint, blocked() || (pending ? 'Sending…' : long.words || waitsFor(client, client.entity('conversation', conversationId).get())));
    show(keys, !hint.textContent);
  }

  // How high the words are depends on the width, which is known once the composer is in the page.
  const width = new ResizeObserver(fit);
  width.observe(hint.parentElement);
  ends.add(messages.subscribe(() => pending && settle(false)), client.scope(`conversation/${conversationId}`).subscribe(paint), client.self.subscribe(introduce),
    client.connection.subscribe(paint), client.entity('conversation', conversationId).subscribe(paint), client.list('instance').subscribe(paint), client.list('agent').subscribe(paint));
  ends.add(() => {
    width.disconnect();
    removeEventListener('storage', follow);
    if (keeping !== undefined) keep();
    client.setTyping(conversationId, false);
  });
  addEventListener('storage', follow);
  introduce();
  return { element, end: ends.end, focus: () => input.focus({ preventScroll: true }) };
}

/** What is to be said of the length of a text, and whether it can be sent. @param {string} words */
function howLong(words) {
  const { fits, words: over } = room(words, LIMITS.said);
  if (!fits) return { fits, words: `${over}. It stays here.` };
  return { fits, words: isCut(words) ? `A long text: ${size(bytesOf(words))}. Everybody sees its beginning, the whole after a click.` : '' };
}

/** Why a message will not arrive at once. @param {any} client @param {any} conversation */
function waitsFor(client, conversation) {
  const { phase } = client.connection.get();
  if (phase !== 'online' && phase !== 'idle') return 'Not connected: your message waits here and goes out by itself.';
  const instance = conversation && client.entity('instance', conversation.instanceId).get();
  const name = conversation && instanceName(client, conversation.instanceId);
  if (instance && instance.connection !== 'online') return `${name} is offline: your message waits at the hub until it is back.`;
  if (instance?.gateway?.state && instance.gateway.state !== 'online') return `The gateway of ${name} is not online: your message waits there.`;
  return conversation?.activeRun ? 'An answer is being written: your message goes into it.' : '';
}
