/** @param {readonly any[]} a @param {readonly any[]} b */
export const sameList = (a, b) => a.length === b.length && a.every((item, at) => item === b[at]);

/** Canonical JSON has one text per value. @param {any} a @param {any} b */
export const sameText = (a, b) => JSON.stringify(a) === JSON.stringify(b);
