/** What the preview's org has beside talks: tasks, a feed, what happened, entities of an integrator, marks, people. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const MARA = { type: 'member', id: 'mb_mara', name: 'Mara' };
const TOM = { type: 'member', id: 'mb_tom', name: 'Tom' };

/** @param {(ms?: number) => string} at @returns {[string, any][]} */
export const orgRows = (at) => [...tasks(at), ...feed(at), ...happened(at), ...vendor(at)];

/** @param {(ms?: number) => string} at @returns {[string, any][]} what Mara has read of the feed */
export const marks = (at) => ['f4', 'f5', 'f6', 'f8', 'f9'].map((id) => [`mark/in_mac:${id}`, { target: 'feed', readAt: at(-HOUR) }]);

/** @param {(ms?: number) => string} at */
export const people = (at) => [
  { memberId: 'mb_mara', name: 'Mara', state: 'online', since: at(-25 * MINUTE) },
  { memberId: 'mb_tom', name: 'Tom', state: 'online', since: at(-8 * MINUTE) },
  { memberId: 'mb_ines', name: 'Inês', state: 'online', since: at(-3 * HOUR) },
];

/** @param {(ms?: number) => string} at @returns {[string, any][]} */
function tasks(at) {
  const person = (/** @type {string} */ id, /** @type {any} */ rest) => /** @type {[string, any]} */ ([`task/hub:${id}`, { origin: 'person', by: MARA, ...rest }]);
  const gateway = (/** @type {string} */ id, /** @type {any} */ rest) => /** @type {[string, any]} */ ([`task/in_mac:${id}`, { origin: 'gateway', instanceId: 'in_mac', ...rest }]);
  return [
    person('t1', { title: 'Write the release notes of 0.4', description: 'From the changelog, one paragraph for people who never read changelogs, then the list.\n\nTone: plain and short.', status: 'todo', agentId: 'in_mac:ada', createdAt: at(-40 * MINUTE) }),
    person('t2', { title: 'Ask the harbour office about the winter berth', status: 'todo', by: TOM, createdAt: at(-5 * HOUR) }),
    person('t3', { title: 'Find out why the Pi loses its clock', status: 'queued', agentId: 'in_mac:juno', instanceId: 'in_mac', conversationId: 'in_mac:juno', by: TOM, createdAt: at(-3 * HOUR), dispatchedAt: at(-4 * MINUTE) }),
    gateway('t4', { title: 'Run the whole suite on the release branch', taskKind: 'subagent', status: 'inProgress', agentId: 'in_mac:ada', conversationId: 'in_mac:ada', runId: 'in_mac:r3', summary: '131 of 214 tests, otter-server is next', createdAt: at(-6 * MINUTE), startedAt: at(-5 * MINUTE) }),
    gateway('t5', { title: 'Morning mail round', taskKind: 'cron', status: 'inProgress', agentId: 'in_mac:mail', conversationId: 'in_mac:mail', summary: 'reading 14 new mails', createdAt: at(-2 * MINUTE), startedAt: at(-2 * MINUTE) }),
    person('t6', { title: 'Compare three heat pumps for the boat shed', description: 'Noise matters more than price.', status: 'review', agentId: 'in_mac:juno', instanceId: 'in_mac', conversationId: 'in_mac:juno', runId: 'in_mac:j7', summary: 'The smaller one is enough if you insulate the roof first. A table with noise, price and efficiency is in the conversation.', createdAt: at(-DAY), startedAt: at(-3 * HOUR), endedAt: at(-HOUR) }),
    person('t7', { title: 'Rotate the signing key of the bridge', status: 'done', createdAt: at(-2 * DAY), endedAt: at(-DAY), by: TOM }),
    gateway('t8', { title: 'Nightly backup check', taskKind: 'cron', status: 'done', agentId: 'in_mac:ada', summary: 'restored 3 of 3 databases, hashes equal', createdAt: at(-9 * HOUR), startedAt: at(-9 * HOUR), endedAt: at(-9 * HOUR + 3 * MINUTE) }),
    gateway('t9', { title: 'Book the ferry to Årø', taskKind: 'subagent', status: 'failed', agentId: 'in_mac:juno', summary: 'the booking page wants a captcha', createdAt: at(-7 * HOUR), startedAt: at(-7 * HOUR), endedAt: at(-7 * HOUR + 50_000) }),
    person('t10', { title: 'Move the old wiki', status: 'cancelled', createdAt: at(-6 * DAY), endedAt: at(-2 * DAY) }),
  ];
}

