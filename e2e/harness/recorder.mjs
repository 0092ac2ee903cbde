// What a person sees of the message list, frame by frame.
//
// `install` runs inside the page: after each painted frame in which the list changed it keeps the ids of the rows, their
// texts and which DOM node shows each. `faults` runs in the test and names everything that a person would call a glitch:
// a row twice, a row that goes and comes back, a row whose node is replaced, a text that shrinks or is rewritten, rows
// that change places.

/** Runs in the page, before any of its scripts. */
export function install() {
  const nodes = new WeakMap();
  let serial = 0;
  let frames = [];
  let last = '';

  const serialOf = (node) => {
    if (!nodes.has(node)) nodes.set(node, ++serial);
    return nodes.get(node);
  };
  const rowOf = (node) => ({
    id: node.dataset.messageId,
    status: node.dataset.status,
    stage: node.dataset.stage,
    delivery: node.dataset.delivery,
    node: serialOf(node),
    text: (node.querySelector('[data-testid="message-text"]') ?? node).textContent,
  });
  const sample = () => {
    const rows = [...document.querySelectorAll('[data-testid="message-row"]')].map(rowOf);
    const key = JSON.stringify(rows);
    if (key === last) return;
    last = key;
    if (frames.length < 20000) frames.push({ at: performance.now(), rows });
  };

  // What a card or a row says about itself, change by change, by its test id and its own id.
  const OWN_ID = { 'approval-card': 'approvalId', 'step-row': 'stepId', 'run-row': 'runId', 'task-card': 'taskId', 'feed-item': 'itemId', 'fleet-card': 'instanceId' };
  const STATE = { 'approval-card': 'state', 'run-row': 'state', 'step-row': 'status', 'task-card': 'status', 'feed-item': 'new', 'fleet-card': 'connection' };
  const TRACKED = Object.keys(OWN_ID).map((test) => `[data-testid="${test}"]`).join();
  const tracks = new Map();
  const note = (element) => {
    const { testid } = element.dataset;
    const key = `${testid} ${element.dataset[OWN_ID[testid]]}`;
    const state = element.dataset[STATE[testid]] ?? null;
    const track = tracks.get(key) ?? [];
    if (track.at(-1) !== state) tracks.set(key, [...track, state].slice(-50));
  };
  new MutationObserver((records) => {
    for (const { target, addedNodes, type } of records) {
      if (type === 'attributes' && target.matches(TRACKED)) note(target);
      for (const node of addedNodes) {
        if (node.nodeType !== 1) continue;
        if (node.matches(TRACKED)) note(node);
        node.querySelectorAll(TRACKED).forEach(note);
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });

  // Each change of the page resizes a probe. Its observer is called in the frame that paints the change, after all
  // scripts of that frame: what it reads is what is painted. The probe sits in a shadow tree, where its own changes
  // are not seen.
  const host = document.createElement('otter-recorder');
  const probe = document.createElement('i');
  host.attachShadow({ mode: 'closed' }).append(probe);
  probe.style.cssText = 'position:fixed;visibility:hidden;height:1px;width:1px';
  let size = 1;
  new ResizeObserver(sample).observe(probe);
  new MutationObserver(() => {
    if (!host.isConnected) document.documentElement?.append(host);
    // However often in one frame: another size than in the one before.
    size = (size % 1000) + 1;
    probe.style.width = `${size}px`;
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });

  window.otterRecorder = {
    /** Gives the frames since the last call and forgets them. */
    take() {
      const taken = frames;
      frames = [];
      return taken;
    },
    /** The states of one card or row, each once in a row. */
    states: (testId, id) => tracks.get(`${testId} ${id}`) ?? [],
  };
}

/** Sentences about what went wrong in these frames; an empty list when nothing did. */
export function faults(frames) {
  const found = [];
  const seen = new Map();
  for (const [at, { rows }] of frames.entries()) {
    const ids = rows.map((row) => row.id);
    for (const id of duplicates(ids)) found.push(`frame ${at}: ${id} is shown twice`);
    for (const row of rows) {
      const before = seen.get(row.id);
      if (before) found.push(...changes(at, before, row));
    }
    for (const row of rows) seen.set(row.id, { ...row, at });
    if (at > 0) found.push(...moved(at, frames[at - 1].rows, rows));
  }
  return found;
}

function changes(at, before, row) {
  const found = [];
  if (before.at !== at - 1) found.push(`frame ${at}: ${row.id} comes back after it was gone since frame ${before.at + 1}`);
  if (before.node !== row.node) found.push(`frame ${at}: ${row.id} is shown by another DOM node`);
  if (!row.text.startsWith(before.text)) {
    found.push(`frame ${at}: the text of ${row.id} (${before.status} to ${row.status}) is not continued: ${excerpt(before.text, row.text)}`);
  }
  return found;
}

/** Rows that both frames show must keep their order. A row that the hub has not placed yet may find its place. */
function moved(at, before, after) {
  const unplaced = new Set([...before, ...after].filter((row) => row.stage).map((row) => row.id));
  const ids = (rows, others) => rows.map((row) => row.id).filter((id) => !unplaced.has(id) && others.some((row) => row.id === id));
  const [common, order] = [ids(before, after), ids(after, before)];
  const first = common.findIndex((id, i) => id !== order[i]);
  return first < 0 ? [] : [`frame ${at}: rows change places: ${common.slice(first)} became ${order.slice(first)}`];
}

function duplicates(ids) {
  return [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))];
}

function excerpt(before, after) {
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const around = (text) => JSON.stringify(text.slice(Math.max(0, same - 12), same + 24));
  return `at ${same} ${around(before)} became ${around(after)} (${before.length} and ${after.length} characters)`;
}
