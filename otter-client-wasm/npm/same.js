/** @param {readonly any[]} a @param {readonly any[]} b */
export const sameList = (a, b) => a.length === b.length && a.every((item, at) => item === b[at]);

/** Canonical JSON has one text per value. @param {any} a @param {any} b */
export const sameText = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * `next`, or `old` when all their fields are equal, lists item by item.
 *
 * @template {Record<string, any>} T
 * @param {T | undefined} old @param {T} next @returns {T}
 */
export function keep(old, next) {
  const isSame = (/** @type {[string, any]} */ [name, value]) => value === old?.[name] || (Array.isArray(value) && Array.isArray(old?.[name]) && sameList(old[name], value));
  return old && Object.entries(next).every(isSame) ? old : Object.freeze(next);
}

/** Whether two principals are known and not the same person. @param {any} one @param {any} other */
export const isOther = (one, other) => Boolean(one && other && (one.id !== other.id || one.org !== other.org));
