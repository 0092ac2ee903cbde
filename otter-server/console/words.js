const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in one unit. @param {number} ms */
export function span(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** A length of time as a clock. @param {number} ms */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** @param {number} count */
export function amount(count) {
  if (count < 1000) return String(count);
  if (count < 10_000) return `${(count / 1000).toFixed(1)}k`;
  if (count < 1_000_000) return `${Math.round(count / 1000)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

/** @param {string} at an instant */
export function timeOfDay(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/** @param {string} at an instant @param {number} now */
export function day(at, now) {
  const date = new Date(at);
  const start = (/** @type {Date} */ each) => new Date(each.getFullYear(), each.getMonth(), each.getDate()).getTime();
  const days = Math.round((start(new Date(now)) - start(date)) / DAY);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return date.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' });
}

/** An instant as short as it can be told. @param {string} at @param {number} now */
export function moment(at, now) {
  const [date, today] = [new Date(at), new Date(now)];
  if (date.toDateString() === today.toDateString()) return date.toLocaleTimeString();
  const year = date.getFullYear() === today.getFullYear() ? {} : { year: /** @type {const} */ ('numeric') };
  return date.toLocaleString([], { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', ...year });
}

const REASONS = {
  heartbeat: 'the hub went silent',
  closed: 'the connection broke',
  hidden: 'paused while the page was hidden',
  crashed: 'the client crashed',
  connectionLost: 'the connection was lost',
};

/** That the hub cannot be reached has two causes, and a person can do something about one of them. */
const unreachable = () => (navigator.onLine ? 'the hub cannot be reached' : 'this device has no network');

/** @param {string | null} reason */
export const reasonText = (reason) => (reason === 'offline' ? unreachable() : reason ? (REASONS[reason] ?? reason) : '');

/**
 * The connection of this page in words.
 *
 * @param {import('./client/index.js').Connection} connection
 * @param {number} now local clock
 */
export function connectionText({ phase, reason, roundTripMs, nextRetryAt, attempt }, now) {
  const why = reasonText(reason);
  switch (phase) {
    case 'online':
      return { title: 'Live', detail: roundTripMs === null ? '' : `${Math.round(roundTripMs)} ms` };
    case 'waiting': {
      const left = nextRetryAt === null ? 0 : Math.ceil((nextRetryAt - now) / SECOND);
      if (reason === 'offline' && !navigator.onLine) return { title: 'Offline', detail: why };
      return { title: left > 0 ? `Reconnecting in ${left} s` : 'Reconnecting', detail: why };
    }
    case 'signedOut':
      return { title: 'Signed out', detail: why };
    case 'stopped':
      return { title: 'Stopped', detail: why || 'this page and the hub do not understand each other' };
    case 'closed':
      return { title: 'Closed', detail: '' };
    default:
      return { title: attempt > 1 ? 'Reconnecting' : 'Connecting', detail: attempt > 1 ? why : '' };
  }
}

const GATEWAY = {
  connecting: 'gateway connecting',
  online: 'gateway online',
  waking: 'gateway waking up',
  offline: 'gateway offline',
  pairing: 'gateway asks for pairing',
  refused: 'gateway refused the bridge',
};

/** @param {{ state?: string } | undefined} gateway */
export const gatewayText = (gateway) => (gateway?.state ? (GATEWAY[gateway.state] ?? `gateway ${gateway.state}`) : 'gateway unknown');

const DELIVERY = {
  pending: 'Waiting for the machine',
  taken: 'Taken by the machine',
  queued: 'Queued at the gateway',
  delivered: 'Delivered',
  failed: 'Not delivered',
};

/** @param {{ state: string, intoRun?: unknown, reason?: string }} delivery */
export function deliveryText({ state, intoRun, reason }) {
  const word = state === 'delivered' && intoRun ? 'Delivered into the running answer' : (DELIVERY[state] ?? state);
  return reason ? `${word}: ${reason}` : word;
}

/** What a hub or a gateway says, as a sentence. @param {string} said */
export const sentence = (said) => (said ? said[0].toUpperCase() + said.slice(1) + (/[.!?]$/.test(said) ? '' : '.') : '');

/** The cells of a table row, and nothing of the line below its head. @param {string} line */
function row(line) {
  if (!/[^\s|:-]/.test(line)) return '';
  const cells = line.split('|').map((cell) => cell.trim());
  return `${cells.filter(Boolean).join(', ')};`;
}

/** The head of a text in one line, without the marks of Markdown. @param {string} head */
export const plain = (head) => head.replace(/^[ \t]*\|.*$/gm, row).replace(/^\s*(?:#{1,6}|>|[-*])\s+/gm, '').replace(/\*\*|__|`+/g, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\s+/g, ' ').trim();

/** How long something took. @param {number} ms */
export function took(ms) {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  return clock(ms);
}

/** How many bytes a text is on the wire. @param {string} source */
export const bytesOf = (source) => new TextEncoder().encode(source).length;

/** A count of bytes. @param {number} bytes */
export const size = (bytes) => (bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`);
