import { bytesOf } from './words.js';

const KB = 1024;
/** From this part of a limit on one is told what is left. */
const NEAR = 0.9;

/**
 * How long texts may be, counted as the hub counts them.
 *
 * @typedef {{ most: number, unit: 'bytes' | 'characters' }} Limit
 * @type {Record<'said' | 'details' | 'taskTitle' | 'title' | 'folder', Limit>}
 */
export const LIMITS = {
  said: { most: 200 * KB, unit: 'bytes' },
  details: { most: 6 * KB, unit: 'bytes' },
  taskTitle: { most: 300, unit: 'characters' },
  title: { most: 200, unit: 'characters' },
  folder: { most: 80, unit: 'characters' },
};

/** A message is kept whole up to this size with all that belongs to it, its text written as JSON. */
const MESSAGE = 32 * KB;
/** What a message holds besides its text, about. */
const BESIDES = KB / 2;

/** Whether the hub cuts a message to the beginning of its text. @param {string} source */
export const isCut = (source) => source.length * 6 > MESSAGE - BESIDES && bytesOf(JSON.stringify(source)) > MESSAGE - BESIDES;

/**
 * Whether a text fits, and what to say of that: nothing while there is plenty of room.
 *
 * @param {string} source as it would be sent @param {Limit} limit
 */
export function room(source, { most, unit }) {
  // One unit of UTF-16 is three bytes at most.
  if (source.length * 3 < most * NEAR) return { fits: true, words: '' };
  const long = unit === 'bytes' ? bytesOf(source) : [...source].length;
  const left = most - long;
  if (left < 0) return { fits: false, words: `Too long: ${unit === 'bytes' ? `${kilobytes(long, Math.ceil)} of ${most / KB} KB` : `${long} of ${most}`}` };
  return { fits: true, words: left <= most * (1 - NEAR) ? `${amount(left, unit)} left` : '' };
}

/** What is too long is not rounded to what is not. @param {number} bytes @param {(number: number) => number} round */
const kilobytes = (bytes, round) => round((bytes / KB) * 10) / 10;

/** @param {number} count @param {'bytes' | 'characters'} unit */
function amount(count, unit) {
  if (unit === 'bytes' && count >= KB) return `${kilobytes(count, Math.floor)} KB`;
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
}
