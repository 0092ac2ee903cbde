import { attribute, h, svg, text } from '../dom.js';
import { amount } from '../words.js';

const AROUND = 2 * Math.PI * 52;

/** How full the context of a session is. What is not known is shown as not known, never as empty. */
export function contextRing() {
  const used = svg('circle', { class: 'ring-used', cx: '60', cy: '60', r: '52', 'stroke-dasharray': `0 ${AROUND}`, transform: 'rotate(-90 60 60)' });
  const drawing = svg('svg', { viewBox: '0 0 120 120', class: 'ring', 'aria-hidden': 'true' }, svg('circle', { class: 'ring-all', cx: '60', cy: '60', r: '52' }), used);
  const percent = h('strong');
  const element = h('span', { class: 'ring-box' }, drawing, percent);

  /** @param {any} session */
  function set(session) {
    const { known, limit, share } = fullness(session);
    attribute(element, 'data-level', share === null ? 'unknown' : share > 0.9 ? 'full' : share > 0.7 ? 'high' : 'fine');
    attribute(element, 'data-fresh', known ? String(session.contextUsed.fresh !== false) : null);
    used.setAttribute('stroke-dasharray', `${(share ?? 0) * AROUND} ${AROUND}`);
    text(percent, share === null ? '–' : `${Math.round(share * 100)}%`);
    attribute(element, 'data-limit', limit ?? null);
  }

  return { element, set, words };
}

/** @param {any} session */
function words(session) {
  const { value, known, limit } = fullness(session);
  return known ? `Context: ${amount(value)} of ${limit ? amount(limit) : 'an unknown limit'}` : limit ? `Context: unknown of ${amount(limit)}` : 'Context: not reported yet';
}

/** @param {any} session */
export function fullness(session) {
  const value = session?.contextUsed?.value;
  const limit = session?.contextLimit;
  const known = typeof value === 'number';
  return { value, limit, known, share: known && limit ? Math.min(1, value / limit) : null };
}
