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

/** What the attacker is after when it was granted a directory and two facts about the system. */
export interface NarrowTargets {
  /** In the granted directory: a symbolic link to a file outside of it. */
  readonly link: string;
  /** Name of the host. */
  readonly hostname: string;
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
  return await tryAll(tricks(targets));
}

/** Tries what Deno's permissions let through, so that the layers behind them have to answer. */
export async function attackBehindPermissions(targets: NarrowTargets): Promise<Attempt[]> {
  return await tryAll(narrowTricks(targets));
}

async function tryAll(tricks: readonly Trick[]): Promise<Attempt[]> {
  const results: Attempt[] = [];
  for (const [goal, how, attempt] of tricks) {
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
    ["ask for more", "permissions.request", askForMore],
    ["signal the host", "Deno.kill", () => `${Deno.kill(Deno.ppid, "SIGCONT") ?? "signalled"}`],
    ["learn the host's name", "Deno.hostname", () => Deno.hostname()],
  ];
}

function narrowTricks({ link, hostname }: NarrowTargets): Trick[] {
  return [
    ["follow a link out of its directory", "Deno.readTextFile", () => Deno.readTextFile(link)],
    ["learn the host's name", "Deno.hostname", () => Deno.hostname() === hostname ? hostname : undefined],
    ["see the host's network", "Deno.networkInterfaces", () => outsideInterfaces()],
  ];
}

/** Names of the interfaces that lead anywhere; the loopback of an empty namespace does not. */
function outsideInterfaces(): string | undefined {
  const names = Deno.networkInterfaces().map(({ name }) => name).filter((name) => name !== "lo");
  return names.length > 0 ? names.join(" ") : undefined;
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

async function askForMore(): Promise<string> {
  const { state } = await Deno.permissions.request({ name: "read" });
  if (state !== "granted") throw new Error(`the answer was "${state}"`);
  return state;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [firstLine = ""] = error.message.split("\n");
  return `${error.name}: ${firstLine.replace(/, run again with the --allow-\S+ flag$/, "")}`;
}

if (import.meta.main) {
  const attempts = await attack({ file: "/etc/hostname", port: 22, variable: "PATH" });
  for (const { goal, how, succeeded, answer } of attempts) {
    console.log(`${succeeded ? "GOT IT " : "refused"}  ${goal} (${how}): ${answer}`);
  }
  Deno.exit(attempts.some(({ succeeded }) => succeeded) ? 1 : 0);
}
