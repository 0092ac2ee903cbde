// The console beside its conversations, on a scripted core: the shell, the list of conversations, the fleet, the keyboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by } from './harness/browser.mjs';
import { faintTexts, namelessControls } from './harness/contrast.mjs';
import { DESKTOP, asked, has, previewRoom } from './harness/preview.mjs';

const { open } = previewRoom();
const INPUT = by('composer-input');
const row = (id) => by('conversation-row', { conversationId: id });
const ADA = 'in_mac:ada';
const JUNO = 'in_mac:juno';
const MAIL = 'in_mac:mail';
const SMALL_PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

const count = (page, selector) => page.locator(selector).count();
const order = (page) => page.locator(by('conversation-row')).evaluateAll((rows) => rows.map(({ dataset }) => dataset.conversationId));
const focused = (page) => page.evaluate(() => document.activeElement.dataset.conversationId ?? document.activeElement.textContent.slice(0, 40));

test('each page has an address: links, keys and the back button agree, and the keyboard follows', async (t) => {
  const page = await open(t, 'approvals', '#/feed');
  await page.waitForFunction(() => document.title === '(3) Feed · Otter');
  await page.click(by('nav-tasks'));
  assert.deepEqual([await page.textContent('main h1'), new URL(page.url()).hash, await focused(page)], ['Tasks', '#/tasks', 'Tasks']);
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForSelector(by('fleet-card'));
  assert.equal(await page.getAttribute(by('nav-fleet'), 'aria-current'), 'page');
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('main h1').textContent === 'Tasks');
  await page.goBack();
  await page.waitForSelector(by('feed-item'));
  await page.evaluate(() => (location.hash = '#/nonsense/%zz'));
  await page.waitForSelector(INPUT);
  await page.reload();
  await page.waitForSelector(INPUT);
});

test('counts tell what waits, also after a reload and in the title while nobody looks', async (t) => {
  const page = await open(t, 'approvals', '#/fleet');
  const counts = () => page.evaluate(() => Object.fromEntries(['unread-total', 'approvals-badge', 'tasks-badge', 'feed-badge', 'fleet-badge'].map((id) => [id, Number(document.querySelector(`[data-testid=${id}]`).dataset.count)])));
  const expected = { 'unread-total': 3, 'approvals-badge': 3, 'tasks-badge': 1, 'feed-badge': 4, 'fleet-badge': 2 };
  await page.waitForSelector(by('fleet-card'));
  assert.deepEqual(await counts(), expected);
  assert.match(await page.textContent(by('nav-approvals')), /3 wait for you/);
  await page.reload();
  await page.waitForSelector(by('fleet-card'));
  assert.deepEqual(await counts(), expected);
  // Read elsewhere: the badge of this page follows without anything being opened.
  await page.evaluate(() => window.fake.push({ put: [['member/self', 'mark/in_mac:juno', 9001, true, { target: 'conversation', messageCount: 12 }]] }));
  await has(page, by('unread-total'), 'data-count', '0');
  assert.equal(await page.isVisible(by('unread-total')), false);
  const icon = () => page.getAttribute('link[rel=icon]', 'href');
  assert.match(await icon(), /otter\.svg$/);
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await page.waitForFunction(() => document.querySelector('link[rel=icon]').href.startsWith('data:image/png'));
});

test('the switcher goes to conversations, agents and pages by some letters', async (t) => {
  const page = await open(t, 'live', `#/c/${MAIL}`);
  await page.focus(INPUT);
  await page.keyboard.type('a/b');
  assert.equal(await page.inputValue(INPUT), 'a/b');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('lake trail');
  await page.waitForFunction((option) => document.querySelectorAll(option).length === 1, by('switcher-option'));
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('main h1').textContent === 'Trails near the lake');
  await page.locator('main h1').click();
  await page.keyboard.press('/');
  await page.keyboard.type('juno');
  await page.waitForSelector(`${by('switcher-option', { kind: 'agent' })} >> text=Juno`);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('flee');
  await page.keyboard.press('Enter');
  await page.waitForSelector(by('fleet-card'));
  await page.keyboard.press('?');
  await page.waitForSelector(by('help-dialog'));
});

