// The recorder's judgement: each glitch is named, a clean stream is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Console, launch } from './browser.mjs';
import { faults } from './recorder.mjs';

const row = (id, text, node = id, status = 'complete') => ({ id, text, node, status });
const frames = (...lists) => lists.map((rows) => ({ rows }));

test('a stream that only grows and ends as the same text has no fault', () => {
  const clean = frames([row('q', 'hi')], [row('q', 'hi'), row('a', 'one')], [row('q', 'hi'), row('a', 'one two')], [row('q', 'hi'), row('a', 'one two')]);
  assert.deepEqual(faults(clean), []);
});

test('a double row, a replaced node, a return and a rewritten text are each named', () => {
  const cases = [
    [frames([row('a', 'x'), row('a', 'x')]), /frame 0: a is shown twice/],
    [frames([row('a', 'x', 1)], [row('a', 'x', 2)]), /frame 1: a is shown by another DOM node/],
    [frames([row('a', 'x')], [], [row('a', 'x')]), /frame 2: a comes back after it was gone since frame 1/],
    [frames([row('a', 'one two')], [row('a', 'one')]), /frame 1: the text of a .* is not continued: at 3/],
    [frames([row('a', 'x'), row('b', 'y')], [row('b', 'y'), row('a', 'x')]), /frame 1: rows change places/],
  ];
  for (const [given, expected] of cases) {
    const found = faults(given);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0], expected);
  }
});

test('a row that the hub has not placed yet may find its place', () => {
  const held = { ...row('mine', 'x'), stage: 'held' };
  assert.deepEqual(faults(frames([held, row('answer', 'y')], [row('answer', 'y'), row('mine', 'x')])), []);
});

test('in a real page every painted frame is seen: a row that is replaced for one frame is found', async () => {
  const browser = await launch();
  try {
    const page = await Console.in(await browser.newContext(), 'page');
    await page.page.goto('data:text/html,<ol></ol>');
    const scene = (glitch) =>
      page.page.evaluate(async (replace) => {
        const list = document.querySelector('ol');
        const id = replace ? 'b' : 'a';
        list.innerHTML = `<li data-testid="message-row" data-message-id="${id}"><span data-testid="message-text"></span></li>`;
        const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        for (let i = 0; i < 20; i++) {
          list.querySelector('span').textContent += `word${i} `;
          if (replace && i === 10) list.replaceChildren(list.firstChild.cloneNode(true));
          await frame();
        }
      }, glitch);
    await scene(false);
    assert.equal((await page.recorded()).filter(({ rows }) => rows.length > 0).length, 20);
    assert.deepEqual(await page.glitches(), []);
    page.frames = [];
    await scene(true);
    assert.deepEqual((await page.glitches()).map((fault) => fault.replace(/frame \d+/, 'frame n')), ['page: frame n: b is shown by another DOM node']);
  } finally {
    await browser.close();
  }
});
