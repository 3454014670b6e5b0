/** Work that keeps a processor busy: as a plugin, or alone as `inside_plugin.ts <name> <rounds>`. */

/** @returns Milliseconds that arithmetic took. */
export function numbers(): number {
  return timed(() => {
    let sum = 0;
    for (let index = 1; index < 20_000_000; index++) sum = (sum + index * index) % 1_000_003;
    return sum;
  });
}

/** @returns Milliseconds that a large table of small objects took, whose oldest entries always go. */
export function objects(): number {
  return timed(() => {
    const table = new Map<number, unknown>();
    for (let index = 0; index < 1_000_000; index++) {
      table.set(index, { index, pair: [index, index + 1], text: `x${index}` });
      if (table.size > 400_000) table.delete(index - 400_000);
    }
    return table.size;
  });
}

/** @returns Milliseconds that short-lived arrays of 1 MiB took. */
export function arrays(): number {
  return timed(() => {
    let last = new Uint8Array();
    for (let count = 0; count < 1_500; count++) last = new Uint8Array(2 ** 20).fill(count, 0, 4096);
    return last[0]!;
  });
}

/** @returns Milliseconds that parsing and printing JSON took. */
export function json(): number {
  const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, name: `n${id}`, tags: ["a", "b"] }));
  let text = JSON.stringify(rows);
  return timed(() => {
    for (let count = 0; count < 150; count++) text = JSON.stringify(JSON.parse(text));
    return text.length;
  });
}

function timed(work: () => number): number {
  const start = performance.now();
  if (!Number.isFinite(work())) throw new RangeError("Cannot happen");
  return performance.now() - start;
}

if (import.meta.main) {
  const kinds: Readonly<Record<string, () => number>> = { numbers, objects, arrays, json };
  const [name, rounds] = Deno.args as [string, string];
  const times = Array.from({ length: Number(rounds) }, () => kinds[name]!());
  // deno-lint-ignore no-console -- its answer
  console.log(JSON.stringify(times));
}
