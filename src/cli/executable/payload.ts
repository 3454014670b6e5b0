/**
 * The layout of what follows the launcher in an executable: ffi/launcher_payload.h reads what this file writes.
 *
 * @module
 */

/**
 * What a part is for: `program` imports the `module` parts, and `memory-program` is all of them in one file, for a start without
 * any directory.
 */
export type PartRole = "runtime" | "program" | "bundler" | "memory-program" | "module";

/** One part that was written. */
export interface WrittenPart {
  /** File name when it is unpacked: at most 55 bytes, no slash. */
  readonly name: string;
  readonly role: PartRole;
  /** Where it starts in the executable, in bytes. */
  readonly offset: number;
  /** Its size in bytes. */
  readonly size: number;
  /** SHA-256 of its content. */
  readonly digest: Uint8Array;
  /** Permission bits when it is unpacked. */
  readonly mode: number;
}

const ROLES: Readonly<Record<PartRole, number>> = {
  runtime: 1,
  program: 2,
  bundler: 3,
  "memory-program": 4,
  module: 5,
};
const HEADER_BYTES = 8;
const NAME_BYTES = 64;
const ENTRY_BYTES = NAME_BYTES + 8 + 8 + 32 + 4 + 4;
const FOOTER_BYTES = 64;
const MAGIC = "CORDON\0\x01";

/**
 * The index of an executable.
 *
 * @param parts Parts that stand before it.
 * @param args Arguments of the runtime in front of the program's name.
 * @returns Its bytes.
 */
export function payloadIndex(
  parts: readonly WrittenPart[],
  args: readonly string[],
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(args.map((argument) => `${argument}\0`).join(""));
  const index = new Uint8Array(HEADER_BYTES + parts.length * ENTRY_BYTES + text.length);
  const view = new DataView(index.buffer);
  view.setUint32(0, parts.length, true);
  view.setUint32(4, args.length, true);
  parts.forEach((part, number) => {
    const at = HEADER_BYTES + number * ENTRY_BYTES;
    index.set(new TextEncoder().encode(part.name), at);
    view.setBigUint64(at + NAME_BYTES, BigInt(part.offset), true);
    view.setBigUint64(at + NAME_BYTES + 8, BigInt(part.size), true);
    index.set(part.digest, at + NAME_BYTES + 16);
    view.setUint32(at + NAME_BYTES + 48, part.mode, true);
    view.setUint32(at + NAME_BYTES + 52, ROLES[part.role], true);
  });
  index.set(text, HEADER_BYTES + parts.length * ENTRY_BYTES);
  return index;
}

/**
 * The last bytes of an executable.
 *
 * @param offset Where the index starts.
 * @param size Size of the index in bytes.
 * @param digest SHA-256 of the index.
 * @returns Its bytes.
 */
export function payloadFooter(offset: number, size: number, digest: Uint8Array): Uint8Array<ArrayBuffer> {
  const footer = new Uint8Array(FOOTER_BYTES);
  const view = new DataView(footer.buffer);
  footer.set(new TextEncoder().encode(MAGIC));
  view.setBigUint64(8, BigInt(offset), true);
  view.setBigUint64(16, BigInt(size), true);
  footer.set(digest, 24);
  return footer;
}
