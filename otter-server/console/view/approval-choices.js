import { attribute, h, show, text } from '../dom.js';

/**
 * The answers to an approval. Allowing for good is a second step; nothing is taken from a press that cannot have been
 * meant for what is shown.
 *
 * @param {{ decide(decision: string): void, isSteady(): boolean, moved(): void, onHasty(): void }} card
 */
export function choices({ decide, isSteady, moved, onHasty }) {
  const once = button('primary', 'approval-allow-once', 'Allow once', () => press('allow-once'));
  const deny = button('choice deny', 'approval-deny', 'Deny', () => press('deny'));
  const other = button('quiet choice-other', 'approval-always-choice', 'Allow always…', () => fold(false));
  const always = button('choice always', 'approval-allow-always', 'Allow always', () => press('allow-always'));
  const back = button('quiet', 'approval-always-back', 'Back', () => fold(true));
  const meaning = h('p', { class: 'approval-meaning', id: `meaning-${Math.random().toString(36).slice(2)}` });
  const first = h('div', { class: 'approval-choices' }, once, deny, other);
  const second = h('div', { class: 'approval-choices second', hidden: true }, meaning, always, back);
  const why = h('p', { class: 'approval-why' });
  const element = h('div', { class: 'approval-answer' }, why, first, second);
  attribute(always, 'aria-describedby', meaning.id);
  let allowed = new Set();
  let blocked = '';
  let mayAllow = false;

  /** @param {string} decision */
  function press(decision) {
    const may = allowed.has(decision) && !blocked && (decision === 'deny' || mayAllow);
    if (!may) return;
    if (!isSteady()) return onHasty();
    decide(decision);
  }

  /** @param {boolean} closed */
  function fold(closed) {
    if (!isSteady()) return onHasty();
    show(first, closed);
    show(second, !closed);
    // The button that allows for good comes up where another one was.
    moved();
    (closed ? other : back).focus({ preventScroll: true });
    (closed ? first : second).scrollIntoView({ block: 'nearest' });
  }

  /** @param {{ approval: any, seen: boolean, agent: string, machine: string, connection: any, role?: string }} now */
  function set({ approval, seen, agent, machine, connection, role }) {
    const pending = approval.state === 'pending';
    show(element, pending);
    if (!pending) return;
    allowed = new Set(approval.allowedDecisions);
    blocked = blockedBy(connection, role);
    mayAllow = seen;
    show(once, allowed.has('allow-once'));
    show(deny, allowed.has('deny'));
    show(other, allowed.has('allow-always'));
    if (!allowed.has('allow-always') && first.hidden) {
      show(first, true);
      show(second, false);
    }
    const settling = !isSteady();
    attribute(element, 'data-settling', settling ? '' : null);
    for (const each of [once, other, always]) disable(each, Boolean(blocked) || !seen || settling, Boolean(blocked) || !seen);
    for (const each of [deny, back]) disable(each, Boolean(blocked) || settling, Boolean(blocked));
    text(meaning, `From now on ${agent} may run this on ${machine} and nobody is asked. It can be taken back only at that gateway.`);
    text(why, blocked);
    show(why, Boolean(why.textContent));
  }

  return { element, set, press };
}

/** @param {string} style @param {string} testId @param {string} words @param {() => void} onclick */
const button = (style, testId, words, onclick) => h('button', { type: 'button', class: style, 'data-testid': testId, onclick }, words);

/** Stays in the order of the keyboard, so that one can hear why. @param {any} element @param {boolean} off @param {boolean} dim whether that lasts */
function disable(element, off, dim) {
  attribute(element, 'aria-disabled', off ? 'true' : null);
  attribute(element, 'data-off', dim ? '' : null);
}

/** @param {any} connection @param {string | undefined} role */
function blockedBy({ phase }, role) {
  if (role === 'viewer') return 'You may watch: a member of this org has to answer.';
  return phase === 'online' ? '' : 'Not connected: an answer is taken when the connection is back.';
}
