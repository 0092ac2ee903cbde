/**
 * What the page tells the core: shown or hidden, with or without a network, back from the back/forward cache.
 *
 * There is no `unload` or `beforeunload` handler here: they would keep the page out of that cache.
 *
 * @param {(message: import('./boundary.js').ToCore) => void} post
 * @param {{ hide?: () => void, resume?: () => void }} [also] `hide`: the page goes away, perhaps for good; `resume`: it
 * was frozen
 * @returns {() => void} stops listening
 */
export function listenToPage(post, { hide, resume } = {}) {
  const onVisibility = () => post({ t: 'visible', visible: !isHidden() });
  const onOnline = () => post({ t: 'online', online: true });
  const onOffline = () => post({ t: 'online', online: false });
  /** @param {any} event */
  const onPageShow = (event) => post({ t: 'pageshow', persisted: Boolean(event.persisted) });

  /** @param {'addEventListener' | 'removeEventListener'} verb */
  function each(verb) {
    globalThis.document?.[verb]('visibilitychange', onVisibility);
    if (resume) globalThis.document?.[verb]('resume', resume);
    if (!globalThis[verb]) return;
    globalThis[verb]('online', onOnline);
    globalThis[verb]('offline', onOffline);
    globalThis[verb]('pageshow', onPageShow);
    if (hide) globalThis[verb]('pagehide', hide);
  }

  each('addEventListener');
  return () => each('removeEventListener');
}

export const isHidden = () => globalThis.document?.visibilityState === 'hidden';
