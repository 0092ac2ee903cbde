import { createClient } from './client/index.js';
import { mountConsole } from './app.js';

// The socket is beside the page, whatever path prefix a proxy put before it. No parameter changes where it goes.
const otter = createClient({ url: new URL('ws', new URL('.', location.href)), client: { name: 'otter-console', version: '0.1.0' } });
window.otter = otter;
mountConsole(document.getElementById('otter'), otter);
