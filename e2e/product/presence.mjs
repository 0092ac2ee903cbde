// Who is here, and how old what one sees is.

import assert from 'node:assert/strict';
import { Console } from '../harness/browser.mjs';

export const presence = {
  'people see each other, once each, however many pages they have': async (world) => {
    const { owner, ann } = world;
    const here = owner.part('presence-member', { memberId: await idOf(ann) });
    await here.waitFor();
    const second = await Console.join(ann, 'ann again');
    await owner.until('Ann is here once', async () => (await here.count()) === 1);
    await second.page.close();
    await ann.until('she still sees the owner', async () => (await present(ann)).includes(await idOf(owner)));
    await owner.until('Ann is still here', async () => (await here.count()) === 1);
  },

  'who leaves is gone, who comes back is there again': async (world) => {
    const { owner, ann } = world;
    const here = owner.part('presence-member', { memberId: await idOf(ann) });
    await ann.page.goto('about:blank');
    await here.waitFor({ state: 'detached', timeout: 30_000 });
    await ann.page.goto(new URL(owner.page.url()).origin);
    await ann.online();
    await here.waitFor();
  },

  'who writes is told to those who look at the conversation, and only as long as it is so': async (world) => {
    const { owner, ann } = world;
    for (const page of [owner, ann]) await page.openConversation(world.main);
    await owner.part('composer-input').pressSequentially('Just thinking', { delay: 30 });
    const line = ann.part('typing-line');
    await line.getByText('Owner is writing').waitFor();
    assert.equal(await owner.part('typing-line').textContent(), '', 'not to oneself');
    await owner.part('composer-input').fill('');
    await line.getByText('Owner is writing').waitFor({ state: 'detached', timeout: 10_000 });
  },
};

const idOf = ({ page }) => page.evaluate(() => window.otter.self.get().id);
const present = ({ page }) => page.evaluate(() => window.otter.presence().get().rows.map(({ memberId }) => memberId));
