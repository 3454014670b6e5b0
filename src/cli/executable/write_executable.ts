/**
 * Writes one executable: launcher, runtime, program and bundler.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type PartRole, payloadFooter, payloadIndex, type WrittenPart } from "./payload.ts";

/** One part of an executable. */
export interface Part {
  /** File name when it is unpacked. */
  readonly name: string;
  readonly role: PartRole;
  /** Permission bits when it is unpacked. */
  readonly mode: number;
  /** Path of its content, or the content. */
  readonly source: string | Uint8Array<ArrayBuffer>;
}

/** What to write. */
export interface ExecutablePlan {
  readonly launcher: Uint8Array<ArrayBuffer>;
  readonly parts: readonly Part[];
  /** Arguments of the runtime in front of the program's name. */
  readonly args: readonly string[];
}

/**
 * Write an executable. An existing file is replaced only when the new one is complete.
 *
 * @param path Where to.
 * @param plan What goes into it.
 * @returns Its size in bytes.
 */
export async function writeExecutable(path: string, plan: ExecutablePlan): Promise<number> {
  const temporary = `${path}.${crypto.randomUUID()}.new`;
  try {
    const size = await writeParts(temporary, plan);
    await Deno.chmod(temporary, 0o755);
    await Deno.rename(temporary, path);
    return size;
  } catch (error) {
    await Deno.remove(temporary).catch((reason: unknown) => {
      if (!(reason instanceof Deno.errors.NotFound)) throw reason;
    });
    throw error;
  }
}

async function writeParts(path: string, { launcher, parts, args }: ExecutablePlan): Promise<number> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let offset = await append(file, launcher);
  const written: WrittenPart[] = [];
  for (const { name, role, mode, source } of parts) {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of contentOf(source)) {
      hash.update(chunk);
      size += await append(file, chunk);
    }
    written.push({ name, role, mode, offset, size, digest: hash.digest() });
    offset += size;
  }
  const index = payloadIndex(written, args);
  const digest = createHash("sha256").update(index).digest();
  return offset + await append(file, index) + await append(file, payloadFooter(offset, index.length, digest));
}

async function* contentOf(source: Part["source"]): AsyncGenerator<Uint8Array> {
  if (typeof source !== "string") return yield source;
  using file = await Deno.open(source);
  const buffer = new Uint8Array(1 << 20);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

async function append(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  return bytes.length;
}
