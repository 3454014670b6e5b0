/**
 * Sealed memory and the window that it is mapped into.
 *
 * @module
 */

import { nativeFailure, succeeded } from "./native_failure.ts";
import type { Symbols } from "./symbols.ts";
import type { MapMode, MemoryCalls, RegionFacts, Window } from "./types.ts";

const SEALS = { "write": 0, "future-write": 1 } as const;
const MAP_MODES = { shared: 0, private: 1, filled: 2 } as const;

const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;
const F_SEAL_FUTURE_WRITE = 16;
const SIZE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW;

/**
 * The memory part of the library.
 *
 * @param symbols The loaded library.
 * @returns Its calls.
 */
export function memoryCalls(symbols: Symbols): MemoryCalls {
  return {
    memfd: (bytes) => succeeded("memfd", symbols.cordon_memfd(unsigned("memfd", bytes))),
    seal(fd, seal) {
      succeeded("seal", symbols.cordon_seal(fd, SEALS[seal]));
    },
    regionFacts: (fd) => regionFacts(symbols, fd),
    fill(fd, offset, bytes) {
      const data = bytes as Uint8Array<ArrayBuffer>;
      succeeded("fill", symbols.cordon_fill(fd, unsigned("fill", offset), data, BigInt(data.byteLength)));
    },
    discard(fd, offset, bytes) {
      succeeded(
        "discard",
        symbols.cordon_discard(fd, unsigned("discard", offset), unsigned("discard", bytes)),
      );
    },
    reserveWindow: (bytes) => reserveWindow(symbols, bytes),
  };
}

function regionFacts(symbols: Symbols, fd: number): RegionFacts {
  const facts = new BigUint64Array(4);
  succeeded("regionFacts", symbols.cordon_region_facts(fd, facts));
  const [bytes, allocatedBytes, seals, isWritable] = Array.from(facts, Number) as [
    number,
    number,
    number,
    number,
  ];
  return {
    bytes,
    allocatedBytes,
    isSizeSealed: (seals & SIZE_SEALS) === SIZE_SEALS,
    isWriteSealed: (seals & F_SEAL_WRITE) !== 0,
    isFutureWriteSealed: (seals & F_SEAL_FUTURE_WRITE) !== 0,
    isWritable: isWritable === 1,
  };
}

function reserveWindow(symbols: Symbols, bytes: number): Window {
  const address = new BigUint64Array(1);
  succeeded("reserveWindow", symbols.cordon_window_reserve(unsigned("reserveWindow", bytes), address));
  const start = Deno.UnsafePointer.create(address[0] ?? 0n);
  if (start === null) throw nativeFailure("reserveWindow", -12);
  return new ReservedWindow(symbols, start, bytes);
}

class ReservedWindow implements Window {
  readonly bytes: number;
  readonly pageBytes: number;
  readonly #symbols: Symbols;
  readonly #start: Deno.PointerObject;

  constructor(symbols: Symbols, start: Deno.PointerObject, bytes: number) {
    this.#symbols = symbols;
    this.#start = start;
    this.bytes = bytes;
    this.pageBytes = Number(symbols.cordon_page_size());
  }

  arrayBuffer(offset: number, bytes: number): ArrayBuffer {
    if (!(offset >= 0 && bytes > 0 && offset + bytes <= this.bytes)) throw nativeFailure("arrayBuffer", -34);
    const start = offset === 0 ? this.#start : Deno.UnsafePointer.offset(this.#start, offset);
    if (start === null) throw nativeFailure("arrayBuffer", -14);
    return Deno.UnsafePointerView.getArrayBuffer(start, bytes);
  }

  map(offset: number, fd: number, fileOffset: number, bytes: number, mode: MapMode): void {
    succeeded(
      "map",
      this.#symbols.cordon_map(
        this.#start,
        BigInt(this.bytes),
        unsigned("map", offset),
        fd,
        unsigned("map", fileOffset),
        unsigned("map", bytes),
        MAP_MODES[mode],
      ),
    );
  }

  unmap(offset: number, bytes: number): void {
    const place = [unsigned("unmap", offset), unsigned("unmap", bytes)] as const;
    succeeded("unmap", this.#symbols.cordon_unmap(this.#start, BigInt(this.bytes), ...place));
  }
}

/** The FFI layer would wrap a negative number around instead of refusing it. */
function unsigned(call: string, value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0) throw nativeFailure(call, -22);
  return BigInt(value);
}