test('the keyboard filters, opens and walks the conversations', async (t) => {
  const page = await open(t, 'live', `#/c/${ADA}`);
  await page.locator('main h1').click();
  await page.keyboard.press('f');
  await page.keyboard.type('trail');
  assert.equal(await count(page, by('conversation-row')), 1);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('main h1').textContent === 'Trails near the lake');
  await page.locator('main h1').click();
  await page.keyboard.press('f');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const ids = await order(page);
  assert.equal(await focused(page), ids[2]);
  await page.keyboard.press('k');
  assert.equal(await focused(page), ids[1]);
  await page.keyboard.press('Enter');
  await page.waitForFunction((id) => location.hash === `#/c/${encodeURIComponent(id)}`, ids[1]);
  await page.focus(INPUT);
  await page.keyboard.press('Alt+ArrowUp');
  await page.waitForFunction((id) => location.hash === `#/c/${encodeURIComponent(id)}`, ids[0]);
});

test('a conversation is renamed, pinned, put into a folder and away at once; what is refused keeps its words', async (t) => {
  const page = await open(t, 'live', `#/c/${ADA}`);
  const act = async (id, label) => {
    await page.click(row(id), { button: 'right' });
    await page.click(`.menu >> text="${label}"`);
  };
  await page.waitForSelector(row(JUNO));
  assert.deepEqual(await page.locator(row(JUNO)).evaluate(({ dataset }) => [dataset.unread, dataset.pinned]), ['3', undefined]);
  await act(JUNO, 'Mark read');
  await has(page, row(JUNO), 'data-unread', '0');
  await act(MAIL, 'Pin to the top');
  await has(page, row(MAIL), 'data-pinned', 'true');
  assert.ok((await order(page)).indexOf(MAIL) < (await order(page)).indexOf(JUNO));
  await act(JUNO, 'Rename…');
  await page.keyboard.type('Boat shed heat');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`${row(JUNO)} >> text=Boat shed heat`);
  await act(JUNO, 'New folder…');
  await page.keyboard.type('House');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-section="House"]');
  await act(JUNO, 'Archive');
  await page.waitForSelector(row(JUNO), { state: 'detached' });
  await page.click('[data-section="Archived"] button');
  await has(page, row(JUNO), 'data-archived', 'true');
  await act(ADA, 'Rename…');
  await page.keyboard.type('refuse this title');
  await page.keyboard.press('Enter');
  await has(page, row(ADA), 'data-stage', 'refused');
  assert.match(await page.textContent(row(ADA)), /Release 0\.4/);
  const notice = page.locator(by('notice', { tone: 'bad' }));
  assert.match(await notice.textContent(), /The conversation was not changed.*The hub refuses everything that says so\./);
  await notice.locator('text=Try again').click();
  await page.waitForSelector(`${row(ADA)} >> text=accept this title`);
  assert.equal(await notice.count(), 0);
  assert.deepEqual((await asked(page, 'conversation.update')).slice(0, 4), [
    { conversationId: MAIL, pinned: true }, { conversationId: JUNO, title: 'Boat shed heat' }, { conversationId: JUNO, folder: 'House' }, { conversationId: JUNO, archived: true },
  ]);
});

test('thousands of conversations: a screenful in the page, more while one scrolls, found at once', async (t) => {
  const page = await open(t, 'many', `#/c/${ADA}`);
  await page.waitForSelector(row('in_mac:c1'));
  const first = await count(page, by('conversation-row'));
  assert.ok(first <= 80, `${first} rows`);
  // Rows that are made do not arrange the list anew, each for itself.
  await page.evaluate(() => {
    const { entity } = window.otter;
    window.looks = 0;
    window.otter.entity = (...of) => ((window.looks += 1), entity(...of));
  });
  await page.locator('.conversations-scroll').evaluate((scroller) => (scroller.scrollTop = scroller.scrollHeight));
  await page.waitForFunction((rows) => document.querySelectorAll('[data-testid=conversation-row]').length > rows, first);
  const looks = await page.evaluate(() => window.looks);
  assert.ok(looks < 20_000, `${looks} looks at entities`);
  const before = await page.locator('.conversations-scroll').evaluate(({ scrollTop }) => scrollTop);
  await page.evaluate(() => {
    const { left, top } = document.querySelector('.conversations-scroll').getBoundingClientRect();
    document.elementFromPoint(left + 60, top + 200).click();
  });
  await page.waitForFunction((id) => !location.hash.includes(encodeURIComponent(id)), ADA);
  assert.equal(await page.locator('.conversations-scroll').evaluate(({ scrollTop }) => scrollTop), before);
  const ms = await page.evaluate(() => {
    const filter = document.querySelector('[data-filter]');
    const once = (value) => {
      const begun = performance.now();
      filter.value = value;
      filter.dispatchEvent(new Event('input'));
      return performance.now() - begun;
    };
    return Math.min(...['ferry 299', 'ferry 29', 'ferry 2999'].map(once));
  });
  assert.deepEqual(await order(page), ['in_mac:c2999']);
  assert.ok(ms < 400, `${ms} ms`);
});

