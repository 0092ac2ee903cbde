/** @param {any} timer @returns {ReturnType<typeof setTimeout>} a timer that does not keep Node alive */
export function unref(timer) {
  timer.unref?.();
  return timer;
}
