/** What the RPC benchmark calls, in a sandbox and in a plain process. */

/** @returns What it was given. */
export function echo(value: unknown): unknown {
  return value;
}

/** @returns How many bytes arrived. */
export function size(bytes: Uint8Array): number {
  return bytes.length;
}

const tables = new Map<number, unknown[]>();

/** @returns A table with that many rows, made once: making it is not what is measured. */
export function rows(count: number): unknown[] {
  const known = tables.get(count);
  if (known !== undefined) return known;
  const table = madeRows(count);
  tables.set(count, table);
  return table;
}

function madeRows(count: number): unknown[] {
  return Array.from({ length: count }, (_, id) => {
    return { id, name: `item ${id}`, price: id * 1.5, tags: ["a", "b"], active: id % 2 === 0 };
  });
}
