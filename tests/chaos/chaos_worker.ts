/** What the chaos runs: small work, and two ways to be a nuisance. */

/** Twice the item. */
export function item(value: number): number {
  return value * 2;
}

/** Never returns. */
export function spin(): number {
  for (;;);
}

/** Takes memory until it is stopped. */
export function bomb(): number {
  const kept: Uint8Array[] = [];
  for (;;) kept.push(new Uint8Array(2 ** 22).fill(1));
}
