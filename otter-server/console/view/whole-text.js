import { attribute, h, show, text } from '../dom.js';

/**
 * The text of a message: of a long one its head, and the whole when somebody asks for it.
 *
 * @param {any} client @param {string} id @param {Map<string, boolean>} memory what was asked for stays asked for
 * @param {() => void} changed
 */
export function wholeText(client, id, memory, changed) {
  const key = `whole/${id}`;
  const words = h('span', { class: 'note' });
  const ask = h('button', { type: 'button', class: 'quiet', 'data-testid': 'show-whole', onclick: onAsk });
  const element = h('p', { class: 'whole-text', hidden: true }, words, ask);
  /** @type {any} */
  let message;
  /** @type {(() => void) | null} */
  let off = null;

  function onAsk() {
    const failed = off && store().get().error;
    memory.set(key, true);
    // A text that did not come is asked for again by listening anew.
    if (failed) end();
    follow();
  }

  const store = () => client.text(id);

  function follow() {
    off ??= store().subscribe(paint);
    paint();
  }

  function paint() {
    const { whole, loading, error } = store().get();
    const cut = Boolean(message.truncated) && !(off && whole);
    show(element, cut);
    attribute(element, 'aria-busy', off && loading ? 'true' : null);
    text(words, off && error ? `The rest did not come: ${error.message ?? error.code}.` : '');
    text(ask, off && error ? 'Try again' : off && loading ? 'Loading the whole text…' : 'Show the whole text');
    ask.disabled = Boolean(off && loading && !error);
    changed();
  }

  function end() {
    off?.();
    off = null;
  }

  return {
    element,
    end,
    text: () => (off ? store().get().text : message.text) ?? '',
    /** @param {any} next */
    set(next) {
      message = next;
      show(element, Boolean(message.truncated) && !(off && store().get().whole));
      if (message.truncated) memory.get(key) ? follow() : text(ask, 'Show the whole text');
    },
  };
}
