// Point 3: a message is shown at once and settles, its answer streams into every page and ends as the same text.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Console } from '../harness/browser.mjs';
import { GREETING, wordText } from '../model.mjs';
import { build, preview } from '../vite-app/build.mjs';
import { assertJoinedInTheMiddle, deliveries, settle } from './checks.mjs';

const DELIVERY = [undefined, 'pending', 'taken', 'queued', 'delivered'];

export const answersStream = {
  'a message is shown at once, then taken and delivered; its answer streams and ends as the same text': async (world) => {
    const { owner, ann } = world;
    const pages = [owner, ann];
    for (const page of pages) await page.forget();
    const question = 'Please STREAM:40:40:plain';
    await owner.send(question);
    const shown = await owner.row('that was just sent', (row) => row.text.includes(question), 500);
    assert.ok(DELIVERY.includes(shown.delivery), shown.delivery);
    for (const page of pages) await page.row('that streams', streaming('plain0 '));
    for (const page of pages) {
      const answer = await page.row('with the whole answer', complete(wordText(40, 'plain')));
      assert.match(answer.id, /:answer$/);
      await page.row('that is delivered', delivered(question));
    }
    const states = deliveries(await owner.recorded(), question);
    assert.deepEqual(states, [...states].sort((a, b) => DELIVERY.indexOf(a) - DELIVERY.indexOf(b)), 'delivery goes forward only');
    await settle(pages, world.scopes, [question, 'plain0 ']);
    const answers = await world.answersAtGateway('agent:main:main');
    assert.equal(answers.at(-1), wordText(40, 'plain'));
  },

  'a page opened in the middle of an answer shows the text so far; a steered message is shown once': async (world) => {
    const { owner, ann } = world;
    const half = wordText(30, 'alpha');
    await owner.send('Please GATE:middle:60:alpha');
    for (const page of [owner, ann]) await page.row('with half of the answer', streaming(half));
    world.late = await Console.join(owner, 'late');
    world.pages.push(world.late);
    await openViteApp(world);
    for (const page of [world.late, world.vite]) {
      await page.openConversation(world.main);
      await page.row('with the text so far', streaming(half));
      await page.until('it is painted', async () => (await page.recorded()).some(({ rows }) => rows.some((row) => row.status === 'streaming')));
      assertJoinedInTheMiddle(page, await page.recorded(), 'alpha0 ', half.length);
    }

    const steer = 'And tell me about steering';
    const pages = [owner, ann, world.late, world.vite];
    await ann.send(steer);
    for (const page of pages) await page.row('with the steering message', (row) => row.text.includes(steer));
    await owner.row('that the agent has', (row) => row.text.includes(steer) && ['queued', 'delivered'].includes(row.delivery));
    world.model.release('middle');
    const answer = `${wordText(60, 'alpha')}\n\n${GREETING}`;
    for (const page of pages) {
      await page.row('with the answer to both', complete(answer));
      await page.row('that is delivered', delivered(steer));
    }
    await settle(pages, world.scopes, [steer, 'GATE:middle', 'alpha0 ']);
  },

  'the same words sent twice are two rows': async (world) => {
    const { owner, ann } = world;
    const pages = [owner, ann, world.late, world.vite];
    await owner.send('continue');
    await ann.send('continue');
    for (const page of pages) {
      const both = async () => (await page.rows()).filter(delivered('continue')).length === 2;
      await page.until('both messages are delivered', both);
    }
    await world.idle();
    await settle(pages, world.scopes);
  },
};

export const streaming = (start) => (row) => row.status === 'streaming' && plain(row.text).startsWith(plain(start));
export const complete = (text) => (row) => row.status === 'complete' && plain(row.text) === plain(text);
export const delivered = (text) => (row) => row.text.includes(text) && row.delivery === 'delivered';

/** A page may show a paragraph break in its own way. */
function plain(text) {
  return text.replace(/\s+/g, '');
}

/** The app of another team, built by Vite without configuration, in the owner's browser. */
async function openViteApp(world) {
  build(`${world.hub.origin.replace('http', 'ws')}/ws`);
  world.preview = await preview(join(world.dir, 'vite.log'));
  world.vite = await Console.join(world.owner, 'vite', world.preview.origin);
  world.pages.push(world.vite);
}
