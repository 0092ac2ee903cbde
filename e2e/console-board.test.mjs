// The feed and the board of tasks on a scripted core: what moves, what does not, and what becomes of what one asks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { PHONE, asked, picture, previewRoom } from './harness/preview.mjs';

const { open } = previewRoom();
const item = (id, rest) => by('feed-item', { itemId: `in_mac:${id}`, ...rest });
const card = (id, rest) => by('task-card', { taskId: id, ...rest });
const column = (name) => by('task-column', { column: name });

const inFeed = (page) => page.locator(by('feed-item')).evaluateAll((items) => items.filter(({ inert }) => !inert).map(({ dataset }) => dataset.itemId.slice(7)));
const newItem = (page, id, fields, replayed) => page.evaluate(([name, data, again]) => window.acts.feedItem(name, data, again), [id, { category: 'social', title: id, ...fields }, replayed]);

/** Presses where the driver would scroll first. */
const press = (page, selector) => page.locator(selector).evaluate((element) => element.click());

/** Scrolls the page down. */
async function scrolled(page, top = 300) {
  await page.locator('.page-scroll').evaluate((scroller, to) => (scroller.scrollTop = to), top);
  await page.waitForFunction((to) => document.querySelector('.page-scroll').scrollTop >= to, top);
}

test('each kind of item shows what matters of it, and only addresses of https become links', async (t) => {
  const page = await open(t, 'live', '#/feed');
  const shown = (id) => page.locator(item(id)).innerText();
  await page.waitForSelector(item('f1', { category: 'alert', severity: 'critical' }));
  assert.match(await shown('f1'), /^Critical\s+disk watch\s+3 min\s+Disk of the Boat shed Pi is 97 % full/);
  assert.match(await shown('f2'), /^H\s+Mail\s+Harbour office\s+11 min\s+Your berth from November\s+Dear Mara, berth C 14/);
  assert.match(await shown('f3'), /OTTR\s+41\.20 USD\s+\+3\.4 %/);
  assert.equal(await page.getAttribute(`${item('f5')} .feed-change`, 'data-way'), 'down');
  assert.match(await shown('f4'), /Post\s+River Watch @riverwatch/);
  await page.click(item('f6'));
  assert.match(await page.locator(`${item('f6')} .feed-detail`).innerText(), /area\s+DK-0214.*tiles\s+48/s);
  await newItem(page, 'bad', { category: 'custom', body: '<img src=x onerror=alert(1)>', url: 'javascript:alert(1)', detail: '{"__proto__": {"x": 1}' });
  await newItem(page, 'plain', { category: 'constructor', url: 'http://example.org' });
  await press(page, by('feed-new'));
  await page.waitForSelector(item('plain', { category: 'custom' }));
  const links = await page.locator('.feed-open').evaluateAll((all) => all.filter((each) => !each.hidden).map(({ href, rel }) => [new URL(href).protocol, rel]));
  assert.ok(links.length >= 3);
  assert.deepEqual(links.filter(([protocol, rel]) => protocol !== 'https:' || rel !== 'noopener noreferrer'), []);
  assert.equal(await page.locator('.feed img').count(), 0);
});

test('what was in sight for a moment is read, once, for this person', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f3', { read: true }));
  assert.equal(await page.getAttribute(item('f7'), 'data-read'), 'false');
  await page.waitForFunction(() => window.fake.posted.some(({ kind }) => kind === 'feed.markRead'));
  const marked = (await asked(page, 'feed.markRead')).flatMap(({ itemIds }) => itemIds);
  assert.deepEqual(marked.sort(), ['in_mac:f1', 'in_mac:f2', 'in_mac:f3']);
  await page.click(by('feed-read-all'));
  await page.waitForSelector(item('f7', { read: true }));
  assert.match(await page.textContent('.page-note'), /All read/);
  assert.equal(await page.isVisible(by('feed-badge')), false);
});

