import { createClientWith } from './client.js';
import { loadCore } from './load.node.js';

/** @param {import('./index.js').ClientOptions} [options] */
export const createClient = (options) => createClientWith(loadCore, options);
