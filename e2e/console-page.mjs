// Pages of the console on a scripted core, under the policy of the hub, for tests of what the DOM does.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { by, launch } from './harness/browser.mjs';
import { install } from './harness/recorder.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCREENS = join(ROOT, '.cache/e2e/screens');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// The policy of the hub: nothing of the page may need more.
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const DARK = { colorScheme: 'dark' };

/** A server of the repository and a browser. */
export async function start() {
  const server = createServer(serve).listen(0, '127.0.0.1');
  const browser = await launch();
  return {
    /** A page of the console that fails the test when it logs an error. */
    open: (t, scene, hash = '', options = {}) => open(t, browser, server.address().port, scene, hash, options),
    async stop() {
      await browser.close();
      server.close();
    },
  };
}

async function serve({ url }, response) {
  try {
    const { pathname } = new URL(url, 'http://page');
    const body = await readFile(join(ROOT, pathname));
    response.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'text/plain', 'content-security-policy': POLICY }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

async function open(t, browser, port, scene, hash, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.addInitScript(install);
  await page.goto(`http://127.0.0.1:${port}/otter-server/console/preview.html?scene=${scene}${hash && `#${hash}`}`);
  await page.locator(by('connection')).waitFor();
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  return page;
}

/** Keeps what a page shows, for people to look at. */
export async function picture(page, name) {
  await mkdir(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}

/** The address of a conversation in the console. */
export const talk = (id) => `/c/${encodeURIComponent(id)}`;
