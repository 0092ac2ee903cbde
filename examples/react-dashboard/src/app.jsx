import { useState } from 'react';
import { useConnection, useSelf } from '@otter-camp/client/react';
import { Agents } from './agents.jsx';
import { Approvals } from './approvals.jsx';
import { Conversation } from './conversation.jsx';
import { Feed } from './feed.jsx';

export function App() {
  const [open, setOpen] = useState(null);
  return (
    <div className="app">
      <Bar />
      <Agents open={open} onOpen={setOpen} />
      <main>{open ? <Conversation key={open} id={open} /> : <p className="hint">Choose a conversation.</p>}</main>
      <aside>
        <Approvals />
        <Feed />
      </aside>
    </div>
  );
}

const WORDS = {
  idle: 'Starting',
  connecting: 'Connecting',
  online: 'Online',
  waiting: 'Offline: what you see may be old. Messages you send now wait.',
  signedOut: 'Signed out: open the hub and sign in again.',
  stopped: 'This version cannot go on: reload the page.',
};

function Bar() {
  const { phase } = useConnection();
  const self = useSelf();
  return (
    <header data-testid="connection" data-phase={phase} role="status">
      <strong>Otter</strong> {WORDS[phase]} {self && <span className="quiet">{self.name}</span>}
    </header>
  );
}
