import { createCore } from './core.js';
import { isHidden, listenToPage } from './page.js';

/**
 * A core of this page's own.
 *
 * @typedef {Parameters<typeof createCore>[0] & { shown: () => void }} HostOptions `shown` hears that the page was shown or
 * hidden
 * @typedef {{
 *   start: () => void, stop: () => void, post: (message: import('./boundary.js').ToCore) => void, take: () => any[],
 *   hashes: () => Promise<any>,
 * }} Host
 *
 * @param {HostOptions} options
 * @returns {Host}
 */
export function createOwnHost(options) {
  /** @type {(() => void) | undefined} */
  let endPage;
  const core = createCore({ ...options, replay: () => [{ t: 'visible', visible: !isHidden() }, ...options.replay()] });

  /** @param {import('./boundary.js').ToCore} message */
  function onPage(message) {
    core.post(message);
    if (message.t === 'visible') options.shown();
    else options.changed();
  }

  return {
    ...core,
    start() {
      endPage ??= listenToPage(onPage);
      core.start();
    },
    stop() {
      endPage?.();
      core.stop();
    },
  };
}