test('what is read while somebody scrolls counts at once, and is told every few seconds and when the page is hidden', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f3', { read: true }));
  // Told with the first ones; what is seen from here on waits.
  await page.waitForFunction(() => window.fake.posted.some(({ kind }) => kind === 'feed.markRead'));
  const [first] = await asked(page, 'feed.markRead');
  for (const id of ['late1', 'late2', 'late3']) await newItem(page, id, {});
  for (const id of ['late1', 'late2', 'late3']) await page.locator(item(id)).locator('.feed-read').evaluate((button) => button.click());
  await page.waitForSelector(item('late3', { read: true }));
  const badge = await page.getAttribute(by('feed-badge'), 'data-count');
  assert.deepEqual(await asked(page, 'feed.markRead'), [first]);
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  const [, second, ...more] = await asked(page, 'feed.markRead');
  assert.deepEqual(more, []);
  assert.deepEqual(second.itemIds.filter((id) => id.startsWith('in_mac:late')).sort(), ['in_mac:late1', 'in_mac:late2', 'in_mac:late3']);
  assert.equal(await page.getAttribute(by('feed-badge'), 'data-count'), badge, 'told or not, it is read');
});

test('whoever reads back to the oldest of five hundred items finds them read, and marks none of them', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f3', { read: true }));
  await page.click(by('feed-read-all'));
  await page.locator(by('feed-badge')).waitFor({ state: 'hidden' });
  await page.evaluate(() => {
    const at = (n) => new Date(Date.now() - 30 * 86_400_000 - n * 60_000).toISOString();
    const old = Array.from({ length: 500 }, (_, n) => ['org', `feedItem/in_mac:old${n}`, 8000 + n, false, { category: 'custom', title: `Old ${n}`, occurredAt: at(n) }]);
    window.fake.push({ put: old, lists: [['org', 'feedItem', false, false, null, null]] });
  });
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=feed-item]').length > 500);
  await page.locator('.page-scroll').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight));
  await page.locator(item('old499')).waitFor();
  // Longer than it takes to count as seen and to be told.
  await page.waitForTimeout(5500);
  assert.deepEqual(await page.locator(by('feed-item', { read: 'false' })).evaluateAll((items) => items.map(({ dataset }) => dataset.itemId)), []);
  assert.equal(await page.isVisible(by('feed-badge')), false);
  assert.equal(await page.isDisabled(by('feed-read-all')), true);
  const marked = (await asked(page, 'feed.markRead')).flatMap(({ itemIds }) => itemIds);
  assert.deepEqual(marked.sort(), ['f1', 'f2', 'f3', 'f7'].map((id) => `in_mac:${id}`));
});

test('new items come in by themselves and move; what was missed is simply there', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f1'));
  await newItem(page, 'live1', {});
  await page.waitForSelector(item('live1', { new: '' }));
  await page.waitForFunction((query) => !document.querySelector(query).hasAttribute('data-new'), item('live1'));
  await newItem(page, 'missed', {}, true);
  await page.waitForSelector(item('missed'));
  await page.waitForTimeout(100);
  assert.equal(await page.locator('[data-new=""]').count(), 0);
  assert.deepEqual((await inFeed(page)).slice(0, 3), ['missed', 'live1', 'f1']);
  assert.equal(await page.locator(by('notice')).count(), 0);
});

test('a hundred events that were missed are there without a word, a window or a movement', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f1'));
  await page.evaluate(() => {
    window.seen = [];
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
        if (element.closest('.notices, [data-testid=announcer]') || [...addedNodes].some(({ tagName }) => tagName === 'DIALOG')) window.seen.push(element.outerHTML.slice(0, 80));
        if (element.dataset.new !== undefined) window.seen.push(`moves: ${element.dataset.itemId}`);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-new'] });
    for (let n = 0; n < 50; n += 1) {
      window.acts.feedItem(`missed${n}`, { category: 'alert', severity: 'critical', title: `Missed ${n}` }, true);
      window.acts.task('in_mac:t4', { summary: `${n} of 50` }, true);
    }
  });
  await page.waitForSelector(item('missed49'));
  await page.waitForTimeout(200);
  assert.deepEqual(await page.evaluate(() => window.seen), []);
  assert.equal((await inFeed(page)).filter((id) => id.startsWith('missed')).length, 50);
});

