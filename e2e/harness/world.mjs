// Everything that takes part in the end-to-end test, and the questions the test asks of it.

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectTo } from '../gateway-client.mjs';
import { Gateway } from '../gateway.mjs';
import { startModel } from '../model.mjs';
import { launch } from './browser.mjs';
import { Bridge, Hub } from './hub.mjs';
import { until } from './process.mjs';

const SCREENS = fileURLToPath(new URL('../../.cache/e2e/screens', import.meta.url));

const QUIET_MS = 600;
/** On a machine that is slow a while is longer. */
const QUIET_LOOKS = 5;

export class World {
  /** `name`: the folder in `.cache/e2e` that this world has for itself. */
  static async start(name) {
    const dir = fileURLToPath(new URL(`../../.cache/e2e/${name}`, import.meta.url));
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const model = await startModel();
    const gateway = await Gateway.create({ dir: join(dir, 'gateway'), modelUrl: model.url });
    gateway.launch();
    const [hub, browser] = await Promise.all([Hub.create({ dir }), launch()]);
    return new World({ dir, model, gateway, hub, browser });
  }

  constructor(parts) {
    Object.assign(this, parts, { pages: [] });
  }

  addBridge(token) {
    this.bridge = new Bridge({ dir: this.dir, hub: this.hub, gateway: this.gateway, token });
    this.bridge.start();
  }

  /** Asks the gateway something, as a client that the bridge knows nothing of. */
  async ask(method, params, scopes) {
    const client = await connectTo(this.gateway, () => {}, scopes);
    try {
      return await client.call(method, params);
    } finally {
      client.close();
    }
  }

  /** Says something to an agent behind Otter's back and waits for the end of the answer. */
  async sayAtGateway(sessionKey, message) {
    const key = `seed-${createHash('sha256').update(message).digest('hex').slice(0, 12)}`;
    await this.ask('chat.send', { sessionKey, message, idempotencyKey: key });
    const isOver = async () => !['timeout', 'pending'].includes((await this.ask('agent.wait', { runId: key, timeoutMs: 60_000 })).status);
    await until(isOver, { what: `the answer to ${message}`, timeoutMs: 180_000 });
  }

  /** The texts of the agent's rows in the gateway's own history. */
  async answersAtGateway(sessionKey) {
    const { messages } = await this.ask('chat.history', { sessionKey, limit: 200, maxChars: 500_000 });
    const texts = (content) => (Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : '');
    return messages.filter((message) => message.role === 'assistant').map((message) => texts(message.content));
  }

  /**
   * Waits until the agent has nothing to do and nothing is queued, as the gateway itself says, and for a while: it says so,
   * too, in the first moments of a run, and between the end of a sub-agent and the turn that announces it. Where a client
   * without a page watches, no run may be open for that one either.
   */
  async idle(sessionKey = 'agent:main:main') {
    const probe = async () => {
      const { session } = await this.ask('sessions.describe', { key: sessionKey });
      return session && !session.hasActiveRun && !['queued', 'running'].includes(session.status) && !this.seesRun(sessionKey);
    };
    let looks = [];
    const isQuiet = async () => {
      looks = (await probe()) ? [...looks, Date.now()] : [];
      return looks.length >= QUIET_LOOKS && looks.at(-1) - looks[0] >= QUIET_MS;
    };
    await until(isQuiet, { timeoutMs: 60_000, what: `${sessionKey} to be idle`, everyMs: 100 });
  }

  /** Whether the watching client, as long as it is connected and the machine too, sees a run of this session. */
  seesRun(sessionKey) {
    if (!this.instance || this.watcher?.client?.connection.get().phase !== 'online') return false;
    if (this.watcher.entity('instance', this.instance)?.connection !== 'online') return false;
    return Boolean(this.watcher.entity('conversation', conversationOf(this.instance, sessionKey))?.activeRun);
  }

  /** Keeps a picture of a main state for people to look at. */
  shoot(page, name) {
    mkdirSync(SCREENS, { recursive: true });
    return page.screenshot(join(SCREENS, `product-${name}.png`));
  }

  async stop() {
    this.watcher?.close();
    await this.browser?.close().catch(() => {});
    await Promise.all([this.preview?.stop(), this.bridge?.stop(), this.hub?.stop(), this.gateway?.kill9()]);
    await this.model?.close();
  }
}

/** The conversation of a gateway session: the same rule as the bridge's, written down a second time on purpose. */
export function conversationOf(instanceId, sessionKey) {
  const digits = 'abcdefghijklmnopqrstuvwxyz234567';
  let bits = '';
  for (const byte of createHash('sha256').update(sessionKey).digest()) bits += byte.toString(2).padStart(8, '0');
  const text = bits.match(/.{5}/g).map((five) => digits[parseInt(five, 2)]).join('');
  return `${instanceId}:${text.slice(0, 26)}`;
}
