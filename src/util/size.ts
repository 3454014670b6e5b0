/**
 * Reads and writes sizes in bytes as people write them.
 *
 * @module
 */

const unitBytes: Readonly<Record<string, number>> = Object.freeze({
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
});

/**
 * Bytes that a size stands for.
 *
 * @param size Bytes as a number, or text such as `"256MiB"`, `"1.5 GB"`, `"64KiB"`, `"4096"`.
 * @returns Whole bytes, or `null` when it is not a size.
 *
 * @example
 * ```ts
 * import { sizeBytes } from "./size.ts";
 *
 * sizeBytes("256MiB"); // 268435456
 * sizeBytes("a lot"); // null
 * ```
 */
export function sizeBytes(size: unknown): number | null {
  if (typeof size === "number") return Number.isSafeInteger(size) && size >= 0 ? size : null;
  if (typeof size !== "string") return null;
  const match = /^(\d{1,16}(?:\.\d{1,6})?) ?([kmgt]i?b|b)?$/i.exec(size);
  if (match === null) return null;
  const bytes = Number(match[1]) * (unitBytes[(match[2] ?? "b").toLowerCase()] ?? Number.NaN);
  const whole = Math.round(bytes);
  // "1.5KiB" is 1536 bytes; "1.0001KiB" is not a number of bytes that anybody can have meant.
  return Number.isSafeInteger(whole) && Math.abs(bytes - whole) < 1e-6 ? whole : null;
}

/**
 * A number of bytes as people read it, in binary units.
 *
 * @param bytes Number of bytes.
 * @returns Text such as `"256MiB"` or `"1.5KiB"`.
 *
 * @example
 * ```ts
 * import { sizeText } from "./size.ts";
 *
 * sizeText(268435456); // "256MiB"
 * ```
 */
export function sizeText(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(value) < 1024) return `${Number(value.toFixed(1))}${unit}`;
    value /= 1024;
  }
  return `${Number(value.toFixed(1))}TiB`;
}
