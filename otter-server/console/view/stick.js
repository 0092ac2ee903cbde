const NEAR = 48;
const REMEMBERED = 12;

/**
 * Keeps a scroller at its end while the reader is there. A reader who scrolled up keeps what they look at where it is,
 * whatever comes, goes or changes its height above and below.
 *
 * @param {any} scroller @param {any} rows the element whose children are what one reads
 * @param {{ changed(atEnd: boolean): void, resized(): void }} hears
 */
export function stickToEnd(scroller, rows, { changed, resized }) {
  let atEnd = true;
  let height = 0;
  let place = 0;
  /** @type {[any, number][]} what is in sight, and where */
  let anchors = [];

  const toEnd = () => {
    set(true);
    keep();
  };

  /** @param {boolean} value */
  function set(value) {
    if (atEnd === value) return;
    atEnd = value;
    changed(atEnd);
  }

  function remember() {
    const top = scroller.getBoundingClientRect().top;
    const all = rows.children;
    let from = firstInSight(all, top);
    anchors = [];
    place = scroller.scrollTop;
    for (; from < all.length && anchors.length < REMEMBERED; from += 1) {
      // A line between rows, such as where a day begins, goes elsewhere when older rows come.
      if (all[from].role !== 'separator') anchors.push([all[from], all[from].getBoundingClientRect().top - top]);
    }
  }

  function keep() {
    // The reader may have scrolled in this frame already, before its event.
    if (atEnd && scroller.clientHeight === height && scroller.scrollTop < place - 1) set(isNear());
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    else hold();
    height = scroller.clientHeight;
    place = scroller.scrollTop;
  }

  function hold() {
    const anchor = anchors.find(([element]) => element.isConnected);
    if (!anchor) return;
    const scrolled = place - scroller.scrollTop;
    const moved = anchor[0].getBoundingClientRect().top - scroller.getBoundingClientRect().top - anchor[1] - scrolled;
    if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
    remember();
  }

  const isNear = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;

  function onScroll() {
    // The place in the text does not change when the keyboard of a phone takes room: that is not scrolling.
    if (scroller.clientHeight !== height) return keep();
    set(isNear());
    remember();
  }

  scroller.addEventListener('scroll', onScroll, { passive: true });
  const sizes = new ResizeObserver(() => {
    keep();
    resized();
  });
  sizes.observe(scroller);
  for (const child of scroller.children) sizes.observe(child);
  return {
    keep,
    toEnd,
    isAtEnd: () => atEnd,
    /** The reader goes somewhere: what is in sight now stays. */
    leave() {
      set(false);
      remember();
    },
    end: () => sizes.disconnect(),
  };
}

/** @param {any} all elements below each other @param {number} top @returns {number} the first that reaches below `top` */
function firstInSight(all, top) {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].getBoundingClientRect().bottom > top) high = middle;
    else low = middle + 1;
  }
  return low;
}
