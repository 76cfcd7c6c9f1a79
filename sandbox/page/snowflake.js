/** Discord's ids: milliseconds since 2015 in the upper 42 bits. They don't fit into a double, so compare them as text. */

const EPOCH_MS = 1420070400000n;

/** @param {string} id */
export function timeOf(id) {
  return new Date(Number((BigInt(id) >> 22n) + EPOCH_MS));
}

/** A new id of the present time, for nonces and for messages that only this page has. */
export function freshId() {
  const random = BigInt(Math.floor(Math.random() * 2 ** 22));
  return String(((BigInt(Date.now()) - EPOCH_MS) << 22n) | random);
}

/**
 * Negative, zero or positive, as for sort(): older first.
 * @param {string} a
 * @param {string} b
 */
export function compareIds(a, b) {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
