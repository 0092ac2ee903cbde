// After everything: nothing may have gone wrong unseen.

import assert from 'node:assert/strict';

export const lastLook = {
  'no page logged an error': async (world) => {
    assert.deepEqual(world.pages.flatMap((page) => page.errors.map((error) => `${page.name}: ${error}`)), []);
  },

};
