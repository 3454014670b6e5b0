/**
 * Shows an error to a person, or to a program.
 *
 * @module
 */

import { BundleError, ConfigError, CordonError, LaunchError, PermissionDeniedError } from "../errors.ts";
import { type Finding, PluginCrashedError, RemoteError, SandboxUnavailableError } from "../errors.ts";
import type { Output } from "./output.ts";
import { flagOfPath } from "./plugin_flags.ts";

/** Whose code threw: a plugin's error is shown with its own frames, an unexpected one of Cordon's with all. */
export type ErrorOrigin = "cordon" | "plugin";

/**
 * Print an error.
 *
 * @param error What ended the command.
 * @param output Where to.
 * @param origin Whose code threw it. @default "cordon"
 */
export function reportError(error: unknown, output: Output, origin: ErrorOrigin = "cordon"): void {
  const lines = output.isJson
    ? [JSON.stringify({ error: errorRecord(error) })]
    : errorLines(error, output, origin);
  for (const line of lines) output.note(line);
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

function errorLines(error: unknown, { style }: Output, origin: ErrorOrigin): readonly string[] {
  if (!(error instanceof Error)) return [`${style.red("error")}: ${String(error)}`];
  const lines = [`${style.red("error")}${headline(error, origin)}`];
  if (error instanceof SandboxUnavailableError || error instanceof LaunchError) {
    lines.push(...findingLines(error));
  }
  if (error instanceof BundleError) lines.push(...locationLines(error));
  lines.push(...pluginFrames(error, origin).map(style.dim));
  if (error instanceof PluginCrashedError || error instanceof LaunchError) {
    lines.push(...tailLines(error, lines));
  }
  if (error instanceof PermissionDeniedError) lines.push(`${style.bold("grant")}: ${error.suggestion}`);
  const hint = hintOf(error);
  if (hint !== undefined) lines.push(`${style.bold("hint")}: ${hint}`);
  if (origin === "cordon" && !(error instanceof CordonError)) lines.push(style.dim(error.stack ?? ""));
  return lines;
}

/** An error of ours says in its message what it is; one of a plugin's is known by its class. */
function headline(error: Error, origin: ErrorOrigin): string {
  const flag = error instanceof ConfigError ? flagOfPath(error.path) : null;
  if (flag !== null) return ` in ${flag}: ${error.message}`;
  if (error instanceof RemoteError) return `: ${error.remoteName}: ${error.message}`;
  const isForeign = origin === "plugin" && !(error instanceof CordonError);
  return isForeign ? `: ${error.name}: ${error.message}` : `: ${error.message}`;
}

/** Deno names the permission in its refusal; here it is one option of the command line. */
function hintOf(error: Error): string | undefined {
  const refusal = /Requires (read|write|net|env|sys) access to "([^"]+)"/.exec(error.message);
  if (refusal !== null) return `To grant it: --allow-${refusal[1]}=${refusal[2]}`;
  const hint = error instanceof CordonError ? error.hint : undefined;
  return hint?.replace(/permissions: \{ (read|write|net|env|sys): \["([^"]*)"\] \}/, "--allow-$1=$2");
}

function locationLines({ message, location }: BundleError): readonly string[] {
  if (location === undefined) return [];
  const place = `${location.file}:${location.line}:${location.column}`;
  return message.includes(place) ? [] : [`    at ${place}`];
}

function findingLines(error: { readonly findings: readonly Finding[] }): readonly string[] {
  return error.findings.flatMap(({ summary, fix = [] }) => [
    `  - ${summary}`,
    ...fix.map((step) => `      ${step}`),
  ]);
}

/** Where in the plugin's own source it happened: neither the guest's frames nor the runtime's. */
function pluginFrames(error: Error, origin: ErrorOrigin): readonly string[] {
  const source = error instanceof LaunchError && error.stage === "import" ? error.cause : error;
  const isForeign = source !== error || origin === "plugin" || source instanceof RemoteError;
  if (!isForeign || !(source instanceof Error)) return [];
  const stack = source instanceof RemoteError ? source.remoteStack : source.stack ?? "";
  return stack.split("\n").filter((line) =>
    /^\s+at /.test(line) && !/cordon:guest|\(?ext:|node:internal/.test(line)
  );
}

function tailLines(error: PluginCrashedError | LaunchError, shown: readonly string[]): readonly string[] {
  const tail = error.stderrTail.trim();
  if (tail === "" || shown.some((line) => line.includes(tail))) return [];
  return ["  the last that it wrote to stderr:", ...tail.split("\n").slice(-12).map((line) => `    ${line}`)];
}
