/**
 * The messages of PROTOCOL.md: arrays whose first element is one of these kinds.
 *
 * @module
 */

/** Version of PROTOCOL.md that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** First element of every message. */
export const Kind = {
  hello: 1,
  welcome: 2,
  load: 3,
  ready: 4,
  call: 5,
  result: 6,
  error: 7,
  cancel: 8,
  progress: 9,
  item: 10,
  end: 11,
  credit: 12,
  stop: 13,
  release: 14,
  event: 15,
  ping: 16,
  pong: 17,
  shutdown: 18,
  goodbye: 19,
  close: 20,
  abort: 21,
} as const;

/** A message as it goes over the wire. */
export type Message = readonly [kind: number, ...fields: unknown[]];

/** A decoded message: nothing in it has been checked. */
export type RawMessage = readonly unknown[];

const names = new Map<unknown, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

/**
 * Name of a kind, for people.
 *
 * @param kind First element of a message.
 * @returns Its name in PROTOCOL.md, or its number.
 */
export function kindName(kind: unknown): string {
  return names.get(kind) ?? `kind ${String(kind)}`;
}
