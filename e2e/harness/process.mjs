// Child processes with a log file, a deadline for every wait, and a kill that leaves nothing behind.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';

const live = new Set();
process.once('exit', () => live.forEach((one) => one.signal('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(1));
}

/**
 * One run of a program. Its output goes to `log`, which every error message quotes. With `group` it leads a process group,
 * and a signal reaches the programs that it started, as Ctrl-C does in a terminal.
 */
export class Process {
  constructor(name, command, args, { env = {}, cwd, log, group = false }) {
    mkdirSync(dirname(log), { recursive: true });
    this.name = name;
    this.log = log;
    this.stdout = '';
    this.exit = undefined;
    this.group = group;
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: group });
    live.add(this);
    const file = createWriteStream(log, { flags: 'a' });
    file.write(`\n--- ${name} starts: pid ${this.child.pid}\n`);
    this.child.stdout.on('data', (data) => {
      this.stdout = (this.stdout + data).slice(-64 * 1024);
      file.write(data);
    });
    this.child.stderr.on('data', (data) => file.write(data));
    this.exited = new Promise((resolve) => {
      const ended = (reason) => {
        live.delete(this);
        this.exit ??= reason;
        resolve(this.exit);
      };
      this.child.once('error', (error) => ended(`cannot start: ${error.message}`));
      this.child.once('exit', (code, signal) => ended(`exit ${signal ?? code}`));
    });
  }

  /** Waits until stdout matches and returns the match. */
  async line(pattern, timeoutMs = 20_000) {
    return until(() => this.stdout.match(pattern), { timeoutMs, what: `${this.name} to print ${pattern}`, process: this });
  }

  /** Sends the signal and waits for the end; after `graceMs` the process is killed. */
  async stop(signal = 'SIGTERM', graceMs = 10_000) {
    if (this.exit !== undefined) return this.exit;
    this.signal(signal);
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    const reason = await this.exited;
    clearTimeout(timer);
    return reason;
  }

  kill9() {
    return this.stop('SIGKILL');
  }

  signal(signal) {
    if (!this.group) return this.child.kill(signal);
    try {
      return process.kill(-this.child.pid, signal);
    } catch {
      return false;
    }
  }

  /** The end of the log, for error messages. */
  tail(bytes = 4000) {
    try {
      return readFileSync(this.log, 'utf8').slice(-bytes);
    } catch {
      return '';
    }
  }
}

/** Polls `probe` until it gives something true. The error names what was awaited and shows the log of the process. */
export async function until(probe, { timeoutMs = 20_000, what, process: child, everyMs = 25 }) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (child?.exit !== undefined) throw new Error(`waiting for ${what}: ${child.name} ended (${child.exit})\n${child.tail()}`);
    if (Date.now() > deadline) throw new Error(`${timeoutMs} ms are over, still waiting for ${what}\n${child?.tail() ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** True when the URL answers with a 2xx status. */
export async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * A port of the loopback interface that nobody uses at the moment. It is none of those that a system gives by itself: while
 * its program is started, or away for a while, no connection takes it.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

const given = new Set();

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
