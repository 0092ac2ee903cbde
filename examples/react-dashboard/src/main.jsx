import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '@otter-camp/client';
import { OtterProvider } from '@otter-camp/client/react';
import { App } from './app.jsx';
import './style.css';

// Made once, outside of React: it survives remounts, and nothing happens before a component uses it.
const client = createClient({ url: import.meta.env.VITE_OTTER_URL ?? 'ws://localhost:4200/ws' });

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <OtterProvider client={client}>
      <App />
    </OtterProvider>
  </StrictMode>,
);
