/** More of everything for the preview: thousands of conversations, and a world that goes on by itself. */

const MINUTE = 60_000;
const TOPICS = ['Winter berth', 'Backups', 'Heat pump', 'Invoices', 'Bathymetry', 'Camera', 'Release', 'Mooring', 'Insulation', 'Ferry'];
const FOLDERS = [null, null, null, 'Boat', 'House', null, 'Work'];

/** @param {(ms?: number) => string} at @returns {[string, any][]} */
export function manyConversations(at) {
  return Array.from({ length: 3000 }, (_, n) => {
    const author = { type: 'agent', id: 'in_mac:juno' };
    const lastMessage = { id: `m${n}`, author, sentAt: at(-n * 7 * MINUTE - 3 * MINUTE), head: `Number ${n} of many things that were said about it.` };
    return [`conversation/in_mac:c${n}`, {
      instanceId: 'in_mac', agentId: n % 3 ? 'in_mac:juno' : 'in_mac:ada', address: { kind: 'session' }, derivedTitle: `${TOPICS[n % TOPICS.length]} ${n}`,
      messageCount: n % 11 === 0 ? 3 : 0, activeRun: null, folder: FOLDERS[n % FOLDERS.length], archived: n % 40 === 7, lastMessage,
    }];
  });
}

const NEWS = [
  { category: 'email', from: 'Jette', title: 'The crane is at ten, not nine', body: 'Somebody has to be there with the lines.' },
  { category: 'market', symbol: 'OTTR', title: 'Otter Instruments goes on rising', price: '42.02 USD', change: '+2.0 %' },
  { category: 'alert', severity: 'warning', title: 'The bilge pump ran twice in an hour', body: 'Nothing is wet yet.' },
  { category: 'social', from: 'River Watch', handle: '@riverwatch', title: 'Six now', body: 'It is **six**. The youngest was asleep.' },
];

/** @param {any} acts @param {(ms?: number) => string} at */
export function liveliness(acts, at) {
  let n = 0;
  const steps = [
    () => acts.feedItem(`live${n}`, NEWS[n % NEWS.length]),
    () => acts.task('in_mac:t4', { summary: `${150 + (n % 60)} of 214 tests` }),
    () => acts.task('in_mac:t5', n % 2 ? { status: 'done', summary: '14 mails, 3 need you', endedAt: at() } : { status: 'inProgress', summary: 'reading new mails', endedAt: null, startedAt: at() }),
  ];
  setInterval(() => steps[(n += 1) % steps.length](), 2500);
}
