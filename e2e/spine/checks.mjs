// What has to hold on every page once things are quiet.

import assert from 'node:assert/strict';
import { until } from '../harness/process.mjs';

/**
 * Waits until the pages show the same rows and, where a page tells its state, applied the same events with the same hash.
 * Then nothing that was recorded may be a glitch, and each of `once` is in one row of every frame at most.
 */
export async function settle(pages, scopes, once = []) {
  let views;
  const same = async () => {
    views = await Promise.all(pages.map(async (page) => ({ page: page.name, rows: visible(await page.rows()), hashes: pick(await page.hashes(), scopes) })));
    const told = views.filter((view) => view.hashes);
    return allEqual(views.map((view) => view.rows)) && allEqual(told.map((view) => view.hashes)) && settled(views);
  };
  await until(same, { timeoutMs: 20_000, what: 'the pages to show the same' }).catch((error) => {
    throw new Error(`${error.message}\n${views.map(describe).join('\n')}`);
  });
  const glitches = [];
  for (const page of pages) {
    for (const text of once) glitches.push(...twice(page, await page.recorded(), text));
    glitches.push(...(await page.glitches()));
  }
  assert.deepEqual(glitches, []);
}

/** What two pages have to agree on: everything but how far the own connection is. */
function visible(rows) {
  return rows.map(({ id, status, delivery, text }) => ({ id, status, delivery, text }));
}

function pick(hashes, scopes) {
  return hashes && Object.fromEntries(scopes.map((scope) => [scope, hashes[scope]]));
}

/** Nothing streams, and no row waits for anything. */
function settled(views) {
  return views.every(({ rows }) => rows.every((row) => row.status !== 'streaming' && !['pending', 'taken', 'queued'].includes(row.delivery)));
}

function allEqual(values) {
  const [first, ...others] = values.map((value) => JSON.stringify(value));
  return others.every((other) => other === first);
}

function twice(page, frames, text) {
  const at = frames.findIndex(({ rows }) => rows.filter((row) => row.text.includes(text)).length > 1);
  return at < 0 ? [] : [`${page.name}: frame ${at} shows "${text}" in two rows`];
}

function describe({ page, rows, hashes }) {
  const lines = rows.map((row) => `  ${row.id} ${row.status} ${row.delivery ?? ''} ${JSON.stringify(row.text.slice(0, 60))} (${row.text.length})`);
  return `${page} ${JSON.stringify(hashes ?? null)}\n${lines.join('\n')}`;
}

/** The first frame that shows an answer being written must show it from its start. */
export function assertJoinedInTheMiddle(page, frames, start, atLeast) {
  const rows = frames.flatMap((frame) => frame.rows.filter((row) => row.status === 'streaming'));
  assert.ok(rows.length > 0, `${page.name} never showed an answer being written`);
  assert.ok(rows[0].text.startsWith(start), `${page.name} began in the middle: ${rows[0].text.slice(0, 60)}`);
  assert.ok(rows[0].text.length >= atLeast, `${page.name} first showed ${rows[0].text.length} characters, ${atLeast} were there`);
}

/** The distinct delivery states that a row with this text went through. */
export function deliveries(frames, text) {
  const states = frames.flatMap((frame) => frame.rows.filter((row) => row.text.includes(text)).map((row) => row.delivery));
  return states.filter((state, i) => state !== states[i - 1]);
}
