// Installs the gateway and the Node that it needs into `.cache/` of the clone, once.
// `node e2e/openclaw/install.mjs` does it ahead of time; the tests only look up the result.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const { openclaw: openclawVersion, node: nodeVersion } = JSON.parse(readFileSync(join(here, 'versions.json'), 'utf8'));
const cache = join(here, '..', '..', '.cache', `openclaw-${openclawVersion}`);
const runtime = join(cache, 'runtime');
const app = join(cache, 'app');

/** Paths of the installed gateway; an error says how to install it. */
export function openclaw() {
  if (!existsSync(join(cache, 'complete'))) throw new Error('the OpenClaw gateway is not installed: run `node e2e/openclaw/install.mjs`');
  return { node: nodePath(), entry: join(app, 'node_modules', 'openclaw', 'openclaw.mjs') };
}

function nodePath() {
  return join(runtime, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function install() {
  if (existsSync(join(cache, 'complete'))) return;
  rmSync(cache, { recursive: true, force: true });
  npm(runtime, { node: nodeVersion });
  // The package checks the version of the Node that runs its install scripts.
  const path = `${dirname(nodePath())}:${process.env.PATH}`;
  npm(app, { openclaw: openclawVersion }, { PATH: path });
  writeFileSync(join(cache, 'complete.part'), new Date().toISOString());
  renameSync(join(cache, 'complete.part'), join(cache, 'complete'));
}

function npm(dir, dependencies, env = {}) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, dependencies }, null, 2));
  const lock = join(here, `${Object.keys(dependencies)[0]}.lock.json`);
  if (existsSync(lock)) copyFileSync(lock, join(dir, 'package-lock.json'));
  const args = [existsSync(lock) ? 'ci' : 'install', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', args, { cwd: dir, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const begun = Date.now();
  install();
  execFileSync(openclaw().node, [openclaw().entry, '--version'], { stdio: 'inherit' });
  console.log(`OpenClaw is installed (${Math.round((Date.now() - begun) / 1000)} s)`);
}
