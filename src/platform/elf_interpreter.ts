/**
 * Reads the path of the dynamic loader out of an ELF executable.
 *
 * @module
 */

const PT_INTERP = 3;
const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/**
 * Read which loader a 64-bit little-endian ELF executable asks for.
 *
 * @param file Its first bytes: header, program headers and the interpreter string. 64 KiB is plenty.
 * @returns The absolute path as written in the file, or null for a static executable or anything that is not such
 * an ELF file.
 */
export function elfInterpreter(file: Uint8Array): string | null {
  if (file.length < ELF_HEADER_BYTES) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isElf64Little = view.getUint32(0) === 0x7f454c46 && view.getUint8(4) === 2 && view.getUint8(5) === 1;
  if (!isElf64Little) return null;
  const tableOffset = Number(view.getBigUint64(32, true));
  const entryBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (entryBytes < PROGRAM_HEADER_BYTES) return null;
  for (let index = 0; index < count; index++) {
    const offset = tableOffset + index * entryBytes;
    if (offset + PROGRAM_HEADER_BYTES > file.length) return null;
    if (view.getUint32(offset, true) === PT_INTERP) return interpreterAt(view, file, offset);
  }
  return null;
}

function interpreterAt(view: DataView, file: Uint8Array, header: number): string | null {
  const start = Number(view.getBigUint64(header + 8, true));
  const bytes = Number(view.getBigUint64(header + 32, true));
  if (bytes < 2 || start + bytes > file.length) return null;
  const text = new TextDecoder().decode(file.subarray(start, start + bytes - 1));
  return text.startsWith("/") && !text.includes("\0") ? text : null;
}