test('rows do not move under a pointer; they take their places when it rests', async (t) => {
  const page = await open(t, 'live', `#/c/${ADA}`);
  await page.waitForSelector(row(JUNO));
  const before = await order(page);
  const box = await page.locator(row(JUNO)).boundingBox();
  await page.mouse.move(box.x + 20, box.y + 10);
  await page.mouse.move(box.x + 24, box.y + 12);
  await page.evaluate(() => {
    const { id: _, ...mail } = window.otter.entity('conversation', 'in_mac:mail').get();
    window.fake.push({ put: [['org', 'conversation/in_mac:mail', 9000, true, { ...mail, lastMessage: { ...mail.lastMessage, sentAt: new Date().toISOString(), head: 'a new mail' } }]] });
  });
  await page.waitForSelector(`${row(MAIL)} >> text=a new mail`);
  assert.deepEqual(await order(page), before);
  await page.mouse.move(700, 400);
  await page.waitForFunction((old) => [...document.querySelectorAll('[data-testid=conversation-row]')].map(({ dataset }) => dataset.conversationId).join() !== old, before.join());
});

test('people who are here are shown by name, without oneself, and nobody while the connection is down', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(by('presence-member', { memberId: 'mb_tom' }));
  assert.deepEqual(await page.locator(by('presence-member')).evaluateAll((faces) => faces.map(({ dataset }) => dataset.memberId)), ['mb_ines', 'mb_tom']);
  await page.click(by('people'));
  assert.match(await page.textContent('.people-list'), /Inês.*Mara \(you\).*Tom.*Per.*viewer · not here/);
  await page.keyboard.press('Escape');
  await page.evaluate(() => window.fake.push({ scopes: { org: { phase: 'stale', reason: 'closed' } } }));
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=presence-member]').length === 0);
});

test('the connection is told as it is, and what is old is shown with its age on every page', async (t) => {
  const page = await open(t, 'stale', '#/tasks');
  await page.waitForSelector(by('connection', { phase: 'waiting' }));
  assert.match(await page.textContent(by('connection')), /Reconnecting in \d s/);
  await page.waitForFunction((said) => document.querySelector(said).textContent === 'The connection is lost', by('announcer'));
  assert.equal(await page.locator('[role=status]', { hasText: 'Reconnecting' }).count(), 0, 'seconds are not read out');
  for (const name of ['tasks', 'feed', 'fleet', 'approvals']) {
    await page.click(by(`nav-${name}`));
    assert.match(await page.textContent('.stale:visible'), /the hub went silent\. You see what was known 2 min ago\.$/);
  }
});

test('the fleet keeps its three things apart, each with its age', async (t) => {
  const page = await open(t, 'live', '#/fleet');
  const axes = (id) => page.locator(`${by('fleet-card', { instanceId: id })} .axis`).allTextContents();
  await page.waitForSelector(by('fleet-card', { instanceId: 'in_mac', connection: 'online', gateway: 'online' }));
  assert.deepEqual(await axes('in_pi'), ['Hubonline, silent for 2 min  ', 'Gatewayasks for pairing  ']);
  assert.deepEqual(await axes('in_old'), ['Huboffline closed its lid 1 d ago', 'Gatewayonline OpenClaw 2026.9.2 · when last seen ']);
  assert.equal(await page.textContent(`${by('fleet-card', { instanceId: 'in_pi' })} .command code`), 'openclaw devices approve 7f3a-91c2');
  const facts = await page.locator(`${by('fleet-card', { instanceId: 'in_pi' })} [data-fact]`).evaluateAll((boxes) => boxes.filter(({ hidden }) => !hidden).map(({ textContent }) => textContent));
  assert.deepEqual(facts, ['Bridge0.1.0', 'Open runs0', 'Waits to be sent12']);
  await page.click(`${by('fleet-card', { instanceId: 'in_mac' })} ${by('agent-row')}`);
  await page.waitForSelector(INPUT);
});

