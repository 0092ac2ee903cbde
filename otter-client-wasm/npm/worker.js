/** The worker that the tabs of one origin share. */
// @ts-ignore built by `cargo xtask wasm`
import instantiate from './dist/otter.js';
import { holdLife } from './life.js';
import { createRooms } from './rooms.js';

const rooms = createRooms({ instantiate, WebSocket: () => globalThis.WebSocket, life: holdLife() });

/** @type {any} */ (globalThis).onconnect = (/** @type {MessageEvent} */ { ports: [port] }) => rooms.enter(port);
