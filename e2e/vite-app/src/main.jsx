import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '@otter-camp/client';
import { OtterProvider } from '@otter-camp/client/react';
import { App } from './app.jsx';

const client = createClient({ url: import.meta.env.VITE_OTTER_URL });

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <OtterProvider client={client}>
      <App />
    </OtterProvider>
  </StrictMode>,
);