test('nothing moves for who asked for less movement', async (t) => {
  const page = await open(t, 'live', '#/feed', { reducedMotion: 'reduce' });
  await page.waitForSelector(item('f1'));
  await newItem(page, 'live1', {});
  await page.waitForSelector(item('live1'));
  assert.equal(await page.getAttribute(item('live1'), 'data-new'), null);
  await page.click(by('nav-tasks'));
  await page.waitForSelector(card('in_mac:t5'));
  await page.evaluate(() => window.acts.task('in_mac:t5', { status: 'done' }));
  await page.waitForSelector(`${column('done')} ${card('in_mac:t5')}`);
  assert.equal(await page.evaluate(() => document.querySelector('.board').getAnimations({ subtree: true }).length), 0);
});

test('who reads further down is not moved: new items wait behind a button', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f1'));
  await scrolled(page);
  const where = () => page.locator(item('f5')).evaluate((each) => Math.round(each.getBoundingClientRect().top));
  const before = await where();
  for (const id of ['n1', 'n2', 'n3']) await newItem(page, id, {});
  await page.waitForSelector(`${by('feed-new')} >> text=3 new`);
  assert.equal(await where(), before);
  assert.equal((await inFeed(page)).includes('n1'), false);
  await press(page, by('feed-new'));
  await page.waitForSelector(item('n3'));
  assert.equal(await page.locator('.page-scroll').evaluate(({ scrollTop }) => scrollTop), 0);
  assert.equal(await page.isVisible(by('feed-new')), false);
});

test('a page that one comes back to is where it was left', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f1'));
  await scrolled(page);
  await page.click(by('nav-fleet'));
  await page.waitForSelector(by('fleet-card'));
  await page.click(by('nav-feed'));
  assert.equal(await page.locator('.page-scroll').evaluate(({ scrollTop }) => scrollTop), 300);
  await page.click(by('feed-filter', { filterName: 'alert' }));
  assert.equal(await page.locator('.page-scroll').evaluate(({ scrollTop }) => scrollTop), 0);
});

test('items are put away for everyone and come back, one and all, by hand and by key', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(item('f1'));
  await page.mouse.move(5, 400);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('e');
  await page.waitForSelector(item('f2'), { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.itemId), 'in_mac:f3');
  await page.click(`${by('notice')} >> text=Undo`);
  await page.waitForSelector(item('f2'));
  const all = await inFeed(page);
  await page.click(by('feed-filter', { filterName: 'alert' }));
  assert.deepEqual(await inFeed(page), ['f1', 'f7', 'f9']);
  await page.click(by('feed-archive-all'));
  await page.waitForSelector(`${by('feed-empty')} >> text=Nothing of this kind.`);
  await page.click(by('feed-filter', { filterName: 'archived' }));
  await page.waitForSelector(item('f1', { archived: true }));
  assert.match(await page.textContent(item('f1')), /Archived by Mara/);
  await page.click(`${by('notice')} >> text=Undo`);
  await page.click(by('feed-filter', { filterName: 'all' }));
  await page.waitForSelector(item('f1'));
  assert.deepEqual(await inFeed(page), all);
  assert.deepEqual((await asked(page, 'feed.archive')).map(({ itemIds, archived }) => [itemIds.length, archived]), [[1, true], [1, false], [3, true], [3, false]]);
});

