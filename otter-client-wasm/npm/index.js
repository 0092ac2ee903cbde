import { createClientWith } from './client.js';
import { bytes, loadCore, open } from './load.js';

/** @param {import('./index.js').ClientOptions} [options] */
export const createClient = (options) => createClientWith(loadCore, options, { open, bytes });
