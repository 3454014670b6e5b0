/** What plugins print, and where it goes. */

import assert from "node:assert/strict";
import { hostHooks } from "../../src/supervisor/host_events.ts";
import { PluginOutput, type PluginOutputSetup } from "../../src/supervisor/plugin_output.ts";
import { testHost } from "../testing/fixtures.ts";

const encoder = new TextEncoder();

function printed(text: string, options: Partial<PluginOutputSetup> = {}): string {
  const written: Uint8Array[] = [];
  const stderr = {
    writeSync: (bytes: Uint8Array) => (written.push(bytes.slice(0, 7)), Math.min(7, bytes.length)),
  };
  const output = new PluginOutput({
    name: "noisy",
    output: "inherit",
    hooks: hostHooks(),
    rewrite: (line) => line,
    stderr,
    ...options,
  });
  output.push("stdout", encoder.encode(text));
  output.end();
  return new TextDecoder().decode(new Uint8Array(written.flatMap((bytes) => [...bytes])));
}

Deno.test("PluginOutput writes each line with the plugin's name in front, also in small writes", () => {
  assert.equal(printed("one\n\ttwo"), "[noisy] one\n[noisy] \ttwo\n");
});

Deno.test("PluginOutput lets no plugin move the cursor, forge a line or hide text", () => {
  assert.equal(printed("a\x1b[2Jb\rc\u202ed\n"), "[noisy] a\\u{1b}[2Jb\\u{d}c\\u{202e}d\n");
});

Deno.test("PluginOutput shows positions in the sources", () => {
  assert.equal(
    printed("at main.js\n", { rewrite: (line) => line.replace("main.js", "src.ts") }),
    "[noisy] at src.ts\n",
  );
});

Deno.test("PluginOutput writes nothing when output is ignored, and tells listeners all the same", () => {
  const hooks = hostHooks();
  const lines: unknown[] = [];
  hooks.on("output", (event) => lines.push(event));
  assert.equal(printed("a\x07\n", { output: "ignore", hooks }), "");
  assert.deepEqual(lines, [{ plugin: "noisy", stream: "stdout", line: "a\\u{7}" }]);
});

Deno.test("PluginOutput goes on when a function throws or standard error is closed, and tells the hooks", () => {
  const hooks = hostHooks();
  const failures: string[] = [];
  hooks.on("listener-error", ({ event, error }) => failures.push(`${event} ${error}`));
  const fails = (): never => {
    throw new Error("closed");
  };
  printed("a\nb\n", { output: fails, hooks });
  printed("c\n", { stderr: { writeSync: fails }, hooks });
  assert.deepEqual(failures, ["output Error: closed", "output Error: closed", "output Error: closed"]);
});

Deno.test("LoadOptions.output gets every line of a plugin, while it is imported too, with its stream", async () => {
  await using test = await testHost();
  const lines: string[] = [];
  const path = await test.plugin(`
    console.log("importing");
    export function speak() { console.error("error", 1); console.log("out\\nput"); }
  `);
  const plugin = await test.host.load<{ speak(): void }>(path, {
    output: (line, stream) => lines.push(`${stream} ${line}`),
  });
  await plugin.api.speak();
  await plugin.stop();
  assert.deepEqual(lines.filter((line) => line.startsWith("stdout")), [
    "stdout importing",
    "stdout out",
    "stdout put",
  ]);
  assert.deepEqual(lines.filter((line) => line.startsWith("stderr")), ["stderr error 1"]);
});

Deno.test("a plugin's console is on the host's standard error unless the host says otherwise", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const speak = () => console.log("hello \\x1b[31mred");`);
  const program = `
    import { createHost } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
    await using host = await createHost({ runtimeDirectory: ${JSON.stringify(`${test.runtimeDirectory}2`)} });
    for (const output of [undefined, "ignore"]) {
      await using plugin = await host.load(${JSON.stringify(path)}, output === undefined ? {} : { output });
      await plugin.api.speak();
    }
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(encoder.encode(program));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  assert.deepEqual([code, text.decode(stdout), text.decode(stderr)], [
    0,
    "",
    "[plugin1] hello \\u{1b}[31mred\n",
  ]);
});

Deno.test("host.run() gives a script's output to a function, with an empty standard input", async () => {
  await using test = await testHost();
  const lines: string[] = [];
  const path = await test.plugin(`
    const input = await new Response(Deno.stdin.readable).text();
    console.log("read " + input.length);
  `);
  const result = await test.host.run(path, { output: (line) => lines.push(line) });
  assert.deepEqual([result.code, lines], [0, ["read 0"]]);
});

Deno.test("host.run() gives a script its arguments, which it cannot change", async () => {
  await using test = await testHost();
  const lines: string[] = [];
  const path = await test.plugin(`
    try {
      Deno.args.push("another");
    } catch (error) {
      console.log(error.name);
    }
    console.log(JSON.stringify(Deno.args));
  `);
  await test.host.run(path, { args: ["--flag", "a b"], output: (line) => lines.push(line) });
  assert.deepEqual(lines, ["TypeError", '["--flag","a b"]']);
});
