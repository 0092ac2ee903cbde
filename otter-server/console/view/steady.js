const SETTLE_MS = 400;

/**
 * Knows whether a part of the page has just moved. Who presses at that moment meant what was there before: a button
 * that carries weight does nothing then.
 *
 * @param {...any} watched elements whose size changes only when something moves
 */
export function createSteady(...watched) {
  let movedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  const sizes = new ResizeObserver(moved);
  const isSteady = () => performance.now() - movedAt > SETTLE_MS;
  const tell = () => listeners.forEach((fn) => fn());

  function moved() {
    const was = isSteady();
    movedAt = performance.now();
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLE_MS + 10);
    if (was) tell();
  }

  watched.forEach((element) => sizes.observe(element));
  moved();
  return {
    /** Something came, went, changed its place or its words. */
    moved,
    isSteady,
    /** @param {any} element whose size counts, too @param {() => void} fn hears when the moment begins and when it is over */
    join(element, fn) {
      sizes.observe(element);
      listeners.add(fn);
      return () => {
        sizes.unobserve(element);
        listeners.delete(fn);
      };
    },
    end() {
      clearTimeout(timer);
      sizes.disconnect();
    },
  };
}
