import { h, keyed } from '../dom.js';

const LEAST_ROWS = 120;
const MOST_ROWS = 260;
const AROUND_PX = 1600;
const GUESS_PX = 64;

/**
 * A list of any length of which only the part around the eye is in the page. Rows that were let go leave their height,
 * so that nothing moves.
 *
 * @param {any} scroller
 * @param {Parameters<typeof keyed>[1]} make
 * @param {(key: string) => boolean} isLine whether an entry is a line between rows, which may change its place
 */
export function createWindow(scroller, make, isLine) {
  const inner = h('div', { class: 'rows-inner' });
  const outer = h('div', { class: 'rows' }, inner);
  const rows = keyed(inner, make);
  /** @type {Map<string, number>} */
  const heights = new Map();
  /** @type {readonly { key: string, item?: any }[]} */
  let entries = [];
  /** @type {Map<string, number>} */
  let places = new Map();
  let [low, high] = [0, 0];
  let most = MOST_ROWS;
  let kept = () => {};

  /** @param {readonly { key: string, item?: any }[]} next */
  function set(next) {
    const shown = entries.slice(low, high);
    const wasAtEnd = high === entries.length;
    entries = next;
    places = new Map(next.map(({ key }, at) => [key, at]));
    const first = shown.find(({ key }) => places.has(key) && !isLine(key));
    const last = shown.findLast(({ key }) => places.has(key) && !isLine(key));
    low = first ? place(first.key) : Math.max(0, next.length - LEAST_ROWS);
    high = wasAtEnd || !last ? next.length : place(last.key) + 1;
    // The line above the first row belongs to it.
    while (low > 0 && isLine(entries[low - 1].key)) low -= 1;
    render();
  }

  const place = (/** @type {string} */ key) => places.get(key) ?? 0;

  function render() {
    const had = inner.contains(document.activeElement);
    rows.set(entries.slice(low, high));
    pad('paddingTop', sum(0, low));
    pad('paddingBottom', sum(high, entries.length));
    if (had && document.activeElement === document.body) scroller.focus({ preventScroll: true });
  }

  /** @param {'paddingTop' | 'paddingBottom'} side @param {number} px */
  function pad(side, px) {
    const value = `${px}px`;
    if (outer.style[side] !== value) outer.style[side] = value;
  }

  const heightOf = (/** @type {number} */ at) => heights.get(entries[at].key) ?? GUESS_PX;

  /** @param {number} from @param {number} to */
  function sum(from, to) {
    let px = 0;
    for (let at = from; at < to; at += 1) px += heightOf(at);
    return Math.round(px);
  }

  function measure() {
    const tops = [...inner.children].map((row) => row.getBoundingClientRect().top);
    tops.push(inner.getBoundingClientRect().bottom);
    for (let at = low; at < high; at += 1) heights.set(entries[at].key, tops[at - low + 1] - tops[at - low]);
  }

  /** Brings in what comes near and lets go what is far away. */
  function fit() {
    if (scroller.clientHeight === 0) return;
    const top = scroller.scrollTop;
    const bottom = top + scroller.clientHeight;
    const offset = top - scroller.getBoundingClientRect().top;
    const box = inner.getBoundingClientRect();
    const near = AROUND_PX / 2;
    const above = low > 0 && box.top + offset > top - near;
    const below = high < entries.length && box.bottom + offset < bottom + near;
    if (!above && !below && high - low <= most) return;
    measure();
    const start = outer.getBoundingClientRect().top + offset;
    const [from, to] = around(start, top - AROUND_PX, bottom + AROUND_PX);
    if (from === low && to === high) return;
    [low, high] = isSelecting() ? [Math.min(low, from), Math.max(high, to)] : [from, to];
    most = Math.max(MOST_ROWS, high - low + LEAST_ROWS);
    render();
    kept();
  }

  /** @param {number} start where the list begins @param {number} top @param {number} bottom @returns {[number, number]} */
  function around(start, top, bottom) {
    let y = start;
    let from = 0;
    for (; from < entries.length - 1 && y + heightOf(from) <= top; from += 1) y += heightOf(from);
    let to = from;
    for (; to < entries.length && y < bottom; to += 1) y += heightOf(to);
    const missing = Math.max(0, LEAST_ROWS - (to - from));
    from = Math.max(0, from - Math.max(missing >> 1, missing - (entries.length - to)));
    return [from, Math.min(entries.length, Math.max(to, from + LEAST_ROWS))];
  }

  /** A selection that reaches over many rows is not torn. */
  function isSelecting() {
    const selection = getSelection();
    return Boolean(selection && !selection.isCollapsed && inner.contains(selection.anchorNode));
  }

  return {
    element: outer,
    inner,
    set,
    fit,
    get: rows.get,
    /** What to do after rows came or went by scrolling. @param {() => void} fn */
    onFit: (fn) => void (kept = fn),
    /** Brings the end into the page. */
    toEnd() {
      if (high === entries.length) return;
      measure();
      [low, high] = [Math.max(0, entries.length - LEAST_ROWS), entries.length];
      render();
    },
    /** Brings a row into the page. @param {string} key @returns {any} its element */
    reach(key) {
      const at = places.get(key);
      if (at === undefined) return undefined;
      if (at < low || at >= high) {
        measure();
        [low, high] = [Math.max(0, at - LEAST_ROWS / 2), Math.min(entries.length, at + LEAST_ROWS / 2)];
        render();
      }
      return rows.get(key)?.element;
    },
    end: rows.end,
  };
}
