// Builds an app the way a stranger would: the client comes as the packed npm package, and Vite gets no configuration.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, Process } from '../harness/process.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const client = join(here, '../../otter-client-wasm/npm');

/** Builds the app in `dir` for the hub at `url` (its `/ws`). */
export function build(url, dir = here) {
  install(dir);
  run(dir, 'npx', ['--no-install', 'vite', 'build', '--logLevel', 'warn'], { VITE_OTTER_URL: url });
}

/** Serves the build in `dir`; `origin` is its address, `stop()` ends it. */
export async function preview(log, dir = here) {
  const port = await freePort();
  const vite = join(dir, 'node_modules/vite/bin/vite.js');
  const args = [vite, 'preview', '--host', '127.0.0.1', '--port', String(port), '--strictPort'];
  const server = new Process('vite preview', process.execPath, args, { cwd: dir, log });
  await server.line(/127\.0\.0\.1/);
  return { origin: `http://localhost:${port}`, stop: () => server.stop() };
}

function install(dir) {
  const lock = join(dir, 'package-lock.json');
  const marker = join(dir, 'node_modules/.package-lock.json');
  if (!existsSync(marker) || statSync(marker).mtimeMs < statSync(lock).mtimeMs) {
    run(dir, 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const target = join(dir, 'node_modules/@otter-camp/client');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const parcel = mkdtempSync(join(tmpdir(), 'otter-pack-'));
  run(dir, 'npm', ['pack', client, '--pack-destination', parcel, '--loglevel=error', '--silent']);
  run(dir, 'sh', ['-c', `tar -xzf "${parcel}"/*.tgz --strip-components=1 -C "${target}"`]);
  rmSync(parcel, { recursive: true });
}

function run(cwd, command, args, env = {}) {
  execFileSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build(process.argv[2] ?? 'ws://localhost:4200/ws');
