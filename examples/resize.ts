/**
 * A plugin that computes: halves a grey picture, reports progress, streams rows.
 *
 *     deno task cordon call examples/resize.ts run '[1, 2, 3]' --json
 *     deno task cordon call examples/resize.ts run '[0, 100, 200, 100]' 2 --json
 *
 * @module
 */

import { inSandbox, progress } from "@cordon/cordon/plugin";

/** A picture to try it with: two rows of four pixels. */
const GRADIENT: readonly number[] = [0, 20, 40, 60, 80, 100, 120, 140];

/**
 * Averages every block of two by two pixels; at the edges it may be smaller. `pixels` has rows of `width` numbers between
 * 0 and 255; without a width it is one row.
 */
export function run(pixels: ArrayLike<number>, width: number = pixels.length): Uint8Array {
  const halved = [...scaledRows(pixels, width)];
  const columns = Math.ceil(width / 2);
  const result = new Uint8Array(halved.length * columns);
  for (const [index, row] of halved.entries()) {
    result.set(row, index * columns);
    if (inSandbox()) progress((index + 1) / halved.length);
  }
  return result;
}

/** The same, row by row: the host may stop reading whenever it has seen enough. */
export async function* rows(pixels: ArrayLike<number> = GRADIENT, width = 4): AsyncGenerator<Uint8Array> {
  for (const row of scaledRows(pixels, width)) yield await Promise.resolve(row);
}

function* scaledRows(pixels: ArrayLike<number>, width: number): Generator<Uint8Array> {
  for (let top = 0; top < pixels.length; top += 2 * width) {
    yield Uint8Array.from({ length: Math.ceil(width / 2) }, (_, column) => {
      const left = top + 2 * column;
      const across = 2 * column + 1 < width ? [left, left + 1] : [left];
      const block = [...across, ...across.map((index) => index + width)].flatMap((index) =>
        pixels[index] ?? []
      );
      return block.reduce((sum, pixel) => sum + pixel, 0) / block.length;
    });
  }
}
