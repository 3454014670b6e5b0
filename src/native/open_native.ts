/**
 * Loads the native library.
 *
 * @module
 */

import { NativeError } from "../errors.ts";
import { channelCalls } from "./channel_calls.ts";
import { SharedWait } from "./shared_wait.ts";
import { memoryCalls } from "./memory_calls.ts";
import { processCalls } from "./process_calls.ts";
import { ABI_VERSION, GUEST_SYMBOLS, type Library, SYMBOLS } from "./symbols.ts";
import type { Native } from "./types.ts";

/**
 * Load the native library. It needs the `ffi` permission; its calls do not need it any more.
 *
 * @param path Absolute path of the library, as `nativeLibraryPath()` gives it.
 * @param user Who will call it: a guest loads only what it needs, and everything else throws a TypeError there.
 * @returns The library. Disposing closes it.
 * @throws {NativeError} If it cannot be loaded or is of another version.
 *
 * @example
 * ```ts
 * import { nativeLibraryPath, openNative } from "./mod.ts";
 *
 * const path = await nativeLibraryPath(`${Deno.env.get("HOME")}/.cache/cordon`);
 * if (path !== null) {
 *   using native = openNative(path);
 *   native.close(native.memfd(4096));
 * }
 * ```
 */
export function openNative(path: string, user: "host" | "guest" = "host"): Native {
  const library = user === "host" ? load(path, SYMBOLS) : loadForGuest(path);
  const { symbols } = library;
  const version = symbols.cordon_abi_version();
  if (version !== ABI_VERSION) {
    library.close();
    throw new NativeError(`Cannot use "${path}" as its version must be ${ABI_VERSION}: ${version}`, {
      call: "dlopen",
      errno: "ELIBBAD",
      hint: "Delete the file; it is written again at the next start",
    });
  }
  let isOpen = true;
  const shared = new SharedWait(symbols);
  return {
    path,
    ...memoryCalls(symbols),
    ...channelCalls(symbols, shared),
    ...processCalls(symbols),
    [Symbol.dispose]() {
      if (!isOpen) return;
      isOpen = false;
      // A thread that still is in the library would come back to nothing.
      if (shared.pending === null) library.close();
      else void shared.pending.then(() => setTimeout(() => library.close()));
    },
  };
}

/**
 * A last argument that no function looks at; both calling conventions leave such to the caller. The runtime compiles a
 * trampoline for every symbol at once, 0.1 ms each, unless a parameter is a structure: calls then take 0.1 us instead
 * of 0.06, and a guest makes few.
 */
const UNCOMPILED = { struct: ["u8"] } as const;

/** The type claims more than is there: what is missing throws when it is called. */
function loadForGuest(path: string): Library {
  const nothing = new Uint8Array(1);
  const blocking = GUEST_SYMBOLS.filter((name) => !("nonblocking" in SYMBOLS[name]));
  const table = Object.fromEntries(GUEST_SYMBOLS.map((name) => {
    const { parameters } = SYMBOLS[name];
    const isCompiled = blocking.includes(name);
    return [name, { ...SYMBOLS[name], parameters: isCompiled ? [...parameters, UNCOMPILED] : parameters }];
  }));
  const library = load(path, table as unknown as typeof SYMBOLS);
  const symbols = library.symbols as unknown as Record<string, (...args: unknown[]) => unknown>;
  const called = blocking.map((name) => {
    const symbol = symbols[name]!;
    return [name, (...args: unknown[]) => symbol(...args, nothing)];
  });
  return {
    symbols: { ...library.symbols, ...Object.fromEntries(called) },
    close: () => library.close(),
  };
}

function load(path: string, symbols: typeof SYMBOLS): Library {
  try {
    return Deno.dlopen(path, symbols);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NativeError(`Cannot load "${path}" as a native library: ${reason}`, {
      call: "dlopen",
      errno: cause instanceof Deno.errors.NotCapable ? "EACCES" : "ELIBACC",
      hint: cause instanceof Deno.errors.NotCapable ? "Grant the ffi permission: --allow-ffi" : undefined,
      cause,
    });
  }
}