test('tasks of a gateway move by themselves before one\'s eyes, and not when one comes back', async (t) => {
  const page = await open(t, 'live', '#/tasks');
  await page.waitForSelector(`${column('inProgress')} ${card('in_mac:t4', { status: 'inProgress' })}`);
  const node = await page.locator(card('in_mac:t4')).elementHandle();
  await page.evaluate(() => window.acts.task('in_mac:t4', { status: 'done', summary: '214 of 214', endedAt: new Date().toISOString() }));
  // Looked at in each frame: the way lasts a third of a second.
  await page.waitForFunction((query) => document.querySelector(query)?.getAnimations().some(({ animationName }) => !animationName), `${column('done')} ${card('in_mac:t4')}`);
  assert.equal(await node.evaluate((each) => each.isConnected), true, 'the card itself moves');
  await page.evaluate(() => window.acts.task('in_mac:t4', { status: 'inProgress' }, true));
  await page.waitForSelector(`${column('inProgress')} ${card('in_mac:t4')}`);
  await page.waitForFunction((query) => document.querySelector(query).getAnimations().every(({ animationName }) => animationName), card('in_mac:t4'));
  assert.equal(await page.getAttribute(card('in_mac:t4'), 'draggable'), 'false');
});

test('a task is written down, changed, moved by keys and by pointer, and handed to an agent', async (t) => {
  const page = await open(t, 'live', '#/tasks');
  await page.waitForSelector(card('hub:t1'));
  await page.keyboard.press('n');
  await page.fill(by('task-title'), 'Paint the hull');
  await page.fill(by('task-description'), 'Two coats.');
  await page.selectOption(by('task-agent'), 'in_mac:juno');
  await page.click(by('task-save'));
  await page.waitForSelector(`${column('todo')} >> text=Paint the hull`);
  await page.waitForFunction(() => location.hash === '#/tasks' && !document.querySelector('dialog'));
  const id = await page.locator(by('task-card'), { hasText: 'Paint the hull' }).getAttribute('data-task-id');
  await page.focus(card(id));
  await page.keyboard.press('Shift+ArrowRight');
  await page.waitForSelector(`${column('inProgress')} ${card(id)}`);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.taskId), id);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForSelector(`${column('todo')} ${card(id)}`);
  // What was opened from the card gives the keyboard back to it.
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => location.hash === '#/tasks' && !document.querySelector('dialog'));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await page.evaluate(() => document.activeElement.dataset.taskId), id);
  await page.locator(card('hub:t2')).dragTo(page.locator(column('review')));
  await page.waitForSelector(`${column('review')} ${card('hub:t2')}`);
  await page.focus(card(id));
  await page.keyboard.press('Enter');
  await page.fill(by('task-title'), 'Paint the hull blue');
  await page.click(by('task-save'));
  await page.fill(by('dispatch-text'), 'Please paint it, twice.');
  await page.click(by('dispatch'));
  await page.waitForSelector(`${card(id)}[data-status=queued]`, { state: 'attached' });
  await page.keyboard.press('Escape');
  await page.waitForSelector(`${column('inProgress')} ${card(id, { status: 'inProgress' })}`);
  assert.equal(await page.getAttribute(`${card(id)} .task-talk`, 'href'), '#/c/in_mac%3Ajuno');
  assert.deepEqual(await asked(page, 'task.create'), [{ title: 'Paint the hull', description: 'Two coats.', agentId: 'in_mac:juno' }]);
  assert.deepEqual(await asked(page, 'task.update'), [
    { taskId: id, status: 'inProgress' }, { taskId: id, status: 'todo' }, { taskId: 'hub:t2', status: 'review' }, { taskId: id, title: 'Paint the hull blue' },
  ]);
  assert.deepEqual(await asked(page, 'task.dispatch'), [{ taskId: id, conversationId: 'in_mac:juno', text: 'Please paint it, twice.' }]);
});

/** Somebody else changes a task, or it moves by itself. */
const elsewhere = (page, id, patch) => page.evaluate(([task, fields]) => window.acts.task(task, fields), [id, patch]);

