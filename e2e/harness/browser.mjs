// Headless Chromium and one page of the console. Waits are conditions on the DOM with a deadline, never a pause.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { until } from './process.mjs';
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
  // Each tab has a process of its own, however little memory there is: the crash of one is not the crash of another.
  '--renderer-process-limit=100',
];

export const DESKTOP = { viewport: { width: 1280, height: 860 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** Starts the Chromium that is installed. Tests have no back/forward cache unless they ask for it. */
export function launch({ backForwardCache = false } = {}) {
  const known = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = process.env.OTTER_CHROMIUM ?? known.find((path) => existsSync(path));
  if (!executablePath) throw new Error('Chromium is missing: install it or set OTTER_CHROMIUM to its path');
  const ignoreDefaultArgs = backForwardCache ? ['--disable-back-forward-cache'] : [];
  return chromium.launch({ executablePath, args: FLAGS, ignoreDefaultArgs });
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
  /**
   * A new browser that signs in by a setup link or an invitation: a page with one button. With `alone` its pages have a
   * connection each: Chromium takes the network from pages, not from a worker that they share.
   */
  static async open(browser, { link, name, device = DESKTOP, alone = false }) {
    const context = await browser.newContext(device);
    context.setDefaultTimeout(20_000);
    if (alone) await context.addInitScript(() => delete globalThis.SharedWorker);
    const self = await Console.in(context, name);
    await self.page.goto(link);
    await self.page.getByRole('button').first().click();
    await self.online();
    return self;
  }

  /** A further page of a browser that is signed in. */
  static async join(other, name, address = new URL(other.page.url()).origin) {
    const self = await Console.in(other.context, name);
    await self.page.goto(address);
    await self.online();
    return self;
  }

  static async in(context, name) {
    const page = await context.newPage();
    const self = new Console(context, page, name);
    await page.addInitScript(install);
    page.on('pageerror', (error) => self.errors.push(String(error.stack ?? error)));
    page.on('console', (message) => self.note(message));
    return self;
  }

  constructor(context, page, name) {
    Object.assign(this, { context, page, name, errors: [], frames: [] });
  }

  /** What the page logs as an error counts, except what the browser says about sockets that a test cut. */
  note(message) {
    if (message.type() !== 'error' || /WebSocket connection|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(message.text())) return;
    this.errors.push(message.text());
  }

  phase() {
    return this.page.locator(by('connection')).first().getAttribute('data-phase');
  }

  /** Waits until the page is connected. */
  online(timeout = 20_000) {
    return this.page.locator(by('connection', { phase: 'online' })).first().waitFor({ state: 'attached', timeout });
  }

  async openConversation(id) {
    const row = this.page.locator(by('conversation-row', { conversationId: id })).first();
    // On a phone the list is behind the conversation that is open.
    if (await row.isHidden()) await this.goTo(`#/c/${encodeURIComponent(id)}`);
    else await row.click();
    await this.part('composer-input').waitFor();
    const other = this.page.locator('[data-open-conversation]:not([data-open-conversation="' + id + '"])');
    await other.waitFor({ state: 'detached' });
  }

  /** Opens a page of the console: `approvals`, `tasks`, `feed`, `fleet`. */
  async openPage(name) {
    const link = this.page.locator(by(`nav-${name}`)).first();
    if (await link.isHidden()) await this.goTo(`#/${name}`);
    else await link.click();
    await this.page.locator(`[data-page="${name}"] main`).first().waitFor();
  }

  goTo(hash) {
    return this.page.evaluate((to) => void (location.hash = to), hash);
  }

  /** A part of the page, by its `data-testid` and data attributes. */
  part(testId, attributes = {}) {
    return this.page.locator(by(testId, attributes));
  }

  /** The states that a card or row went through in front of the person, each once in a row. */
  states(testId, id) {
    return this.page.evaluate(([test, of]) => window.otterRecorder.states(test, of), [testId, id]);
  }

  /** Waits until a part of the page has stood still for half a second, as a person does before a click that matters. */
  still(locator) {
    return locator.evaluate((element) => new Promise((resolve) => {
      let [last, since] = ['', performance.now()];
      const look = (now) => {
        const { x, y, width, height } = element.getBoundingClientRect();
        const place = [x, y, width, height].join();
        if (place !== last) [last, since] = [place, now];
        if (now - since > 500) resolve();
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }));
  }

  /** Answers an approval with one click. */
  async answer(approvalId, decision) {
    const card = this.part('approval-card', { approvalId }).first();
    await this.still(card);
    const button = card.locator(by(`approval-${decision}`));
    await button.click();
    // A card that moved just then takes nothing and says so; one presses again, as a person does.
    if (await card.filter({ hasText: 'Press again' }).count()) await button.click();
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
        internal: 'internal' in row.dataset,
        text: (row.querySelector('[data-testid="message-text"]') ?? row).textContent,
      })),
    );
  }

  /** Waits until a row passes `test` and gives it. */
  async row(what, test, timeoutMs = 30_000) {
    let rows = [];
    const probe = async () => {
      rows = await this.rows();
      return rows.find(test);
    };
    return until(probe, { timeoutMs, what }).catch(() => {
      const shown = rows.map((row) => JSON.stringify({ ...row, text: row.text.slice(0, 60) }));
      throw new Error(`${this.name}: no row ${what} within ${timeoutMs} ms; rows:\n${shown.join('\n')}`);
    });
  }

  /** Position and state hash per scope, as the client of this page applied them; null where the page keeps it to itself. */
  hashes() {
    return this.page.evaluate(() => window.otter?.hashes() ?? null);
  }

  /** The frames painted since the last `forget`. */
  async recorded() {
    this.frames.push(...(await this.page.evaluate(() => window.otterRecorder.take())));
    return this.frames;
  }

  /** Begins a new recording. */
  async forget() {
    await this.recorded();
    this.frames = this.frames.slice(-1);
  }

  /** What a person would call a glitch in the recording, which begins anew. */
  async glitches() {
    const found = faults(await this.recorded());
    this.frames = this.frames.slice(-1);
    return found.map((fault) => `${this.name}: ${fault}`);
  }

  /** Waits for a condition on this page. */
  until(what, probe, timeoutMs = 30_000) {
    return until(probe, { timeoutMs, what: `${this.name}: ${what}` });
  }

  async reload() {
    await this.page.reload();
    this.frames = [];
    await this.online();
  }

  screenshot(path) {
    return this.page.screenshot({ path });
  }

  close() {
    return this.context.close();
  }
}
