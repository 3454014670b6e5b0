/**
 * `cordon doctor`: proves, by trying, what this machine can confine.
 *
 * @module
 */

import { type Finding, LaunchError, SandboxUnavailableError } from "../../errors.ts";
import { probePlatform } from "../../platform/mod.ts";
import type { PlatformReport } from "../../platform/mod.ts";
import type { Command, CommandContext } from "../command.ts";
import { hasOption, optionValue, refuseSurplus } from "../command_line.ts";
import { EXIT } from "../exit_code.ts";
import { jsonLine } from "../json_value.ts";
import type { Output } from "../output.ts";
import { version } from "../version.ts";

/** The command. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Prove, by trying, what this machine can confine, and say how to repair it",
  usage: "[options]",
  options: [
    { name: "fix", value: "none", summary: "Print the commands that repair what is missing, one a line" },
    { name: "bwrap", value: "required", valueName: "PATH", summary: "Path of bubblewrap" },
    { name: "deno", value: "required", valueName: "PATH", summary: "Path of the Deno runtime for plugins" },
  ],
  examples: [
    ["cordon doctor", "A table of layers with the evidence; exit code 69 if plugins cannot be confined"],
    ["cordon doctor --json", "The same as data"],
    ["cordon doctor --fix", "Only the commands to run"],
  ],
  run,
};

interface Diagnosis {
  readonly machine: PlatformReport;
  /** What a plugin in a real sandbox could do; empty where none can be started. */
  readonly confinement: readonly Finding[];
  /** What a plugin could do with the GPUs; empty where there are none. */
  readonly gpu: readonly Finding[];
}

async function run({ line, output }: CommandContext): Promise<number> {
  refuseSurplus(line, "doctor", 0);
  const programs = { bwrap: optionValue(line, "bwrap") ?? null, deno: optionValue(line, "deno") ?? null };
  const machine = await probePlatform(programs);
  const isBlocked = machine.findings.some(({ level }) => level === "fail");
  const confinement = isBlocked ? [] : await tryConfinement(programs);
  const gpu = isBlocked || (machine.facts.gpuLibraries ?? []).length === 0 ? [] : await tryGpu(programs);
  const diagnosis: Diagnosis = { machine, confinement, gpu };
  const failures = [...machine.findings, ...confinement].filter(({ level }) => level === "fail");
  if (hasOption(line, "fix")) printFixes(diagnosis, output);
  else if (output.isJson) output.data(jsonLine(record(diagnosis)));
  else printTable(diagnosis, failures, output);
  return failures.length === 0 ? EXIT.ok : EXIT.unavailable;
}

interface Programs {
  readonly bwrap: string | null;
  readonly deno: string | null;
}

/** Only where the sandbox itself comes up: a failure would say the same again. */
async function tryGpu(programs: Programs): Promise<readonly Finding[]> {
  const { proveGpu } = await import("../../supervisor/prove_gpu.ts");
  return await proveGpu(hostPrograms(programs));
}

function hostPrograms({ bwrap, deno }: Programs): { readonly bwrap?: string; readonly deno?: string } {
  return { ...(bwrap === null ? {} : { bwrap }), ...(deno === null ? {} : { deno }) };
}

async function tryConfinement(programs: Programs): Promise<readonly Finding[]> {
  const { proveConfinement } = await import("../../supervisor/prove_confinement.ts");
  try {
    return await proveConfinement(hostPrograms(programs));
  } catch (error) {
    if (error instanceof LaunchError) return [failedStart(error)];
    if (error instanceof SandboxUnavailableError) return error.findings;
    throw error;
  }
}

/** The machine looks right and a sandbox still does not come up: that is a diagnosis too. */
function failedStart({ message, stage, stderrTail, hint }: LaunchError): Finding {
  return {
    id: "sandbox-start",
    level: "fail",
    summary: message,
    evidence: `stage ${stage}; stderr: ${stderrTail.trim().slice(-400) || "nothing"}`,
    ...(hint === undefined ? {} : { fix: [hint] }),
  };
}

function record({ machine, confinement, gpu }: Diagnosis): Record<string, unknown> {
  const findings = [...machine.findings, ...confinement];
  return {
    version: version(),
    canConfine: findings.every(({ level }) => level !== "fail"),
    facts: machine.facts,
    findings: machine.findings,
    confinement,
    gpu,
  };
}

function printTable(
  { machine, confinement, gpu }: Diagnosis,
  failures: readonly Finding[],
  output: Output,
): void {
  const { style } = output;
  output.note(style.bold(`Cordon ${version()} on this machine`));
  for (const finding of machine.findings) printFinding(finding, output);
  if (confinement.length > 0) {
    output.note("");
    output.note(style.bold("Tried from inside a real sandbox, with bait that the host itself has reached"));
    for (const finding of confinement) printFinding(finding, output);
  }
  if (gpu.length > 0) {
    output.note("");
    output.note(style.bold("Tried with the graphics driver and a plugin that was granted a GPU"));
    for (const finding of gpu) printFinding(finding, output);
  }
  output.note("");
  output.note(
    failures.length === 0
      ? style.green("Plugins can be confined here: every attempt to get out failed")
      : style.red(`Plugins cannot be confined here: ${failures.map(({ summary }) => summary).join("; ")}`),
  );
}

function printFinding({ level, summary, evidence, fix = [] }: Finding, output: Output): void {
  const { style } = output;
  const mark = {
    ok: style.green("ok  "),
    warn: style.yellow("warn"),
    fail: style.red("FAIL"),
    skip: style.dim("-   "),
  };
  output.note(`  ${mark[level]}  ${summary}`);
  if (evidence !== undefined) output.note(style.dim(`          ${evidence}`));
  if (level === "fail" || level === "warn") { for (const step of fix) output.note(`          fix: ${step}`); }
}

/** Steps that are no command become comments, so that the output can be read before it is piped into a shell. */
function printFixes({ machine, confinement, gpu }: Diagnosis, output: Output): void {
  const broken = [...machine.findings, ...confinement, ...gpu].filter(({ level }) =>
    level === "fail" || level === "warn"
  );
  for (const { summary, fix = [] } of broken) {
    output.data(`# ${summary}`);
    for (const step of fix) output.data(isCommand(step) ? step : `# ${step}`);
  }
  if (broken.length === 0) output.note("Nothing to repair");
}

function isCommand(step: string): boolean {
  return /^(sudo|echo|systemd-run|npm) /.test(step) && !/[<>…]/.test(step.replaceAll(/\|\s*sudo tee/g, ""));
}
