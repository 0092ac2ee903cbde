import { useEffect } from 'react';
import { useAge, useClient, useCommand, useFeed } from '@otter-camp/client/react';

/** What agents and integrators report, newest first. */
export function Feed() {
  const client = useClient();
  const { rows, unread, hasMore, more } = useFeed();

  // Events are for what happens now: what is replayed after a reconnect is no news.
  useEffect(
    () =>
      client.on('feed.itemAdded', (event, { replayed }) => {
        if (!replayed) document.title = `${event.data.title} – Otter`;
      }),
    [client],
  );

  return (
    <section>
      <h2>Feed {unread > 0 && <b>{unread}</b>}</h2>
      {rows.length === 0 && <p className="hint">Nothing new</p>}
      <ul>{rows.map((item) => <Item key={item.id} item={item} />)}</ul>
      {hasMore && <button onClick={more}>Older</button>}
    </section>
  );
}

function Item({ item }) {
  const age = useAge(item.occurredAt);
  const [markRead] = useCommand('feed.markRead');
  const [archive] = useCommand('feed.archive');
  return (
    <li data-testid="feed-item" data-item-id={item.id} data-read={item.read}>
      <strong>{item.title}</strong> <span className="quiet">{item.category} · {ago(age)}</span>
      <p>{item.body}</p>
      {!item.read && <button onClick={() => markRead({ itemIds: [item.id] })}>Read</button>}{' '}
      <button onClick={() => archive({ itemIds: [item.id], archived: true })}>Archive</button>
    </li>
  );
}

const ago = (ms) => (ms === null ? '' : ms < 60_000 ? 'now' : `${Math.floor(ms / 60_000)} min ago`);
