/**
 * The code that several processes of one plugin share.
 *
 * @module
 */

import type { Bundle } from "../bundle/types.ts";

/** Made by the first process that needs it, and the same for all others, whatever becomes of the files. */
export class PinnedCode {
  #bundle: Promise<Bundle> | null = null;

  /**
   * @param make Makes it; called again after it failed.
   * @returns The code.
   * @throws What `make` throws.
   */
  async get(make: () => Promise<Bundle>): Promise<Bundle> {
    const bundle = this.#bundle ??= make();
    try {
      return await bundle;
    } catch (error) {
      if (this.#bundle === bundle) this.#bundle = null;
      throw error;
    }
  }
}
