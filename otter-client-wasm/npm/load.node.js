import { readFile } from 'node:fs/promises';

/** @type {Promise<WebAssembly.Module> | null} */
let module = null;

/**
 * Loads the WebAssembly core in Node: an instance of its own for each call, so that one that died takes no other with it.
 *
 * @returns {Promise<import('./boundary.js').CoreConstructor>}
 */
export async function loadCore() {
  // @ts-ignore built by `cargo xtask wasm`
  const { default: instantiate } = await import('./dist/otter.js');
  module ??= readFile(new URL('./dist/otter_bg.wasm', import.meta.url)).then((bytes) => WebAssembly.compile(bytes));
  return instantiate(await module);
}
