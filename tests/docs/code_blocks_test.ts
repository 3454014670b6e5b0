/** Every code block of the documentation runs, is parsed, or is listed here with what runs it instead. */

import assert from "node:assert/strict";
import { pluginManifest } from "../../src/config/manifest.ts";
import { sandboxSkip } from "../cli/cordon.ts";
import { REPOSITORY } from "../examples/run.ts";
import { type Folder, folderWith } from "../testing/fixtures.ts";
import { type CodeBlock, codeBlocks, documents, namedFiles } from "./code_blocks.ts";

const skip = await sandboxSkip();
const blocks = (await Promise.all((await documents()).map(codeBlocks))).flat();

/** What stands for a command: its beginning or all of it, and the file that does the same, with a word of it. */
interface Exception {
  readonly command: RegExp;
  readonly file: string;
  readonly word: string;
}

/** Commands that are not run here, because they take minutes, start this very test, or need something to be answered. */
const EXCEPTIONS: readonly Exception[] = [
  { command: /^npx -y deno task demo$/, file: "tests/examples/demo_test.ts", word: "demo" },
  {
    command: /^npx -y deno task cordon init my_host$/,
    file: "tests/cli/init_test.ts",
    word: '"init", folder.path',
  },
  { command: /^npx -y deno task test$/, file: ".ci/run", word: "npx -y deno task test" },
  { command: /^setpriv .* npx -y deno task test$/, file: ".ci/run", word: "npx -y deno task test" },
  { command: /^npx -y deno task ok$/, file: "tools/ok.ts", word: "steps passed" },
  { command: /^(npx -y )?deno task bench/, file: "tests/docs/tasks_test.ts", word: '"bench"' },
  { command: /^npx -y deno task build$/, file: "tests/docs/tasks_test.ts", word: '"build"' },
  { command: /^deno task compile$/, file: "tests/package/compiled_test.ts", word: "isSplit: true" },
  { command: /^cordon compile /, file: "tests/package/compiled_test.ts", word: '"compile"' },
  { command: /--inspect/, file: "tests/supervisor/inspector_test.ts", word: "--inspect-wait" },
  { command: /^cd my_host$/, file: "tests/cli/init_test.ts", word: "a project that starts" },
  { command: /^(npx -y )?deno task (start|test)$/, file: "tests/cli/init_test.ts", word: "start:" },
  { command: /^deno task longest$/, file: "tests/examples/template_test.ts", word: '["task", "longest"]' },
  { command: /^deno task doctor$/, file: "tests/examples/template_test.ts", word: '["task", "doctor"]' },
];

/** Blocks of code that need something this machine may not have, or more files than one. */
const IGNORED: readonly {
  readonly path: string;
  readonly has: string;
  readonly file: string;
  readonly word: string;
}[] = [
  { path: "README.md", has: "// host.ts", file: "tests/package/published_test.ts", word: "host.ts" },
  { path: "README.md", has: "// resize.ts", file: "tests/package/published_test.ts", word: "namedFiles" },
  { path: "README.md", has: "// database.ts", file: "tests/package/published_test.ts", word: "namedFiles" },
  { path: "docs/tensors.md", has: "cuda.tensor(", file: "tests/gpu", word: "copyToHost" },
  { path: "docs/tensors.md", has: "// scale.ts", file: "tests/gpu", word: "launch" },
];

Deno.test("every code block of the documentation says what it is", () => {
  assert.ok(blocks.length > 50, `${blocks.length} blocks`);
  const known = ["ts", "tsx", "ts ignore", "json", "sh", "text"];
  assert.deepEqual(blocks.filter(({ kind }) => !known.includes(kind)).map(({ place }) => place), []);
});

Deno.test("every code block that is left out of the tests is listed with what runs it", async () => {
  for (const { kind, path, place, text } of blocks) {
    if (kind !== "ts ignore") continue;
    const found = IGNORED.find((one) => one.path === path && text.includes(one.has));
    assert.ok(found !== undefined, `${place} is not listed`);
    assert.ok(await mentions(found.file, found.word), `${found.file} does not run ${place}`);
  }
});

