/**
 * `cordon explain`: what would confine a plugin, without starting it.
 *
 * @module
 */

import type { Explanation } from "../../supervisor/explain_plugin.ts";
import { sizeText } from "../../util/size.ts";
import type { Command, CommandContext } from "../command.ts";
import { refuseSurplus } from "../command_line.ts";
import { entryModule } from "../entry_module.ts";
import { EXIT } from "../exit_code.ts";
import { jsonLine } from "../json_value.ts";
import { hostOptions, loadOptions, PLUGIN_OPTIONS } from "../plugin_flags.ts";

/** The command. */
export const explainCommand: Command = {
  name: "explain",
  summary:
    "Show the policy, the Deno flags, the bwrap options and the system calls of a plugin, without running it",
  usage: "[options] <plugin>",
  options: PLUGIN_OPTIONS,
  examples: [
    ["cordon explain --allow-read=./data plugin.ts", "What that grant becomes in every layer"],
    ["cordon explain plugin.ts --json", "The same as data"],
  ],
  run,
};

async function run({ line, output }: CommandContext): Promise<number> {
  refuseSurplus(line, "explain", 1);
  const entry = await entryModule(line.positionals[0], "explain");
  const { explainPlugin } = await import("../../supervisor/explain_plugin.ts");
  const explanation = await explainPlugin(entry, loadOptions(line), hostOptions(line));
  if (output.isJson) output.data(jsonLine(explanation));
  else for (const text of explanationLines(explanation)) output.data(text);
  return EXIT.ok;
}

function explanationLines({ policy, denoFlags, bwrapOptions, refusedCalls }: Explanation): readonly string[] {
  const { enforcement } = policy;
  return [
    `plugin ${policy.plugin}, tier ${policy.tier}`,
    "",
    "Granted",
    ...section(policy.mounts.map(({ source, target, mode }) => `${mode}  ${source}${arrow(source, target)}`)),
    `  network      ${networkText(policy.network)}`,
    `  variables    ${Object.keys(policy.environment).join(", ") || "none"}`,
    `  account      ${
      policy.runAs === null ? "that of the host" : `uid ${policy.runAs.uid}, gid ${policy.runAs.gid}`
    }`,
    "",
    "Limits",
    ...section(
      Object.entries(enforcement).map(([name, { requested, mechanism, hard, note = "" }]) =>
        `${name.padEnd(11)} ${amount(name, requested).padEnd(10)} ${mechanism}${hard ? ", hard" : ""}` +
        (note === "" ? "" : ` (${note})`)
      ),
    ),
    "",
    "Deno",
    ...section(denoFlags),
    "",
    "bubblewrap",
    ...section(bwrapOptions === null ? ["not used in this tier"] : groupedOptions(bwrapOptions)),
    ...(refusedCalls === null ? [] : ["", "System calls refused", ...section(wrapped(refusedCalls))]),
  ];
}

/** Limits that count bytes; the others have their unit in the text. */
const BYTES: readonly string[] = ["memory", "fileSize", "tmp", "output", "core"];
const UNITS: Readonly<Record<string, string>> = { cpuPercent: " %", cpuSeconds: " s", wallMs: " ms" };

function amount(name: string, requested: number | null): string {
  if (requested === null) return "no bound";
  return BYTES.includes(name) ? sizeText(requested) : `${requested}${UNITS[name] ?? ""}`;
}

function section(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ["  none"] : lines.map((text) => `  ${text}`);
}

function arrow(source: string, target: string): string {
  return source === target ? "" : ` → ${target}`;
}

function networkText(network: Explanation["policy"]["network"]): string {
  switch (network.kind) {
    case "none":
      return "none: an empty network of its own";
    case "host":
      return "the whole network of the host";
    case "proxy":
      return `through the host's proxy: ${network.allow.join(", ")}`;
  }
}

/** One option with its values a line. */
function groupedOptions(options: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const option of options) {
    if (option.startsWith("--") || lines.length === 0) lines.push(option);
    else lines[lines.length - 1] += ` ${option}`;
  }
  return lines;
}

function wrapped(names: readonly string[]): readonly string[] {
  const lines: string[] = [""];
  for (const name of names) {
    const last = lines[lines.length - 1] ?? "";
    if (last.length + name.length > 100) lines.push(name);
    else lines[lines.length - 1] = last === "" ? name : `${last} ${name}`;
  }
  return lines;
}
