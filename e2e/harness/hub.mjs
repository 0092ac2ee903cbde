// The hub and the bridge as a person runs them: the built binaries with their documented flags.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answers, freePort, Process, until } from './process.mjs';

const bin = process.env.OTTER_BIN ?? fileURLToPath(new URL('../../target/debug', import.meta.url));

/** The path of a built binary; an error says how to build it. */
export function binary(name) {
  const path = join(bin, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`cargo build --workspace --bins\``);
  return path;
}

export class Hub {
  /** `dir`: folder of its log file; its data lives in `dir/data`. */
  static async create({ dir }) {
    return new Hub(dir, await freePort());
  }

  constructor(dir, port) {
    this.dir = dir;
    this.data = join(dir, 'data');
    this.port = port;
    this.origin = `http://localhost:${port}`;
  }

  /** Starts the process and waits until it serves. */
  async start() {
    const args = ['--data-dir', this.data, '--listen', `127.0.0.1:${this.port}`, '--dev'];
    const env = { RUST_LOG: process.env.RUST_LOG ?? 'info,otter_server=debug' };
    this.process = new Process('hub', binary('otter-server'), args, { log: join(this.dir, 'hub.log'), env });
    await until(() => answers(`${this.origin}/readyz`), { what: 'the hub to be ready', process: this.process });
  }

  /** The link that makes the first owner. It is printed while there is none. */
  async setupLink() {
    return (await this.process.line(/setup link: (\S+)/))[1];
  }

  /** Runs a subcommand beside the running hub and gives what it prints. */
  cli(...args) {
    return execFileSync(binary('otter-server'), [...args, '--data-dir', this.data], { encoding: 'utf8' }).trim();
  }

  addInstance(name) {
    return this.cli('instance', 'add', '--name', name);
  }

  invite(name, role = 'member') {
    const printed = this.cli('invite', '--name', name, '--role', role);
    // The tool does not know the port; the link of the running hub is what a browser needs.
    const link = new URL(printed.match(/https?:\S+/)[0]);
    return `${this.origin}${link.pathname}${link.hash}`;
  }

  kill9() {
    return this.process.kill9();
  }

  stop() {
    return this.process?.stop();
  }
}

export class Bridge {
  constructor({ dir, hub, gateway, token }) {
    Object.assign(this, { dir, hub, gateway, token });
  }

  get args() {
    const args = ['--hub', `ws://127.0.0.1:${this.hub.port}/ws/openclaw`, '--state-dir', join(this.dir, 'bridge-state')];
    return [...args, '--gateway', this.gateway.url, '--gateway-token', this.gateway.token];
  }

  /** What `otter-bridge doctor` says. */
  doctor() {
    return spawnSync(binary('otter-bridge'), ['doctor', ...this.args], { encoding: 'utf8', env: { ...process.env, OTTER_TOKEN: this.token } }).stdout;
  }

  start() {
    const args = ['run', ...this.args];
    const env = { OTTER_TOKEN: this.token, RUST_LOG: process.env.RUST_LOG ?? 'info,otter_client_native=debug' };
    this.process = new Process('bridge', binary('otter-bridge'), args, { log: join(this.dir, 'bridge.log'), env });
  }

  kill9() {
    return this.process.kill9();
  }

  stop() {
    return this.process?.stop();
  }
}
