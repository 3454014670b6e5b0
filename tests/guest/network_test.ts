/** Checks that every network API of a plugin works through the proxy for listed hosts, and only for them. */

import assert from "node:assert/strict";
import { ALLOW, checkCases } from "./network_harness.ts";

const CASES = decodeURIComponent(new URL("./network_cases.ts", import.meta.url).pathname);
const problem = await namespaceProblem();

Deno.test({
  name: `installNetwork() makes every API reach listed hosts and only those${
    problem === null ? "" : ` [skipped: ${problem}]`
  }`,
  ignore: problem !== null,
  fn: async (t) => {
    const directory = await Deno.makeTempDir();
    const socketPath = `${directory}/net.sock`;
    await checkCases(t, { socketPath }, async ({ authority, hostPort }) => {
      const { stdout, stderr, code } = await inside(socketPath, [socketPath, authority, hostPort]);
      assert.equal(code, 0, stderr);
      return stdout;
    });
    await Deno.remove(directory, { recursive: true });
  },
});

async function inside(
  socketPath: string,
  args: readonly string[],
): Promise<{ stdout: string; stderr: string; code: number }> {
  const net = [...ALLOW, "127.0.0.1", `unix:${socketPath}`].join(",");
  const output = await new Deno.Command("bwrap", {
    args: [
      ...[
        "--unshare-user",
        "--unshare-net",
        "--die-with-parent",
        "--bind",
        "/",
        "/",
        "--",
        Deno.execPath(),
        "run",
      ],
      ...["--no-prompt", "--cached-only", `--allow-net=${net}`, `--allow-read=${socketPath}`],
      ...[`--allow-write=${socketPath}`, CASES, ...args],
    ],
    clearEnv: true,
    env: { ALL_PROXY: "socks5h://127.0.0.1:1080", NO_COLOR: "1", HOME: Deno.env.get("HOME") ?? "/" },
  }).output();
  const text = new TextDecoder();
  return { stdout: text.decode(output.stdout), stderr: text.decode(output.stderr), code: output.code };
}

/** Why this machine cannot give a process its own network namespace; null if it can. */
async function namespaceProblem(): Promise<string | null> {
  try {
    const args = ["--unshare-user", "--unshare-net", "--bind", "/", "/", "--", "/bin/true"];
    const { success, stderr } = await new Deno.Command("bwrap", { args, clearEnv: true }).output();
    return success ? null : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no bubblewrap";
    throw error;
  }
}
