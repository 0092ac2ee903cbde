import { useEffect, useRef, useState } from 'react';
import { useClient, useCommand, useEntity, useMessages, useRuns, useText, useTyping } from '@otter-camp/client/react';

/** Messages as they are written, older ones on demand, and a composer. */
export function Conversation({ id }) {
  const client = useClient();
  const conversation = useEntity('conversation', id);
  const { rows, loading, hasMore, more } = useMessages(id);
  const end = useRef(null);
  const last = rows.at(-1);

  // Reading it is having it open: unread counts fall for this person on every device.
  useEffect(() => {
    client.markRead(id);
    end.current?.scrollIntoView({ block: 'end' });
  }, [client, id, conversation?.messageCount, last?.id, last?.text?.length]);

  return (
    <section className="thread">
      <h1>{conversation?.title ?? conversation?.derivedTitle ?? id}</h1>
      <ol>
        {hasMore && <li><button onClick={more} disabled={loading}>Older messages</button></li>}
        {rows.map((row) => <Message key={row.id} row={row} />)}
        {loading && rows.length === 0 && <li className="hint">Loading</li>}
        {!loading && rows.length === 0 && <li className="hint">No messages yet</li>}
        <li ref={end} />
      </ol>
      <Activity id={id} />
      <Composer id={id} />
    </section>
  );
}

function Message({ row }) {
  const client = useClient();
  // A long text is cut in its row: this fetches the whole while the message is on screen.
  const long = useText(row.truncated ? row.id : null);
  const { local } = row;
  return (
    <li data-testid="message-row" data-message-id={row.id} data-status={row.status} data-stage={local?.stage} className={row.author?.type}>
      <span className="quiet">{row.author?.name ?? row.author?.id ?? 'agent'}</span>
      <p data-testid="message-text">{long?.text ?? row.text}</p>
      {local?.stage === 'held' && <span className="quiet">waits for the connection</span>}
      {local?.stage === 'refused' && (
        <p role="alert">
          {local.error?.message} <button onClick={() => client.retry(local.commandId)}>Try again</button>{' '}
          <button onClick={() => client.dismiss(local.commandId)}>Discard</button>
        </p>
      )}
    </li>
  );
}

/** Who writes, and what runs; a run can be stopped from any device. */
function Activity({ id }) {
  const [typists] = useTyping(id);
  const { rows } = useRuns(id);
  const [abort] = useCommand('run.abort');
  return (
    <div className="activity" aria-live="polite">
      {typists.map(({ memberId, name }) => <span key={memberId}>{name ?? memberId} is writing </span>)}
      {rows.filter((run) => run.state === 'running').map((run) => (
        <button key={run.id} data-testid="stop-button" disabled={run.stopping} onClick={() => abort({ conversationId: id, runId: run.id })}>
          {run.stopping ? 'Stopping' : 'Stop'}
        </button>
      ))}
    </div>
  );
}

function Composer({ id }) {
  const [draft, setDraft] = useState('');
  const [send] = useCommand('message.send');
  const [, setTyping] = useTyping(id);
  const submit = (event) => {
    event.preventDefault();
    if (!draft.trim()) return;
    // The message is on screen at once, also without a connection, and is sent exactly once.
    send({ conversationId: id, text: draft });
    setDraft('');
    setTyping(false);
  };
  const change = (event) => {
    setDraft(event.target.value);
    setTyping();
  };
  const onKey = (event) => event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing && submit(event);
  return (
    <form onSubmit={submit}>
      <textarea data-testid="composer-input" aria-label="Message" value={draft} onChange={change} onKeyDown={onKey} />
      <button data-testid="composer-send">Send</button>
    </form>
  );
}
