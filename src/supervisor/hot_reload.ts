/**
 * Reloads a plugin when its files change: after they have settled, one reload at a time, and not over and over in vain.
 *
 * @module
 */

import { extname } from "node:path";
import type { FileChange, WatchConfig } from "../config/types.ts";
import type { Clock } from "../util/clock.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";
import { Debouncer } from "./debouncer.ts";
import type { FileWatch, WatchFiles } from "./watch_files.ts";

/** Files that a plugin can be made of. */
const sourceExtensions = new Set(
  [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".jsonc", ".wasm", ".txt", ".css"],
);

/** What happened. */
export type ReloadEvent =
  /** Files have settled: a new version is being started. */
  | { readonly kind: "reloading"; readonly changes: readonly FileChange[] }
  /** It answers calls now. */
  | { readonly kind: "reloaded" }
  /** It did not come up; the old version goes on. */
  | { readonly kind: "failed"; readonly error: unknown }
  /** Too many failures in a row: the next reload is at `until`, in milliseconds since the epoch. */
  | { readonly kind: "paused"; readonly until: number }
  /** The kernel cannot watch: files are compared at intervals. */
  | { readonly kind: "polling"; readonly error: unknown };

/** What a hot reload takes from its surroundings. */
export interface HotReloadSetup {
  readonly config: WatchConfig;
  readonly clock: Clock;
  readonly watch: WatchFiles;
  /** Files of the version that answers calls now, absolute. */
  readonly files: () => readonly string[];
  /** Starts and switches to a new version. */
  readonly reload: () => Promise<void>;
  /** Told about everything. Must not throw. */
  readonly report: (event: ReloadEvent) => void;
}

/** Watches and reloads until it is disposed. A reload that is under way then goes on by itself. */
export class HotReload implements Disposable {
  readonly #setup: HotReloadSetup;
  readonly #breaker: CircuitBreaker;
  readonly #debouncer: Debouncer;
  readonly #watch: FileWatch;
  #watched: ReadonlySet<string>;
  /** Changes that came while a reload was under way or paused. */
  #waiting: FileChange[] = [];
  #isReloading = false;
  #hasFailed = false;
  #isDisposed = false;
  #cancelPause: (() => void) | null = null;

  /** Watches from now on. */
  constructor(setup: HotReloadSetup) {
    const { clock, config } = setup;
    this.#setup = setup;
    this.#breaker = new CircuitBreaker(clock, config);
    this.#debouncer = new Debouncer(clock, config.debounce, (changes) => this.#settled(changes));
    const files = setup.files();
    this.#watched = new Set(files);
    this.#watch = setup.watch(files, {
      onChange: (change) => this.#changed(change),
      onFallback: (error) => setup.report({ kind: "polling", error }),
    }, clock);
  }

  /** Stops watching. Idempotent. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#watch[Symbol.dispose]();
    this.#debouncer[Symbol.dispose]();
    this.#cancelPause?.();
  }

  #changed(change: FileChange): void {
    // A version that did not come up may be made of files that nobody knows yet: any source beside the old ones counts.
    const mayBeNew = this.#hasFailed && sourceExtensions.has(extname(change.path));
    if (this.#isDisposed || (!this.#watched.has(change.path) && !mayBeNew)) return;
    this.#debouncer.push(change);
  }

  #settled(changes: readonly FileChange[]): void {
    this.#waiting.push(...changes);
    if (!this.#isReloading && this.#cancelPause === null) void this.#reload();
  }

  async #reload(): Promise<void> {
    const { files, reload, report } = this.#setup;
    if (!this.#breaker.tryAcquire()) return this.#pause();
    this.#isReloading = true;
    const changes = Object.freeze(this.#waiting.splice(0));
    report({ kind: "reloading", changes });
    try {
      await reload();
      this.#breaker.succeed();
      this.#hasFailed = false;
      report({ kind: "reloaded" });
    } catch (error) {
      this.#breaker.fail();
      this.#hasFailed = true;
      report({ kind: "failed", error });
    }
    this.#isReloading = false;
    if (this.#isDisposed) return;
    const now = files();
    this.#watched = new Set(now);
    this.#watch.update(now);
    this.#resume();
  }

  /** The last content wins, also when it was written during the pause. */
  #pause(): void {
    const { clock, report } = this.#setup;
    const { state } = this.#breaker;
    const until = state.state === "open" ? state.until : clock.now();
    report({ kind: "paused", until });
    this.#cancelPause = clock.after(until - clock.now(), () => {
      this.#cancelPause = null;
      this.#resume();
    });
  }

  #resume(): void {
    if (!this.#isDisposed && !this.#isReloading && this.#waiting.length > 0) void this.#reload();
  }
}
