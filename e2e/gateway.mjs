// A real OpenClaw gateway with its own HOME, state and config, so that no run touches a developer's own gateway.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openclaw } from './openclaw/install.mjs';
import { answers, freePort, Process, until } from './harness/process.mjs';

const READY_MS = 240_000;
const PLUGIN = fileURLToPath(new URL('../otter-client-native/openclaw-plugin', import.meta.url));

export class Gateway {
  /** `dir`: where everything of this gateway lives. `modelUrl`: base URL of the scripted model. */
  static async create({ dir, modelUrl }) {
    return new Gateway(dir, modelUrl, await freePort());
  }

  constructor(dir, modelUrl, port) {
    this.dir = dir;
    this.modelUrl = modelUrl;
    this.port = port;
    this.token = 'e2e-gateway-token';
    this.url = `ws://127.0.0.1:${port}`;
  }

  /** Starts the process and waits until it is ready; gives the milliseconds that took. */
  async start() {
    const begun = Date.now();
    this.launch();
    await this.ready();
    return Date.now() - begun;
  }

  launch() {
    const { node, entry } = openclaw();
    for (const name of ['home', 'state', 'workspace']) mkdirSync(join(this.dir, name), { recursive: true });
    // The gateway rewrites its config at every start.
    writeFileSync(join(this.dir, 'openclaw.json'), JSON.stringify(this.config(), null, 2));
    this.process = new Process('gateway', node, [entry, 'gateway', 'run', '--verbose'], {
      cwd: this.dir,
      log: join(this.dir, 'gateway.log'),
      env: {
        HOME: join(this.dir, 'home'),
        OPENCLAW_STATE_DIR: join(this.dir, 'state'),
        OPENCLAW_CONFIG_PATH: join(this.dir, 'openclaw.json'),
        OPENCLAW_DISABLE_BONJOUR: '1',
        OPENCLAW_NO_RESPAWN: '1',
        OPENCLAW_SKIP_CHANNELS: '1',
        OPENCLAW_EXEC_SHELL_SNAPSHOT: '0',
      },
    });
  }

  ready() {
    const probe = () => answers(`http://127.0.0.1:${this.port}/readyz`);
    return until(probe, { timeoutMs: READY_MS, what: 'the gateway to be ready', process: this.process, everyMs: 250 });
  }

  kill9() {
    return this.process.kill9();
  }

  stop() {
    return this.process?.stop('SIGTERM', 3000);
  }

  get logExists() {
    return existsSync(join(this.dir, 'gateway.log'));
  }

  config() {
    const model = {
      id: 'fake-1',
      name: 'Fake One',
      reasoning: false,
      input: ['text'],
      cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 },
      contextWindow: 128_000,
      maxTokens: 4096,
    };
    return {
      gateway: {
        mode: 'local',
        bind: 'loopback',
        port: this.port,
        auth: { mode: 'token', token: this.token },
        controlUi: { enabled: false },
      },
      agents: {
        ownership: 'explicit',
        defaults: {
          workspace: join(this.dir, 'workspace'),
          model: { primary: 'fake/fake-1' },
          skipBootstrap: true,
          systemAgent: { agentId: 'main' },
          heartbeat: { agentId: 'main' },
        },
        entries: { main: { name: 'Main Otter' }, researcher: { name: 'Researcher' } },
      },
      models: {
        mode: 'replace',
        providers: { fake: { baseUrl: this.modelUrl, apiKey: 'fake-key', api: 'openai-completions', models: [model] } },
      },
      tools: { exec: { host: 'gateway', mode: 'ask' } },
      plugins: { load: { paths: [PLUGIN] }, entries: { otter: { enabled: true } } },
      update: { checkOnStart: false },
    };
  }
}