test('a machine that goes silent is said to be, for how long by minutes, and is heard again', async (t) => {
  // This scene has one heartbeat, at its beginning.
  const page = await open(t, 'busy', '#/fleet', { ...DESKTOP, ownClock: true });
  const card = by('fleet-card', { instanceId: 'in_mac' });
  const hub = async () => (await page.locator(`${card} [data-axis=hub]`).textContent()).replace('Hub', '').trim();
  const after = async (seconds) => {
    await page.clock.runFor(seconds * 1000);
    return [await hub(), await page.locator(card).getAttribute('data-silent')];
  };
  await page.waitForSelector(card);
  await page.clock.pauseAt(await page.evaluate(() => Date.now() + 1000));
  assert.match((await after(30))[0], /^online heard 3[0-9] s ago$/);
  assert.deepEqual(await after(60), ['online, silent for 1 min', '']);
  assert.deepEqual(await after(13 * 60), ['online, silent for 14 min', '']);
  // What its agents said is as old as it is, and is another thing.
  assert.match(await page.locator(`${card} ${by('agent-row', { agentId: 'in_mac:ada' })}`).textContent(), /busy for 17 min · building the release/);
  await page.evaluate(() => window.fake.push({ signals: [['org', 'instance.heartbeat', 'in_mac', { instanceId: 'in_mac', at: new Date().toISOString(), outbox: { pending: 0, dead: 0 } }]] }));
  assert.deepEqual(await after(1), ['online heard just now', null]);

  // While this page hears nothing itself it does not say that others are silent: all it shows is as old as that.
  await page.evaluate(() => window.fake.push({ connection: { phase: 'waiting', reason: 'heartbeat', code: 1006, since: Date.now(), attempt: 1, nextRetryAt: null, roundTripMs: null }, scopes: { org: { phase: 'stale', reason: 'heartbeat' } } }));
  const [words, silent] = await after(5 * 60);
  assert.deepEqual([words, silent], ['online heard 5 min ago', null]);
  assert.match(await page.textContent('.stale:visible'), /You see what was known 5 min ago\.$/);
  assert.match(await page.locator(`${card} ${by('agent-row', { agentId: 'in_mac:ada' })}`).textContent(), /busy when last seen · building the release/);
});

test('the filter for what is unread is pressed only while it is on', async (t) => {
  const page = await open(t, 'live', `#/c/${ADA}`);
  const [filter, group] = [page.locator(by('unread-only')), page.locator('.side-head button').last()];
  const look = (button) => button.evaluate((each) => [getComputedStyle(each).backgroundColor, getComputedStyle(each).borderColor]);
  assert.deepEqual(await look(filter), await look(group));
  await filter.click();
  await page.mouse.move(700, 500);
  assert.equal(await filter.getAttribute('aria-pressed'), 'true');
  assert.notDeepEqual(await look(filter), await look(group));
  assert.deepEqual(await order(page), [JUNO]);
});

test('a table of an integrator keeps what a row is in sight, whatever its id and its fields are', async (t) => {
  const page = await open(t, 'live', '#/fleet/data', SMALL_PHONE);
  const table = page.locator(by('vendor-table', { type: 'x.acme.deployment' }));
  const id = table.locator('tbody th');
  await id.waitFor();
  const box = async () => id.evaluate((cell) => [cell.getBoundingClientRect().left - cell.closest('.table-box').getBoundingClientRect().left, cell.getBoundingClientRect().width / innerWidth < 0.5]);
  const before = await box();
  await table.locator('.table-box').evaluate((scroller) => (scroller.scrollLeft = 10_000));
  assert.deepEqual([await box(), before[1]], [before, true]);
  assert.equal(await id.getAttribute('title'), 'in_mac:01a216ee-5bab-7000-8000-000000000001.production.eu-central-1');
  const widths = await table.locator('tbody td').evaluateAll((cells) => cells.map((cell) => cell.offsetWidth <= 240));
  assert.deepEqual(new Set(widths), new Set([true]));
});

test('a machine is removed only when its name was typed', async (t) => {
  const page = await open(t, 'live', '#/fleet');
  const card = by('fleet-card', { instanceId: 'in_old' });
  await page.click(`${card} [aria-label="Actions for Old ThinkPad"]`);
  await page.click('.menu >> text=Remove from the org');
  await page.fill(by('remove-name'), 'old thinkpad');
  assert.equal(await page.isDisabled(by('remove-confirm')), true);
  await page.fill(by('remove-name'), 'Old ThinkPad');
  await page.click(by('remove-confirm'));
  await page.waitForSelector(card, { state: 'detached' });
  assert.deepEqual(await asked(page, 'instance.remove'), [{ instanceId: 'in_old' }]);
});

