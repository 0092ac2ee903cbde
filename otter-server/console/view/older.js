import { h, show, text } from '../dom.js';

/**
 * The end of a list that goes on at the hub: asks for more when it comes into sight.
 *
 * @param {() => { hasMore: boolean, loading: boolean, error: any, more(): void }} list
 */
export function olderRows(list) {
  const button = h('button', { type: 'button', class: 'quiet small', onclick: () => list().more() });
  const element = h('div', { class: 'older', 'data-testid': 'older', hidden: true }, button);
  const sight = new IntersectionObserver(([{ isIntersecting }]) => {
    const { hasMore, loading, error } = list();
    if (isIntersecting && hasMore && !loading && !error) list().more();
  }, { rootMargin: '300px' });
  sight.observe(element);
  return {
    element,
    paint() {
      const { hasMore, loading, error } = list();
      show(element, hasMore || Boolean(error));
      button.disabled = loading;
      text(button, error ? `Older ones did not come: ${error.message ?? error.code}. Try again` : loading ? 'Loading…' : 'Show older ones');
    },
    end: () => sight.disconnect(),
  };
}
