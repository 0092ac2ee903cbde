/** Which conversation is open: in the fragment, so that Back works and a reload stays. */
export function createRoute() {
  /** @type {(() => void)[]} */
  const listeners = [];
  const current = () => {
    const found = /^#\/c\/(.+)$/.exec(location.hash);
    try {
      return found ? decodeURIComponent(found[1]) : null;
    } catch {
      return null;
    }
  };
  window.addEventListener('hashchange', () => listeners.forEach((fn) => fn()));
  return {
    current,
    /** @param {string} id */
    open: (id) => void (location.hash = `#/c/${encodeURIComponent(id)}`),
    /** Shows a conversation without a step in the history. @param {string} id */
    replace(id) {
      history.replaceState(null, '', `#/c/${encodeURIComponent(id)}`);
      listeners.forEach((fn) => fn());
    },
    close: () => void (location.hash = '#/'),
    /** @param {() => void} fn */
    onChange: (fn) => void listeners.push(fn),
  };
}