test('a task that was handed over is changed further without being taken back', async (t) => {
  const page = await open(t, 'live', '#/tasks/hub:t1');
  await page.click(by('dispatch'));
  await page.waitForFunction((query) => document.querySelector(query).value === 'inProgress', by('task-status'));
  await page.fill(by('task-title'), 'Ask Ada again');
  await page.click(by('task-save'));
  assert.deepEqual(await asked(page, 'task.update'), [{ taskId: 'hub:t1', title: 'Ask Ada again' }]);
  assert.equal(await page.locator(`${by('task-status')} option[value=queued]`).count(), 0);
});

test('what changes elsewhere while a task is open shows in it, and saving sends only what was changed here', async (t) => {
  const page = await open(t, 'live', '#/tasks/hub:t1');
  const value = (name) => page.inputValue(by(name));
  const is = (name, wanted) => page.waitForFunction(([query, words]) => document.querySelector(query).value === words, [by(name), wanted]);
  await page.fill(by('task-title'), 'Mine');
  await page.locator(by('task-title')).evaluate((input) => input.setSelectionRange(2, 2));
  await elsewhere(page, 'hub:t1', { title: 'Theirs', description: 'Their details', agentId: 'in_mac:juno', status: 'review' });
  await is('task-description', 'Their details');
  assert.deepEqual(await Promise.all(['task-title', 'task-agent', 'task-status'].map(value)), ['Mine', 'in_mac:juno', 'review']);
  assert.equal(await page.locator(by('task-title')).evaluate(({ selectionStart }) => selectionStart), 2);
  assert.equal(await value('dispatch-text'), 'Theirs\n\nTheir details');
  assert.equal(await value('dispatch-conversation'), 'in_mac:juno');
  await page.click(by('task-save'));
  // What was saved is not this person's change any more once the hub has it.
  await page.waitForFunction(() => window.otter.commands().get().length === 0);
  await elsewhere(page, 'hub:t1', { title: 'Theirs again' });
  await is('task-title', 'Theirs again');
  await page.fill(by('task-description'), 'My details');
  await page.click(by('task-save'));
  assert.deepEqual(await asked(page, 'task.update'), [{ taskId: 'hub:t1', title: 'Mine' }, { taskId: 'hub:t1', description: 'My details' }]);
});

test('what was saved without a connection can be changed back before it goes out', async (t) => {
  const page = await open(t, 'held', '#/tasks/hub:t1');
  const first = await page.inputValue(by('task-title'));
  await page.fill(by('task-title'), 'Another');
  await page.click(by('task-save'));
  await page.waitForFunction((query) => document.querySelector(query).disabled, by('task-save'));
  await page.fill(by('task-title'), first);
  await elsewhere(page, 'hub:t1', { description: 'Their details' });
  await page.waitForFunction((query) => document.querySelector(query).value === 'Their details', by('task-description'));
  assert.equal(await page.inputValue(by('task-title')), first);
  await page.click(by('task-save'));
  assert.deepEqual(await asked(page, 'task.update'), [{ taskId: 'hub:t1', title: 'Another' }, { taskId: 'hub:t1', title: first }]);
});

test('a change that is refused stays in the form as it was written', async (t) => {
  const page = await open(t, 'live', '#/tasks/hub:t1');
  await page.fill(by('task-title'), 'refuse this');
  await page.click(by('task-save'));
  await page.locator(by('notice')).filter({ hasText: 'The task was not changed' }).waitFor();
  assert.equal(await page.inputValue(by('task-title')), 'refuse this');
  assert.equal(await page.isEnabled(by('task-save')), true);
});

