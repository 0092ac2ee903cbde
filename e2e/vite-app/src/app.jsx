import { useState } from 'react';
import { useCommand, useConnection, useEntity, useList, useMessages } from '@otter-camp/client/react';

/** Agents, conversations and the messages of the one that was clicked. */
export function App() {
  const connection = useConnection();
  const agents = useList('agent');
  const conversations = useList('conversation');
  const [open, setOpen] = useState(null);
  return (
    <>
      <p data-testid="connection" data-phase={connection.phase}>
        {connection.phase}
      </p>
      <ul>{agents.ids.map((id) => <Agent key={id} id={id} />)}</ul>
      <ul>
        {conversations.ids.map((id) => (
          <li key={id} data-testid="conversation-row" data-conversation-id={id} onClick={() => setOpen(id)}>
            <Title id={id} />
          </li>
        ))}
      </ul>
      {open && <Conversation key={open} id={open} />}
    </>
  );
}

function Agent({ id }) {
  const agent = useEntity('agent', id);
  return (
    <li data-testid="agent-row" data-agent-id={id}>
      {agent?.name}
    </li>
  );
}

function Title({ id }) {
  const conversation = useEntity('conversation', id);
  return conversation?.title ?? conversation?.derivedTitle ?? id;
}

function Conversation({ id }) {
  const { rows } = useMessages(id);
  const [send] = useCommand('message.send');
  const [draft, setDraft] = useState('');
  const submit = (event) => {
    event.preventDefault();
    send({ conversationId: id, text: draft });
    setDraft('');
  };
  return (
    <>
      <ol>{rows.map((row) => <Message key={row.id} row={row} />)}</ol>
      <form onSubmit={submit}>
        <textarea data-testid="composer-input" value={draft} onChange={(event) => setDraft(event.target.value)} />
        <button data-testid="composer-send">Send</button>
      </form>
    </>
  );
}

function Message({ row }) {
  return (
    <li
      data-testid="message-row"
      data-message-id={row.id}
      data-status={row.status}
      data-stage={row.local?.stage}
      data-delivery={row.delivery?.state}
      data-internal={row.internal ? '' : undefined}
    >
      <span data-testid="message-text">{row.text}</span>
    </li>
  );
}
