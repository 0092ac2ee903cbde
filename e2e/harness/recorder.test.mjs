// The recorder's judgement: each glitch is named, a clean stream is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
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