Deno.test("every JSON block of the documentation is valid", () => {
  for (const { kind, path, text } of blocks) {
    if (kind !== "json") continue;
    const value = JSON.parse(text);
    if (path === "docs/supervision.md") assert.ok(pluginManifest(value, "/plugins/a/cordon.json"));
  }
});

Deno.test({
  name: `every command of the documentation runs${skip}`,
  ignore: skip !== "",
  async fn(test) {
    await using folder = await project();
    const seen = new Map<string, string>();
    for (const [index, block] of blocks.entries()) {
      if (block.kind !== "sh") continue;
      const printed: string[] = [];
      for (const command of commands(block)) {
        const exception = EXCEPTIONS.find((one) => one.command.test(command));
        if (exception !== undefined) {
          assert.ok(
            await mentions(exception.file, exception.word),
            `${exception.file} does not run ${command}`,
          );
        } else if (!seen.has(command)) {
          await test.step(`${block.path}: ${command}`, async () => {
            seen.set(command, await succeeds(command, folder.path));
          });
        }
        printed.push(seen.get(command) ?? "");
      }
      const output = blocks[index + 1];
      if (output?.isNext === true && output.kind === "text") {
        await test.step(`${output.place} is what is printed`, () => shows(printed.join("\n"), output.text));
      }
    }
    assert.ok(seen.size > 10, [...seen.keys()].join("\n"));
  },
});

/** Lines without what a person would not type. */
function commands({ text }: CodeBlock): string[] {
  return text.split("\n").map((line) => line.replace(/\s+#.*$/, "").trim()).filter((line) => line !== "");
}

/** Every line that a page shows is printed, in this order. "…" stands for anything. */
function shows(printed: string, page: string): void {
  const lines = printed.split("\n").map((line) => line.trim());
  let at = 0;
  for (const line of page.split("\n").map((one) => one.trim())) {
    const pattern = new RegExp(line.split("…").map((part) => RegExp.escape(part)).join(".*"));
    const found = lines.findIndex((candidate, index) => index >= at && pattern.test(candidate));
    assert.ok(found >= 0, `"${line}" is not printed by then:\n${printed}`);
    at = found;
  }
}

/** @returns What it printed. */
async function succeeds(command: string, cwd: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", command],
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${out}${err}`);
  return `${out}${err}`;
}

/** A checkout, without its tests, and the files of whoever reads the documentation. */
async function project(): Promise<Folder> {
  const folder = await folderWith({
    ...namedFiles(await codeBlocks("README.md")),
    "data/row.txt": "a row",
    "plugin.ts": `export const read = (): string => Deno.readTextFileSync("data/row.txt");\n`,
    "script.ts": `console.log(Deno.readTextFileSync("data/row.txt"));\n`,
    "my_script.ts": `console.log(Deno.readTextFileSync("data/row.txt"));\n`,
    "my_host_test.ts": `Deno.test("tally counts", () => {});\n`,
    "my_host.ts": `import { createHost } from "./mod.ts";
await using host = await createHost();
await using plugin = await host.load<{ read(): string }>("plugin.ts", { permissions: { read: ["data"] } });
console.log(await plugin.api.read());\n`,
  });
  for (const name of ["deno.json", "deno.lock", "mod.ts", "src", "examples"]) {
    await copy(new URL(name, REPOSITORY), `${folder.path}/${name}`);
  }
  return folder;
}

async function copy(from: URL, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) {
    await copy(new URL(`${from.href}/${name}`), `${to}/${name}`);
  }
}

/** Whether a file, or one of a directory, has a word. */
async function mentions(path: string, word: string): Promise<boolean> {
  const url = new URL(path, REPOSITORY);
  if ((await Deno.stat(url)).isFile) return (await Deno.readTextFile(url)).includes(word);
  for await (const { name, isFile } of Deno.readDir(url)) {
    if (isFile && await mentions(`${path}/${name}`, word)) return true;
  }
  return false;
}
