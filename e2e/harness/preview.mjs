// The console on its scripted core, served from the repository under the policy of the hub.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { by } from './browser.mjs';
import { install } from './recorder.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// Nothing of the page may need more.
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'";

async function serve({ url }, response) {
  try {
    const { pathname } = new URL(url, 'http://page');
    const body = await readFile(join(ROOT, pathname));
    response.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'text/plain', 'content-security-policy': POLICY }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

/** Serves the repository; `address(scene)` is the console in a scene, `hash` a place in it such as `#/feed`. */
export async function servePreview() {
  const server = createServer(serve).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    address: (scene, hash = '') => `http://127.0.0.1:${server.address().port}/otter-server/console/preview.html?scene=${scene}${hash}`,
    close: () => server.close(),
  };
}

/** A page of the console that fails the test when it logs an error. */
export async function openPreview(t, browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.addInitScript(install);
  await page.goto(address);
  await page.locator(by('connection')).waitFor();
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  return page;
}
