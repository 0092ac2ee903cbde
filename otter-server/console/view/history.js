import { attribute, h, icon, show, text } from '../dom.js';

const UP = 'M10 16V4M5 9l5-5 5 5';

/**
 * The top of a conversation: older messages come as one gets near, and the end of them is told.
 *
 * @param {{ messages: any, runs: any, steps: any, isReady(): boolean }} of
 */
export function historyTop({ messages, runs, steps, isReady }) {
  const words = h('span');
  const button = h('button', { type: 'button', class: 'quiet', 'data-testid': 'load-older', onclick: () => messages.get().more() }, icon(UP), words);
  const begin = h('p', { class: 'history-begin', 'data-testid': 'history-begin' }, 'The beginning of the conversation');
  const element = h('div', { class: 'history' }, button, begin);

  function paint() {
    const { hasMore, loading, error, rows } = messages.get();
    const older = hasMore || Boolean(error);
    show(button, older && rows.length > 0);
    show(begin, !older && rows.length > 0 && !loading);
    button.disabled = loading;
    attribute(button, 'data-loading', loading ? '' : null);
    attribute(element, 'data-error', error ? '' : null);
    attribute(element, 'aria-busy', loading ? 'true' : null);
    text(words, loading ? 'Loading older messages…' : error ? `Older messages did not come: ${error.message ?? error.code}. Try again` : 'Load older messages');
    accompany();
  }

  /** What was done in the time of the messages that are here belongs to them. */
  function accompany() {
    const oldest = messages.get().rows[0]?.sentAt;
    if (!oldest || !isReady() || messages.get().loading) return;
    for (const store of [runs, steps]) {
      const { rows, hasMore, loading, error, more } = store.get();
      if (wentBack && hasMore && !loading && !error && rows[0]?.startedAt > oldest) more();
    }
  }

  let wentBack = false;
  return {
    element,
    paint,
    /** @param {any} scroller asks for more when its top is near */
    near(scroller) {
      const { hasMore, loading, error, more, rows } = messages.get();
      if (!hasMore || loading || error || rows.length === 0 || !isReady()) return;
      if (scroller.scrollTop > scroller.clientHeight * 1.5) return;
      wentBack = true;
      more();
    },
  };
}
