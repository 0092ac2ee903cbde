const SETTLE_MS = 400;

/**
 * Knows whether a part of the page has just moved. Who presses at that moment meant what was there before: a button
 * that carries weight does nothing then.
 *
 * @param {...any} watched elements whose size changes only when something moves
 */
export function createSteady(...watched) {
  let movedAt = performance.now();
  const moved = () => void (movedAt = performance.now());
  const sizes = new ResizeObserver(moved);
  watched.forEach((element) => sizes.observe(element));
  return {
    /** Something came, went, changed its place or its words. */
    moved,
    /** @param {any} element */
    watch: (element) => sizes.observe(element),
    /** @param {any} element */
    unwatch: (element) => sizes.unobserve(element),
    isSteady: () => performance.now() - movedAt > SETTLE_MS,
    end: () => sizes.disconnect(),
  };
}
