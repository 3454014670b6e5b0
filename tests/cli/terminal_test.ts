/** Scripts on a terminal. */

import assert from "node:assert/strict";
import { fixture, sandboxSkip } from "./cordon.ts";

const skip = await sandboxSkip() || await terminalSkip();

/** Why no terminal can be made here. */
async function terminalSkip(): Promise<string> {
  try {
    await new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" }).output();
    return "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return " [skipped: script(1) of util-linux is not installed]";
    throw error;
  }
}

/** Everything that stands on the terminal in the end, what was typed included. */
async function onTerminal(args: readonly string[], typed: string): Promise<string> {
  const command = [Deno.execPath(), "run", "-A", "--no-check", "src/cli/main.ts", ...args].join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(typed));
  const { stdout } = await child.output();
  await writer.close().catch(() => {
    // The terminal has closed before: nobody reads there any more.
  });
  return new TextDecoder().decode(stdout).replaceAll("\r", "");
}

Deno.test({
  name: `cordon run shows nothing on a terminal but what the script prints${skip}`,
  ignore: skip !== "",
  async fn() {
    assert.equal(await onTerminal(["run", "examples/hello.ts"], ""), "Hello, you!\n");
  },
});

Deno.test({
  name: `cordon run --ask gives what the person at the terminal allows, and nothing else${skip}`,
  ignore: skip !== "",
  async fn() {
    const shown = await onTerminal(["run", "--ask", fixture("asks.ts")], "y\nn\n");
    const lines = shown.split("\n").filter((line) => /^(asks|got|denied)/.test(line));
    assert.deepEqual(lines, [
      'asks wants sys hostname  (permissions: { sys: ["hostname"] })',
      "got plugin",
      'asks wants sys osRelease  (permissions: { sys: ["osRelease"] })',
      "denied NotCapable",
    ]);
  },
});
