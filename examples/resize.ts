/**
 * A plugin that computes: halves a grey picture, reports progress, streams rows.
 *
 *     deno task cordon call examples/resize.ts halve '[0, 100, 200, 100]' 2 --json
 *
 * @module
 */

import { inSandbox, progress } from "@cordon/cordon/plugin";

/** Averages every block of two by two pixels. `pixels` has rows of `width` numbers between 0 and 255. */
export function halve(pixels: ArrayLike<number>, width: number): Uint8Array {
  const rows = [...scaledRows(pixels, width)];
  const result = new Uint8Array(rows.length * Math.floor(width / 2));
  for (const [index, row] of rows.entries()) {
    result.set(row, index * row.length);
    if (inSandbox()) progress((index + 1) / rows.length);
  }
  return result;
}

/** The same, row by row: the host may stop reading whenever it has seen enough. */
export async function* rows(pixels: ArrayLike<number>, width: number): AsyncGenerator<Uint8Array> {
  for (const row of scaledRows(pixels, width)) yield await Promise.resolve(row);
}

function* scaledRows(pixels: ArrayLike<number>, width: number): Generator<Uint8Array> {
  for (let top = 0; top + 2 * width <= pixels.length; top += 2 * width) {
    yield Uint8Array.from({ length: Math.floor(width / 2) }, (_, column) => {
      const first = top + 2 * column, second = first + width;
      const block = [first, first + 1, second, second + 1].map((index) => pixels[index] ?? 0);
      return block.reduce((sum, pixel) => sum + pixel, 0) / 4;
    });
  }
}
