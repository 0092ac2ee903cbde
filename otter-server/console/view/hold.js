const STILL_MS = 1200;

/**
 * While a pointer moves over a list, its rows stay where they are.
 *
 * @param {any} list @param {() => void} release runs when what came meanwhile may take its place
 */
export function holdStill(list, release) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let held = false;
  const end = () => {
    clearTimeout(timer);
    if (!held) return;
    held = false;
    release();
  };
  list.addEventListener('pointermove', () => {
    held = true;
    clearTimeout(timer);
    timer = setTimeout(end, STILL_MS);
  });
  list.addEventListener('pointerleave', end);
  return { held: () => held, end: () => clearTimeout(timer) };
}
