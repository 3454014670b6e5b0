/**
 * Limits, filters and pseudo files of processes.
 *
 * @module
 */

import { nativeFailure, succeeded } from "./native_failure.ts";
import type { Symbols } from "./symbols.ts";
import type { LimitedResource, ProcessCalls, ResourceLimit } from "./types.ts";

const DEFAULT_READ_BYTES = 64 * 1024;

/** RLIMIT_ numbers of x86-64 and aarch64. */
const RESOURCES: Readonly<Record<LimitedResource, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
};

/**
 * The process part of the library.
 *
 * @param symbols The loaded library.
 * @returns Its calls.
 */
export function processCalls(symbols: Symbols): ProcessCalls {
  return {
    installSeccomp(filter) {
      succeeded("seccomp", symbols.cordon_seccomp(filter as Uint8Array<ArrayBuffer>, filter.byteLength));
    },
    prlimit: (pid, resource, limits) => prlimit(symbols, pid, resource, limits),
    readFile: (path, maxBytes = DEFAULT_READ_BYTES) => readFile(symbols, path, maxBytes),
    sendRoom: (path, bytes) => succeeded("sendRoom", symbols.cordon_send_room(cString(path), bytes)),
  };
}

function prlimit(
  symbols: Symbols,
  pid: number,
  resource: LimitedResource,
  limits: ResourceLimit | undefined,
): ResourceLimit {
  const values = new BigUint64Array([0n, 0n, limits?.soft ?? 0n, limits?.hard ?? 0n]);
  succeeded(
    "prlimit",
    symbols.cordon_prlimit(pid, RESOURCES[resource], values, limits === undefined ? 0 : 1),
  );
  return { soft: values[0] ?? 0n, hard: values[1] ?? 0n };
}

function readFile(symbols: Symbols, path: string, maxBytes: number): Uint8Array {
  // One byte more than may be read, so that the buffer is never empty.
  const into = new Uint8Array(maxBytes + 1);
  const length = Number(symbols.cordon_read_file(cString(path), into, BigInt(maxBytes)));
  return into.subarray(0, succeeded("readFile", length));
}

function cString(path: string): Uint8Array<ArrayBuffer> {
  if (path.includes("\0")) throw nativeFailure("path", -22);
  return new TextEncoder().encode(`${path}\0`);
}
