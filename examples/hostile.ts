/**
 * A plugin with bad intentions. It tries one way after the other and reports what it was answered.
 *
 *     deno task cordon run examples/hostile.ts
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";

/** What the attacker is after. */
export interface Targets {
  /** A file that only the host may read. */
  readonly file: string;
  /** A TCP port of the host on 127.0.0.1. */
  readonly port: number;
  /** A variable in the host's environment. */
  readonly variable: string;
}

/** How one attempt ended. */
export interface Attempt {
  readonly goal: string;
  readonly how: string;
  /** The attacker got what it wanted. */
  readonly succeeded: boolean;
  /** The error, or what was found. */
  readonly answer: string;
}

type Trick = readonly [goal: string, how: string, attempt: () => unknown];

/** Tries everything. An attempt that ends without an error and with a value has succeeded. */
export async function attack(targets: Targets): Promise<Attempt[]> {
  const results: Attempt[] = [];
  for (const [goal, how, attempt] of tricks(targets)) {
    try {
      const found = await attempt();
      results.push({
        goal,
        how,
        succeeded: found !== undefined,
        answer: found === undefined ? "nothing" : `${found}`,
      });
    } catch (error) {
      results.push({ goal, how, succeeded: false, answer: describe(error) });
    }
  }
  return results;
}

function tricks({ file, port, variable }: Targets): Trick[] {
  return [
    ["read a secret", "Deno.readTextFile", () => Deno.readTextFile(file)],
    ["read a secret", "node:fs", () => readFileSync(file, "utf8")],
    ["read a secret", "import()", async () => (await import(file)).default],
    ["read the accounts", "/etc/passwd", () => Deno.readTextFile("/etc/passwd")],
    ["read the environment", "/proc/self/environ", () => Deno.readTextFile("/proc/self/environ")],
    [
      "change the secret",
      "Deno.writeTextFile",
      () => Deno.writeTextFile(file, "owned").then(() => "written"),
    ],
    [
      "leave a file",
      "Deno.create",
      () => Deno.create(`${file}.left`).then((left) => `${left.close() ?? "left"}`),
    ],
    ["reach the host", "Deno.connect", () => reach(port)],
    ["reach the host", "node:net", () => reachWithNode(port)],
    ["phone home", "fetch", async () => (await fetch("https://example.com/")).status],
    ["start a program", "Deno.Command", async () => (await new Deno.Command("/bin/sh").output()).code],
    ["start a program", "node:child_process", () => execSync("id").toString()],
    [
      "run native code",
      "Deno.dlopen",
      () => typeof Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }),
    ],
    ["read a variable", "Deno.env", () => Deno.env.get(variable)],
    ["read a variable", "process.env", () => process.env[variable]],
    ["ask for more", "permissions.request", () => askForMore()],
    ["signal the host", "Deno.kill", () => `${Deno.kill(Deno.ppid, "SIGCONT") ?? "signalled"}`],
    ["learn the host's name", "Deno.hostname", () => Deno.hostname()],
  ];
}

async function reach(port: number): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  return `connected to ${connection.remoteAddr.transport}`;
}

function reachWithNode(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1", () => resolve("connected")).on("error", reject);
  return promise.finally(() => socket.destroy());
}

async function askForMore(): Promise<string | undefined> {
  const { state } = await Deno.permissions.request({ name: "read" });
  return state === "granted" ? state : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split("\n")[0]}` : String(error);
}

if (import.meta.main) {
  const attempts = await attack({ file: "/etc/hostname", port: 22, variable: "HOME" });
  for (const { goal, how, succeeded, answer } of attempts) {
    console.log(`${succeeded ? "GOT IT " : "refused"}  ${goal} (${how}): ${answer}`);
  }
  Deno.exit(attempts.some(({ succeeded }) => succeeded) ? 1 : 0);
}
