/**
 * Filters that were compiled before.
 *
 * @module
 */

import type { SeccompProfile } from "../../policy/types.ts";
import { bwrapFilter, type FilterStage, guestFilter } from "./filters.ts";

/** Compiles each filter once: most sandboxes of a host have the same, and both take a millisecond of a start. */
export class CompiledFilters {
  readonly #known = new Map<string, Uint8Array>();

  /**
   * The filter of a stage.
   *
   * @param stage Which filter.
   * @param profile What the policy leaves open.
   * @param architecture As in `Deno.build.arch`.
   * @returns As `bwrapFilter()` or `guestFilter()` gives it; shared, so not to be changed.
   * @throws {SandboxUnavailableError} If the architecture is not known.
   */
  of(stage: FilterStage, profile: SeccompProfile, architecture: string): Uint8Array {
    const entries = Object.entries(profile).sort(([a], [b]) => a < b ? -1 : 1);
    const key = JSON.stringify([stage, architecture, entries]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const compile = stage === "bwrap" ? bwrapFilter : guestFilter;
    const filter = compile(profile, architecture);
    this.#known.set(key, filter);
    return filter;
  }
}