test('texts of a task are measured as the hub measures them, and too long ones stay in the open form', async (t) => {
  const page = await open(t, 'live', '#/tasks/new');
  const left = (name) => page.locator(`label:has(${by(name)}) .field-left`);
  await page.fill(by('task-title'), '🦦'.repeat(300));
  assert.equal(await left('task-title').textContent(), '0 characters left');
  await page.fill(by('task-description'), 'ж'.repeat(2800));
  assert.equal(await left('task-description').textContent(), '544 bytes left');
  await page.fill(by('task-description'), 'ж'.repeat(3100));
  assert.equal(await left('task-description').textContent(), 'Too long: 6.1 of 6 KB');
  await page.locator('dialog [role=status]').filter({ hasText: 'Details: Too long' }).waitFor({ state: 'attached' });
  await picture(page, 'task-too-long');
  await page.focus(by('task-title'));
  await page.keyboard.press('Enter');
  await page.click(by('task-save'));
  assert.equal((await page.inputValue(by('task-description'))).length, 3100);
  assert.deepEqual(await asked(page, 'task.create'), []);
  await page.fill(by('task-description'), 'ж'.repeat(3072));
  await page.fill(by('task-title'), '🦦'.repeat(301));
  await page.click(by('task-save'));
  assert.deepEqual(await asked(page, 'task.create'), []);
  await page.fill(by('task-title'), '🦦'.repeat(300));
  await page.click(by('task-save'));
  assert.deepEqual((await asked(page, 'task.create')).map(({ title, description }) => [[...title].length, description.length]), [[300, 3072]]);
});

test('a refused task keeps its words until it is tried again or dismissed', async (t) => {
  const page = await open(t, 'live', '#/tasks/new');
  await page.fill(by('task-title'), 'refuse to paint');
  await page.click(by('task-save'));
  const refused = page.locator(by('task-card', { stage: 'refused' }));
  await refused.waitFor();
  assert.match(await refused.textContent(), /refuse to paint.*Not changed: the hub refuses everything that says so/);
  await page.click(`${by('notice')} >> text=Try again`);
  await page.waitForSelector(`${column('todo')} >> text=accept to paint`);
  assert.equal(await refused.count(), 0);
});

test('a hand-over that its machine refused is told on the card, with a way to try again', async (t) => {
  const page = await open(t, 'live', '#/tasks');
  await page.waitForSelector(card('hub:t1'));
  await page.evaluate(() => {
    const command = { kind: 'task.dispatch', entity: 'task/hub:t1', stage: 'rejected', error: { code: 'forbidden', message: 'the policy of this machine allows no tasks' }, issuedAt: new Date().toISOString() };
    window.fake.push({ put: [['org', 'command/c1', 9000, true, command]] });
  });
  await page.waitForSelector(`${card('hub:t1')} >> text=Not handed over: the policy of this machine allows no tasks`);
  await page.focus(card('hub:t1'));
  await page.keyboard.press('d');
  await page.waitForSelector(by('dispatch'));
});

test('a link to a task opens it; a phone shows one column at a time', async (t) => {
  const page = await open(t, 'live', '#/tasks/in_mac:t9', PHONE);
  assert.match(await page.textContent(by('task-dialog')), /Book the ferry to Årø.*Failed.*sub-agent.*the booking page wants a captcha.*Its gateway moves this task by itself/s);
  await page.tap('[aria-label="Close"]:visible');
  assert.equal(await page.isVisible(column('todo')), true);
  assert.equal(await page.isVisible(column('review')), false);
  await page.tap('.column-tabs [data-column=review]');
  await page.waitForSelector(`${column('review')} ${card('hub:t6')}`);
  assert.equal(await page.isVisible(column('todo')), false);
});

test('every page is loading before it is empty', async (t) => {
  const loading = await open(t, 'loading', '#/feed');
  await loading.waitForSelector(`${by('feed-empty')} >> text=Looking at the feed`);
  await loading.click(by('nav-fleet'));
  await loading.waitForSelector(`${by('fleet-empty')} >> text=Looking for machines`);
  const empty = await open(t, 'empty', '#/feed');
  await empty.waitForSelector(`${by('feed-empty')} >> text=All quiet on the river`);
  await empty.click(by('nav-tasks'));
  await empty.waitForSelector(`${column('todo')} >> text=Nothing to do.`);
  await empty.click(by('nav-fleet'));
  await empty.click(by('fleet-add'));
  await empty.waitForSelector('text=otter-server instance add --name laptop');
});
