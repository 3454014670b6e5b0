/**
 * Watches the files that a plugin is made of, by the directories that they lie in.
 *
 * @module
 */

import { dirname } from "node:path";
import type { FileChange } from "../config/types.ts";
import type { Clock } from "../util/clock.ts";
import { pollFiles } from "./poll_files.ts";

/** How long to wait before a directory that vanished is looked for again, in milliseconds. */
const rearmMs = 250;

/** Files that are being watched. Disposing ends it. */
export interface FileWatch extends Disposable {
  /** Watches these files from now on. */
  update(files: readonly string[]): void;
}

/** What a watch tells. Neither may throw. */
export interface WatchListener {
  /** A file changed, or another one in a directory of a watched file. */
  onChange(change: FileChange): void;
  /** The kernel cannot watch: files are compared at intervals instead. */
  onFallback(error: unknown): void;
}

/** Starts to watch files. */
export type WatchFiles = (files: readonly string[], listener: WatchListener, clock: Clock) => FileWatch;

/**
 * Watches files through the kernel.
 *
 * Directories are watched, not files: editors write a new file and rename it over the old one. A directory that is
 * replaced is watched anew.
 *
 * @param files Absolute paths.
 * @param listener Who is told.
 * @param clock For the wait until a directory is back.
 * @returns The watch; the caller disposes it.
 */
export function watchFiles(files: readonly string[], listener: WatchListener, clock: Clock): FileWatch {
  return new KernelWatch(files, listener, clock);
}

class KernelWatch implements FileWatch {
  readonly #listener: WatchListener;
  readonly #clock: Clock;
  #files: readonly string[];
  #watcher: Deno.FsWatcher | null = null;
  #polling: Disposable | null = null;
  #cancelRearm: () => void = () => {};
  #isDisposed = false;

  constructor(files: readonly string[], listener: WatchListener, clock: Clock) {
    this.#files = files;
    this.#listener = listener;
    this.#clock = clock;
    this.#arm();
  }

  update(files: readonly string[]): void {
    if (files.length === this.#files.length && files.every((file, index) => file === this.#files[index])) {
      return;
    }
    this.#files = files;
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#disarm();
  }

  #disarm(): void {
    this.#cancelRearm();
    this.#watcher?.close();
    this.#watcher = null;
    this.#polling?.[Symbol.dispose]();
    this.#polling = null;
  }

  #arm(): void {
    this.#disarm();
    if (this.#isDisposed) return;
    const directories = [...new Set(this.#files.map((file) => dirname(file)))];
    try {
      this.#watcher = Deno.watchFs(directories, { recursive: false });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return this.#rearmLater();
      // Out of inotify watches or instances, or a file system that cannot notify.
      this.#listener.onFallback(error);
      this.#polling = pollFiles(this.#files, this.#listener.onChange.bind(this.#listener), this.#clock);
      return;
    }
    void this.#read(this.#watcher, new Set(directories));
  }

  async #read(watcher: Deno.FsWatcher, directories: ReadonlySet<string>): Promise<void> {
    for await (const { kind, paths } of watcher) {
      const change = changeKind(kind);
      if (change === null || this.#watcher !== watcher) continue;
      for (const path of paths) {
        if (!directories.has(path)) this.#tell(path, change);
        else if (change === "remove") this.#lost(path);
      }
    }
  }

  /** The kernel tells about a directory that vanished, but not about what was in it. */
  #lost(directory: string): void {
    for (const file of this.#files) {
      if (dirname(file) === directory) this.#tell(file, "remove");
    }
    this.#rearmLater();
  }

  #tell(path: string, kind: FileChange["kind"]): void {
    this.#listener.onChange({ path, kind, at: this.#clock.now() });
  }

  /** Once the directory is back, everything in it may be new. */
  #rearmLater(): void {
    this.#disarm();
    this.#cancelRearm = this.#clock.after(rearmMs, () => {
      this.#arm();
      if (this.#watcher === null) return;
      for (const path of this.#files) {
        this.#listener.onChange({ path, kind: "create", at: this.#clock.now() });
      }
    });
  }
}

function changeKind(kind: Deno.FsEvent["kind"]): FileChange["kind"] | null {
  switch (kind) {
    case "create":
    case "modify":
    case "rename":
    case "remove":
      return kind;
    case "any":
    case "other":
      return "modify";
    default:
      return null;
  }
}
