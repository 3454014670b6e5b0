/**
 * Picks the findings that stand in the way of confinement.
 *
 * @module
 */

import type { Finding } from "../errors.ts";
import type { PlatformReport } from "./types.ts";

/**
 * Pick what prevents `sandbox: "required"`.
 *
 * @param report Result of `probePlatform()`.
 * @returns The findings of level `fail`, in the report's order.
 */
export function blockingFindings(report: PlatformReport): readonly Finding[] {
  return report.findings.filter(({ level }) => level === "fail");
}
