// What the hub tells a client that paints nothing: the published package in Node, signed in as a person of its own. It
// keeps every event in order, so that a test sees the facts behind what pages show.

import WebSocket from 'ws';
import { by } from './browser.mjs';
import { until } from './process.mjs';

export class Watcher {
  /** Signs in by an invitation as a browser does, and follows the org from then on. */
  static async open(browser, { link }) {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(link);
      await page.getByRole('button').first().click();
      await page.locator(by('connection', { phase: 'online' })).waitFor({ state: 'attached' });
      const cookies = await context.cookies();
      return new Watcher(new URL(page.url()).origin, cookies.map(({ name, value }) => `${name}=${value}`).join('; '));
    } finally {
      await context.close();
    }
  }

  constructor(origin, cookie) {
    this.origin = origin;
    this.events = [];
    this.Socket = class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { headers: { cookie, origin } });
      }
    };
  }

  /** Connects, as often as it takes. */
  async start() {
    const { createClient } = await import('../../otter-client-wasm/npm/index.node.js');
    this.client = createClient({ url: `${this.origin.replace('http', 'ws')}/ws`, client: { name: 'watcher', version: '0.1.0' }, WebSocket: this.Socket });
    this.client.on('*', (event, { replayed }) => this.events.push({ ...event, replayed }));
    await this.follow('org');
  }

  /** A further connection of the same person. */
  async again() {
    const other = Object.assign(Object.create(Watcher.prototype), { origin: this.origin, Socket: this.Socket, events: [] });
    await other.start();
    return other;
  }

  /** Follows a further scope. */
  async follow(scope) {
    const store = this.client.scope(scope);
    store.subscribe(() => {});
    await until(() => store.get().phase === 'live', { what: `the watcher to follow ${scope}`, timeoutMs: 40_000 });
  }

  entity(type, id) {
    return this.client.entity(type, id).get();
  }

  /** Waits until an entity is as `test` wants it: what a page shows already may still be on its way here. Gives the entity. */
  async sees(type, id, test, timeoutMs = 40_000) {
    await until(() => this.entity(type, id) && test(this.entity(type, id)), { what: `the watcher to see ${type}/${id}`, timeoutMs }).catch((error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(this.entity(type, id))}`);
    });
    return this.entity(type, id);
  }

  /** The kinds of the events about one entity, in order. */
  kinds(entity) {
    const about = (event) => event.effects?.some((effect) => effect.entity === entity);
    return this.events.filter(about).map((event) => event.kind);
  }

  /** Waits for an event of a kind that passes `test`. */
  event(kind, test = () => true, timeoutMs = 30_000) {
    return until(() => this.events.find((event) => event.kind === kind && test(event)), { what: `the event ${kind}`, timeoutMs });
  }

  close() {
    this.client?.close();
  }
}