/** @param {(ms?: number) => string} at @returns {[string, any][]} */
function feed(at) {
  const item = (/** @type {string} */ id, /** @type {number} */ ms, /** @type {any} */ rest) => /** @type {[string, any]} */ ([`feedItem/in_mac:${id}`, { instanceId: 'in_mac', occurredAt: at(ms), ...rest }]);
  return [
    item('f1', -3 * MINUTE, { category: 'alert', severity: 'critical', title: 'Disk of the Boat shed Pi is 97 % full', body: 'The log of the camera grew by **4.1 GB** since yesterday. `/var/log/motion` is the largest folder.', from: 'disk watch', agentId: 'in_mac:ada' }),
    item('f2', -11 * MINUTE, { category: 'email', from: 'Harbour office <office@harbour.example>', title: 'Your berth from November', body: 'Dear Mara,\n\nberth **C 14** is free from 1 November until 31 March. The crane is booked for the 28th at nine.\n\nPlease confirm by Friday.\n\nKind regards,\nJette', agentId: 'in_mac:mail' }),
    item('f3', -26 * MINUTE, { category: 'market', symbol: 'OTTR', title: 'Otter Instruments rises after its quarter', price: '41.20 USD', change: '+3.4 %', from: 'market watch', url: 'https://example.org/quotes/ottr' }),
    item('f4', -55 * MINUTE, { category: 'social', from: 'River Watch', handle: '@riverwatch', title: 'A family of five near the old mill', body: 'Counted **five** otters near the old mill this morning, two of them young. Best year since 1998', url: 'https://example.org/@riverwatch/1' }),
    item('f5', -2 * HOUR, { category: 'market', symbol: 'BRENT', title: 'Brent falls below its average of 50 days', price: '71.88 USD', change: '-1.9 %', from: 'market watch' }),
    item('f6', -4 * HOUR, { category: 'custom', title: 'Bathymetry of the outer harbour is new', body: 'The survey of last week is online.', from: 'chart service', detail: '{"area":"DK-0214","depthMin":2.1,"depthMax":11.4,"tiles":48,"license":"CC BY 4.0"}', agentId: 'in_mac:juno', url: 'https://example.org/charts/dk-0214' }),
    item('f7', -9 * HOUR, { category: 'alert', severity: 'warning', title: 'Three sign-ins from a new place', body: 'All three came from the ferry. If that was you, there is nothing to do.', from: 'sign-in watch' }),
    item('f8', -20 * HOUR, { category: 'email', from: 'Anders', title: 'Re: insulation', body: 'Sheep wool it is. I can bring two rolls on Saturday.', agentId: 'in_mac:mail' }),
    item('f9', -27 * HOUR, { category: 'alert', severity: 'info', title: 'The backup of Tuesday was restored as a test', body: 'Three of three databases, 41 s.', from: 'backup' }),
    item('f10', -30 * HOUR, { category: 'email', from: 'Newsletter of the week', title: '17 knots you never knew', body: 'Unsubscribe below.', archived: true, archivedBy: TOM, archivedAt: at(-29 * HOUR) }),
  ];
}

/** @param {(ms?: number) => string} at @returns {[string, any][]} */
function happened(at) {
  const activity = (/** @type {string} */ id, /** @type {number} */ ms, /** @type {any} */ rest) => /** @type {[string, any]} */ ([`activity/in_mac:${id}`, { instanceId: 'in_mac', occurredAt: at(ms), ...rest }]);
  return [
    activity('a1', -2 * MINUTE, { category: 'cron', title: 'Morning mail round began', agentId: 'in_mac:mail', conversationId: 'in_mac:mail' }),
    activity('a2', -70 * MINUTE, { category: 'deploy', title: 'Site deployed to production', status: 'completed', durationMs: 94_000, agentId: 'in_mac:ada', detail: 'revision 7c1e02a, 0 errors after 5 min' }),
    activity('a3', -9 * HOUR, { category: 'cron', title: 'Nightly backup check', status: 'completed', durationMs: 181_000, agentId: 'in_mac:ada' }),
    activity('a4', -31 * HOUR, { category: 'hook', title: 'Camera hook did not answer', status: 'failed', durationMs: 30_000, detail: 'connect timed out after 30 s' }),
    ['repo/in_mac:p1', { repository: 'otter/hub', branch: 'main', by: 'Tom', url: 'https://example.org/otter/hub/compare', commitCount: 2, pushedAt: at(-22 * MINUTE), commits: [{ id: '7c1e02a9d1', title: 'Fixtures of the state folder are complete', author: 'Tom' }, { id: '19bb0e41f7', title: 'Schema: a merge of an absent entity does nothing', author: 'Ada' }] }],
    ['repo/in_mac:p2', { repository: 'otter/site', branch: 'winter', by: 'Ada', commitCount: 34, pushedAt: at(-2 * DAY), commits: [{ id: 'ab01cd23ef', title: 'Berths have their own page', author: 'Ada' }] }],
  ];
}

/** @param {(ms?: number) => string} at @returns {[string, any][]} */
function vendor(at) {
  return [
    ['x.acme.sensor/in_mac:s1', { name: 'Bilge', celsius: '7.4', wet: false, readAt: at(-40_000) }],
    ['x.acme.sensor/in_mac:s2', { name: 'Cabin', celsius: '18.1', wet: false, readAt: at(-40_000), battery: '81 %' }],
    ['x.acme.deployment/in_mac:01a216ee-5bab-7000-8000-000000000001.production.eu-central-1', { service: 'otter-server', revision: '7c1e02a9d4f8b3316a5c20e79f44d1b08c6e5a72', environment: 'production', state: 'live', startedAt: at(-HOUR), endedAt: at(-HOUR + 94_000), by: 'Tom', url: 'https://example.org/deployments/01a216ee-5bab-7000-8000-000000000001' }],
    ['x.acme.door/in_mac:d1', { open: true, since: at(-3 * HOUR), by: { name: 'Tom' } }],
  ];
}
