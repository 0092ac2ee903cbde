/** Movement that says what happened. Nothing moves for people who asked for less of it, nor while nobody looks. */

const CALM = matchMedia('(prefers-reduced-motion: reduce)');
const MS = 190;

export const isCalm = () => CALM.matches || document.visibilityState === 'hidden';

/** Makes room: what is taken away closes up. @param {any} element @param {() => void} done */
export function collapse(element, done) {
  if (isCalm() || !element.isConnected) return done();
  const { height } = element.getBoundingClientRect();
  const { marginTop, marginBottom } = getComputedStyle(element);
  // It is no row any more, for nobody who looks for one.
  for (const name of ['data-testid', 'data-walk-row']) element.removeAttribute(name);
  element.inert = true;
  element.style.overflow = 'hidden';
  const from = { height: `${height}px`, marginTop, marginBottom, opacity: 1 };
  const to = { height: 0, paddingBlock: 0, borderWidth: 0, marginTop: 0, marginBottom: 0, opacity: 0 };
  element.animate([from, to], { duration: MS, easing: 'ease-in-out' }).finished.then(done, done);
}

/** Where elements are, to be moved from there later. @param {Iterable<Element>} elements @returns {Map<Element, DOMRect>} */
export const places = (elements) => new Map([...elements].map((element) => [element, element.getBoundingClientRect()]));

/** Moves an element from where it was to where it is. @param {any} element @param {DOMRect} was */
export function glide(element, was) {
  if (isCalm() || !element.isConnected) return;
  const is = element.getBoundingClientRect();
  const [x, y] = [was.left - is.left, was.top - is.top];
  if (!x && !y) return;
  element.style.zIndex = '2';
  const moving = element.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], { duration: 320, easing: 'cubic-bezier(.2,.7,.2,1)' });
  moving.finished.then(() => (element.style.zIndex = ''), () => {});
}
