/**
 * What plugins run on.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";
import type { Runtime } from "../launcher/types.ts";
import { blockingFindings } from "../platform/mod.ts";
import type { PlatformReport } from "../platform/mod.ts";

/**
 * The programs that sandboxes are made of.
 *
 * @param platform What the machine can do.
 * @returns Bubblewrap, which may be missing, and Deno.
 * @throws {SandboxUnavailableError} If there is no Deno: then no plugin can run at all.
 */
export function pluginRuntime(platform: PlatformReport): Runtime {
  const { bwrap, deno } = platform.facts;
  if (deno !== null) return { bwrap, deno };
  const findings = blockingFindings(platform);
  const { summary, fix } = findings.find(({ id }) => id === "deno") ?? { summary: "there is no Deno" };
  throw new SandboxUnavailableError(`Cannot run plugins: ${summary}`, { findings, hint: fix?.[0] });
}
