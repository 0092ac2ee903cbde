// Headless Chromium and one page of the console. Waits are conditions on the DOM with a deadline, never a pause.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { faults, install } from './recorder.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Starts the Chromium that is installed. */
export function launch() {
  const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = process.env.OTTER_CHROMIUM ?? known.find((path) => existsSync(path));
  if (!executablePath) throw new Error('Chromium is missing: install it or set OTTER_CHROMIUM to its path');
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A selector by `data-testid` and further data attributes in camelCase. */
export function by(testId, attributes = {}) {
  const parts = Object.entries(attributes).map(([name, value]) => {
    const attribute = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `[data-${attribute}="${value}"]`;
  });
  return `[data-testid="${testId}"]${parts.join('')}`;
}

/** One browser (own cookies) with one page of the console. */
export class Console {
  static async open(browser, hub, { link, name }) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const self = new Console(context, page, hub, name);
    await page.addInitScript(install);
    page.on('pageerror', (error) => self.errors.push(String(error.stack ?? error)));
    page.on('console', (message) => self.note(message));
    await self.signIn(link);
    return self;
  }

  constructor(context, page, hub, name) {
    Object.assign(this, { context, page, hub, name, errors: [], frames: [] });
  }

  /** What the page logs as an error counts, except what the browser says about sockets that a test cut. */
  note(message) {
    if (message.type() !== 'error' || /WebSocket connection|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(message.text())) return;
    this.errors.push(message.text());
  }

  /** Follows a setup link or an invitation: one page with one button. */
  async signIn(link) {
    await this.page.goto(link);
    await this.page.getByRole('button').first().click();
    await this.online();
  }

  /** Waits for `pass` milliseconds at most until the page is connected. */
  online(timeout = 20_000) {
    return this.page.locator(by('connection', { phase: 'online' })).first().waitFor({ state: 'attached', timeout });
  }

  async openConversation(id) {
    await this.page.locator(by('conversation-row', { conversationId: id })).first().click();
    await this.page.locator(by('composer-input')).waitFor();
  }

  async send(text) {
    await this.page.locator(by('composer-input')).fill(text);
    await this.page.locator(by('composer-send')).click();
  }

  /** The rows of the message list as the page shows them. */
  rows() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('[data-testid="message-row"]')].map((row) => ({
        id: row.dataset.messageId,
        status: row.dataset.status,
        stage: row.dataset.stage,
        delivery: row.dataset.delivery,
        text: (row.querySelector('[data-testid="message-text"]') ?? row).textContent,
      })),
    );
  }

  /** Waits until a row passes `test` (a function of one row, serialised) and gives it. */
  async row(what, test, argument, timeout = 30_000) {
    const handle = await this.page
      .waitForFunction(
        ([source, value]) => {
          const pass = new Function('row', 'value', `return (${source})(row, value)`);
          for (const node of document.querySelectorAll('[data-testid="message-row"]')) {
            const text = (node.querySelector('[data-testid="message-text"]') ?? node).textContent;
            const { messageId: id, status, stage, delivery } = node.dataset;
            const row = { id, status, stage, delivery, text };
            if (pass(row, value)) return row;
          }
          return null;
        },
        [test.toString(), argument],
        { timeout },
      )
      .catch(async (error) => {
        const rows = (await this.rows().catch(() => [])).map((row) => ({ ...row, text: row.text.slice(0, 80) }));
        throw new Error(`${this.name}: no row ${what} within ${timeout} ms (${error.message.split('\n')[0]}); rows: ${JSON.stringify(rows, null, 1)}`);
      });
    return handle.jsonValue();
  }

  /** Position and state hash per scope, as the client of this page applied them. */
  hashes() {
    return this.page.evaluate(() => window.otter.hashes());
  }

  /** Collects the frames that were painted since the last call; a reload begins a new recording. */
  async record() {
    this.frames.push(...(await this.page.evaluate(() => window.otterRecorder.take())));
  }

  /** What a person would call a glitch in everything recorded since the last call. */
  async glitches() {
    await this.record();
    const frames = this.frames;
    this.frames = [];
    return faults(frames);
  }

  async reload() {
    this.frames = [];
    await this.page.reload();
    await this.online();
  }

  screenshot(path) {
    return this.page.screenshot({ path });
  }

  close() {
    return this.context.close();
  }
}
