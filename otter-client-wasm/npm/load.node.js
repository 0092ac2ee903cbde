import { readFile } from 'node:fs/promises';

/**
 * Loads the WebAssembly core in Node.
 *
 * @returns {Promise<import('./boundary.js').CoreConstructor>}
 */
export async function loadCore() {
  // @ts-ignore built by `cargo xtask wasm`
  const glue = await import('./dist/otter.js');
  await glue.default(await readFile(new URL('./dist/otter_bg.wasm', import.meta.url)));
  return glue.Core;
}
