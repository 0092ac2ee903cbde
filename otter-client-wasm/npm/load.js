// @ts-ignore built by `cargo xtask wasm`
import openWorker from './dist/open.js';

/** @type {Promise<WebAssembly.Module> | null} */
let module = null;

/**
 * Loads the WebAssembly core in a browser or worker: an instance of its own for each call, so that one that died takes
 * no other with it.
 *
 * Development servers that bundle dependencies ahead of time answer the address of the wasm file with a page, and so
 * do single-page fallbacks. Then the same bytes come from a JavaScript module, which every bundler serves.
 *
 * @returns {Promise<import('./boundary.js').CoreConstructor>}
 */
export async function loadCore() {
  // @ts-ignore built by `cargo xtask wasm`
  const { default: instantiate } = await import('./dist/otter.js');
  module ??= bytes().then((bytes) => WebAssembly.compile(bytes));
  try {
    return await instantiate(await module);
  } catch (error) {
    module = null;
    throw error;
  }
}

/** The worker that the tabs of this origin share: found, or started by the first of them. @returns {SharedWorker} */
export const open = () => openWorker();

/** @returns {Promise<ArrayBuffer>} the core as WebAssembly */
export async function bytes() {
  return (await fetchWasm()) ?? (await embeddedWasm());
}

/** @returns {Promise<ArrayBuffer | null>} null when the answer is not WebAssembly */
async function fetchWasm() {
  try {
    const answer = await fetch(new URL('./dist/otter_bg.wasm', import.meta.url));
    const bytes = answer.ok ? await answer.arrayBuffer() : new ArrayBuffer(0);
    const isWasm = bytes.byteLength > 8 && new DataView(bytes).getUint32(0) === 0x0061736d;
    return isWasm ? bytes : null;
  } catch {
    return null;
  }
}

async function embeddedWasm() {
  // @ts-ignore built by `cargo xtask wasm`
  const { default: base64 } = await import('./dist/otter_bg.base64.js');
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer;
}
