import { useEntity, useList, useUnread } from '@otter-camp/client/react';

const NEWEST_FIRST = { order: '-lastMessage.sentAt' };
const BY_NAME = { order: 'name' };

/** Agents, and the conversations with them. */
export function Agents({ open, onOpen }) {
  const agents = useList('agent', BY_NAME);
  const conversations = useList('conversation', NEWEST_FIRST);
  return (
    <nav>
      <h2>Agents</h2>
      <ul>{agents.ids.map((id) => <Agent key={id} id={id} />)}</ul>
      {agents.loading && <p className="hint">Loading</p>}
      <h2>Conversations</h2>
      <ul>
        {conversations.ids.map((id) => (
          <ConversationRow key={id} id={id} isOpen={id === open} onOpen={onOpen} />
        ))}
      </ul>
      {conversations.hasMore && <button onClick={conversations.more}>Older</button>}
    </nav>
  );
}

function Agent({ id }) {
  const agent = useEntity('agent', id);
  return (
    <li data-testid="agent-row" data-agent-id={id}>
      {agent?.name ?? id} <span className="quiet">{agent?.status}</span>
    </li>
  );
}

// Each row follows its own entity: a new message in one conversation renders one row.
function ConversationRow({ id, isOpen, onOpen }) {
  const conversation = useEntity('conversation', id);
  const unread = useUnread(id);
  if (!conversation || conversation.archived) return null;
  return (
    <li>
      <button data-testid="conversation-row" data-conversation-id={id} aria-current={isOpen} onClick={() => onOpen(id)}>
        {conversation.title ?? conversation.derivedTitle ?? id} {unread > 0 && <b>{unread}</b>}
      </button>
    </li>
  );
}
