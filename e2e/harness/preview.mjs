// The console on its scripted core, served from the repository under the policy of the hub, and what its tests do with it.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { by, launch } from './browser.mjs';
import { install } from './recorder.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCREENS = join(ROOT, '.cache/e2e/screens');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// Nothing of the page may need more.
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'";

export const DESKTOP = { viewport: { width: 1280, height: 860 } };
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const LOOKS = [['light', DESKTOP], ['dark', { ...DESKTOP, colorScheme: 'dark' }], ['phone', PHONE]];

/** A server and a browser for the tests of one file. */
export function previewRoom() {
  const server = createServer(serve);
  let browser;
  before(async () => {
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server.close();
  });

  /** The console in a scene, with a place in it such as `#/feed`. */
  const address = (scene, hash = '') => `http://127.0.0.1:${server.address().port}/otter-server/console/preview.html?scene=${scene}${hash}`;

  /**
   * A browser of its own, and a way to open pages in it. The test fails when one of them logs an error. `ownClock`: the
   * time of its pages is moved by the test.
   */
  async function person(t, { ownClock = false, ...options } = DESKTOP) {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(15_000);
    const errors = [];
    t.after(async () => {
      await context.close();
      assert.deepEqual(errors, []);
    });
    return async (scene, hash) => {
      const page = await context.newPage();
      if (ownClock) await page.clock.install();
      page.on('pageerror', (error) => errors.push(String(error.stack)));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      await page.addInitScript(install);
      await page.goto(address(scene, hash));
      await page.locator(by('connection')).waitFor();
      // What the core says first is shown in the next frame.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
      return page;
    };
  }

  return {
    address,
    person,
    /** One page in a browser of its own. */
    open: async (t, scene, hash, options) => (await person(t, options))(scene, hash),
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

/** The place of a conversation in the console. */
export const talk = (id) => `#/c/${encodeURIComponent(id)}`;

/** What the page asked its core for, by the kind of command. */
export const asked = (page, kind) =>
  page.evaluate((wanted) => window.fake.posted.filter((each) => each.t === 'command' && each.kind === wanted).map(({ data }) => data), kind);

/** The scripted core tells the page something. */
export const push = (page, changes) => page.evaluate((each) => window.fake.push(each), changes);

/** Types into the composer and sends. */
export async function say(page, text) {
  await page.fill(by('composer-input'), text);
  await page.keyboard.press('Enter');
}

/** Waits until an element has an attribute, or has it no more. */
export const has = (page, selector, attribute, value = null) =>
  page.waitForFunction(([query, name, wanted]) => {
    const element = document.querySelector(query);
    return element && element.getAttribute(name) === wanted;
  }, [selector, attribute, value]);

/** Keeps what a page shows, for people to look at. What moves has stopped. */
export async function picture(page, name) {
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity).map(({ finished }) => finished)));
  await mkdir(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}
