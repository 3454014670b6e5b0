/**
 * Shows an error to a person, or to a program.
 *
 * @module
 */

import { BundleError, ConfigError, CordonError, LaunchError, PermissionDeniedError } from "../errors.ts";
import { PluginCrashedError, RemoteError, SandboxUnavailableError } from "../errors.ts";
import type { Output } from "./output.ts";
import { flagOfPath } from "./plugin_flags.ts";

/**
 * Print an error.
 *
 * @param error What ended the command.
 * @param output Where to.
 */
export function reportError(error: unknown, output: Output): void {
  if (output.isJson) output.note(JSON.stringify({ error: errorRecord(error) }));
  else for (const line of errorLines(error, output)) output.note(line);
}

/**
 * The facts of an error as plain data.
 *
 * @param error Anything that was thrown.
 * @returns Name, message and whatever facts its class has.
 */
export function errorRecord(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const facts: Record<string, unknown> = { name: error.name, message: error.message };
  for (const [key, value] of Object.entries(error)) {
    if (key !== "cause" && key !== "name" && key !== "stack" && value !== undefined) facts[key] = value;
  }
  return facts;
}

function errorLines(error: unknown, { style }: Output): readonly string[] {
  if (!(error instanceof Error)) return [`${style.red("error")}: ${String(error)}`];
  const flag = error instanceof ConfigError ? flagOfPath(error.path) : null;
  const lines = [`${style.red("error")}${flag === null ? "" : ` in ${flag}`}: ${error.message}`];
  if (error instanceof SandboxUnavailableError) lines.push(...findingLines(error));
  if (error instanceof BundleError && error.location !== undefined) {
    const { file, line, column } = error.location;
    lines.push(`    at ${file}:${line}:${column}`);
  }
  const stack = pluginStack(error);
  if (stack !== "") lines.push(style.dim(stack));
  if (error instanceof PluginCrashedError || error instanceof LaunchError) {
    lines.push(...tailLines(error, lines));
  }
  if (error instanceof PermissionDeniedError) lines.push(`${style.bold("grant")}: ${error.suggestion}`);
  if (error instanceof CordonError && error.hint !== undefined) {
    lines.push(`${style.bold("hint")}: ${error.hint}`);
  }
  if (isUnexpected(error)) lines.push(style.dim(error.stack ?? ""));
  return lines;
}

function findingLines(error: SandboxUnavailableError): readonly string[] {
  return error.findings.flatMap(({ summary, fix = [] }) => [
    `  - ${summary}`,
    ...fix.map((step) => `      ${step}`),
  ]);
}

/** Where in the plugin's own source it happened. */
function pluginStack(error: Error): string {
  if (error instanceof RemoteError) return frames(error.remoteStack);
  if (error instanceof LaunchError && error.stage === "import" && error.cause instanceof Error) {
    return error.cause instanceof RemoteError
      ? frames(error.cause.remoteStack)
      : frames(error.cause.stack ?? "");
  }
  return "";
}

function frames(stack: string): string {
  return stack.split("\n").filter((line) => /^\s+at /.test(line)).join("\n");
}

function tailLines(error: PluginCrashedError | LaunchError, shown: readonly string[]): readonly string[] {
  const tail = error.stderrTail.trim();
  if (tail === "" || shown.some((line) => line.includes(tail))) return [];
  return ["  the last that it wrote to stderr:", ...tail.split("\n").slice(-12).map((line) => `    ${line}`)];
}

/** Whatever is no class of ours is a mistake of ours: show where. */
function isUnexpected(error: Error): boolean {
  return !(error instanceof CordonError);
}
