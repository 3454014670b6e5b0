/** What the RPC benchmark calls, in a sandbox and in a plain process. */

/** @returns What it was given. */
export function echo(value: unknown): unknown {
  return value;
}

/** @returns How many bytes arrived. */
export function size(bytes: Uint8Array): number {
  return bytes.length;
}

/** @returns That many rows of a table. */
export function rows(count: number): unknown[] {
  return Array.from({ length: count }, (_, id) => {
    return { id, name: `item ${id}`, price: id * 1.5, tags: ["a", "b"], active: id % 2 === 0 };
  });
}