test('activity, pushes and rows of integrators are on the fleet page as soon as they are known', async (t) => {
  const page = await open(t, 'live', '#/fleet/activity');
  await page.waitForSelector(by('activity-row', { status: 'failed' }));
  await page.click(by('fleet-tab', { tab: 'pushes' }));
  assert.equal(await page.getAttribute(`${by('repo-row')} a`, 'rel'), 'noopener noreferrer');
  await page.click(by('fleet-tab', { tab: 'data' }));
  await page.waitForSelector(by('vendor-table', { type: 'x.acme.sensor' }));
  await page.evaluate(() => window.fake.push({ put: [['org', 'x.acme.pump/in_mac:p1', 9000, true, { running: true, litres: 12 }]] }));
  assert.match(await page.textContent(by('vendor-table', { type: 'x.acme.pump' })), /machinelitresrunning.*p1Studio Mac12true/);
});

test('a critical alert is told on every other page, when it happens and not when it was missed', async (t) => {
  const page = await open(t, 'live', '#/fleet');
  await page.waitForSelector(by('fleet-card'));
  const alert = (id, replayed) => page.evaluate(([name, again]) => window.acts.feedItem(name, { category: 'alert', severity: 'critical', title: `Fire in ${name}` }, again), [id, replayed]);
  await alert('galley', true);
  await alert('cabin', false);
  await page.click(`${by('notice')} >> text=Look`);
  await page.waitForSelector(by('feed-item', { itemId: 'in_mac:galley' }));
  assert.equal(await count(page, by('notice')), 0);
});

test('a viewer looks and cannot change anything', async (t) => {
  const page = await open(t, 'viewer', '#/tasks');
  await page.waitForSelector(by('task-card'));
  assert.equal(await page.isVisible(by('task-new')), false);
  await page.click(by('nav-feed'));
  await page.waitForSelector(by('feed-item'));
  assert.equal(await page.isVisible(by('feed-archive-all')), false);
  await page.click(by('nav-fleet'));
  await page.click('[aria-label="Actions for Studio Mac"]');
  assert.equal(await count(page, '.menu >> text=Remove'), 0);
});

test('the theme is chosen by hand and stays', async (t) => {
  const page = await open(t, 'live', '#/feed', { colorScheme: 'light' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.click(by('self'));
  await page.click('.menu >> text="Dark"');
  const dark = await paper();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await paper(), dark);
});

for (const colorScheme of ['light', 'dark']) {
  test(`everything can be read and has a name, ${colorScheme}`, async (t) => {
    const page = await open(t, 'approvals', '#/', { colorScheme });
    for (const hash of [`#/c/${ADA}`, '#/approvals', '#/tasks', '#/feed', '#/fleet', '#/fleet/activity', '#/fleet/data', '#/tasks/hub:t1']) {
      await page.evaluate((to) => (location.hash = to), hash);
      await page.waitForTimeout(250);
      await page.waitForFunction(() => document.getAnimations().every(({ playState, effect }) => playState !== 'running' || effect.getComputedTiming().iterations === Infinity));
      assert.deepEqual([hash, await faintTexts(page)], [hash, []]);
      assert.deepEqual([hash, await namelessControls(page)], [hash, []]);
    }
  });
}

test('everything that can be pressed is reached by Tab, and what has the keyboard is seen', async (t) => {
  const page = await open(t, 'live', '#/feed');
  await page.waitForSelector(by('feed-item'));
  const missed = await page.evaluate(() => [...document.querySelectorAll('.shell :is(button, a[href], input, select, textarea)')].filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex < 0).map(({ outerHTML }) => outerHTML.slice(0, 80)));
  assert.deepEqual(missed, []);
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  for (let n = 0; n < 30; n += 1) {
    await page.keyboard.press('Tab');
    const seen = await page.evaluate(() => {
      const { width, height } = document.activeElement.getBoundingClientRect();
      const { outlineStyle, opacity } = getComputedStyle(document.activeElement);
      return width > 0 && height > 0 && opacity === '1' && outlineStyle !== 'none';
    });
    assert.ok(seen, await page.evaluate(() => document.activeElement.outerHTML.slice(0, 120)));
  }
});

test('a phone shows every page in its width, with the way between them at the thumb', async (t) => {
  const page = await open(t, 'approvals', '#/', SMALL_PHONE);
  for (const name of ['conversations', 'approvals', 'tasks', 'feed', 'fleet']) {
    await page.tap(by(`nav-${name}`));
    await page.waitForTimeout(150);
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, Math.max(...[...document.querySelectorAll('.page, .side, .page-scroll > *')].filter((each) => each.checkVisibility()).map((each) => each.getBoundingClientRect().right))]);
    assert.ok(Math.max(...width) <= 360.5, `${name}: ${width}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight), `${name} scrolls as a whole`);
    const bar = await page.locator('.nav').boundingBox();
    assert.ok(bar.y + bar.height >= 739 && bar.height >= 48, name);
  }
});
