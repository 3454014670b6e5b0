/** Which lines of a plugin ran, told of its sources. */

import assert from "node:assert/strict";
import { ConfigError, createHost, SandboxUnavailableError } from "../../mod.ts";
import { coverageReport } from "../../src/supervisor/coverage_report.ts";
import { cordon, sandboxSkip } from "../cli/cordon.ts";
import { type Folder, folderWith, namesIn, testHost } from "../testing/fixtures.ts";

const skip = await sandboxSkip();

const FILES = {
  "main.ts": `interface Gone { readonly a: string }

import { shout } from "./shout.ts";
export function greet(name: string): string {
  if (name === "") {
    return shout("nobody");
  }
  return \`Hello, \${name}!\`;
}
export function unused(): number {
  return 1;
}
`,
  "shout.ts": `export function shout(text: string): string {
  return text.toUpperCase();
}
`,
  "script.ts": `import { greet } from "./main.ts";
greet("you");
Deno.exit(3);
`,
};

/** Line → count of one source in the only report of a directory. */
async function lines(folder: Folder, source: string): Promise<Record<number, number>> {
  const names = (await Array.fromAsync(Deno.readDir(`${folder.path}/reports`))).map(({ name }) => name);
  assert.equal(names.length, 1, names.join());
  const text = await Deno.readTextFile(`${folder.path}/reports/${names[0]}`);
  const record = text.split("end_of_record\n").find((one) => one.includes(`SF:${folder.path}/${source}\n`));
  const counts = [...(record ?? "").matchAll(/^DA:(\d+),(\d+)$/gm)];
  return Object.fromEntries(counts.map(([, line, count]) => [Number(line), Number(count)]));
}

Deno.test({
  name: `LoadOptions.coverage is refused before anything starts where no report can be written${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith({ ...FILES, taken: "a file" });
    await using host = await createHost();
    const spawned: unknown[] = [];
    host.on("spawned", (event) => spawned.push(event));
    for (const path of ["taken", "taken/below"]) {
      const coverage = `${folder.path}/${path}`;
      await assert.rejects(host.load(`${folder.path}/main.ts`, { coverage }), (error) => {
        assert.ok(error instanceof ConfigError, `${error}`);
        assert.equal(error.path, "coverage");
        assert.match(error.message, new RegExp(`^Cannot use "${coverage}" as a directory for reports: `));
        return true;
      });
    }
    assert.deepEqual(spawned, []);
  },
});

Deno.test({
  name: `a report that cannot be written is told by stop(), and nothing is left all the same${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith(FILES);
    await using test = await testHost();
    const reports = `${folder.path}/reports`;
    const plugin = await test.host.load(`${folder.path}/main.ts`, { coverage: reports });
    await Deno.remove(reports);
    await Deno.writeTextFile(reports, "a file now");
    await assert.rejects(plugin.stop(), Deno.errors.AlreadyExists);
    assert.equal(plugin.status.state, "terminated");
    assert.deepEqual(test.host.plugins, []);
    await test.host[Symbol.asyncDispose]();
    assert.deepEqual(await namesIn(test.runtimeDirectory), ["lock"]);
  },
});

Deno.test({
  name: `a host that ends while a report cannot be written leaves nothing either${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith(FILES);
    await Deno.chmod(folder.path, 0o755);
    const runtimeDirectory = `${folder.path}/run`;
    const host = await createHost({ runtimeDirectory });
    const reports = `${folder.path}/reports`;
    await host.load(`${folder.path}/main.ts`, { coverage: reports });
    await Deno.remove(reports);
    await Deno.writeTextFile(reports, "a file now");
    await assert.rejects(async () => await host[Symbol.asyncDispose](), Deno.errors.AlreadyExists);
    assert.deepEqual(await namesIn(runtimeDirectory), ["lock"]);
  },
});

Deno.test({
  name: `LoadOptions.coverage says which lines of a plugin's sources ran${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith(FILES);
    {
      await using host = await createHost();
      await using plugin = await host.load<{ greet(name: string): string }>(`${folder.path}/main.ts`, {
        coverage: `${folder.path}/reports`,
      });
      assert.equal(await plugin.api.greet("a"), "Hello, a!");
      assert.equal(await plugin.api.greet("b"), "Hello, b!");
    }
    const main = await lines(folder, "main.ts");
    assert.deepEqual([main[5], main[6], main[8], main[11]], [2, 0, 2, 0], JSON.stringify(main));
    assert.equal((await lines(folder, "shout.ts"))[2], 0);
  },
});

Deno.test({
  name: `cordon run --coverage reports a script that ends by itself${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith(FILES);
    const { code, err } = await cordon([
      "run",
      `--coverage=${folder.path}/reports`,
      `${folder.path}/script.ts`,
    ]);
    assert.deepEqual([code, err], [3, ""]);
    assert.equal((await lines(folder, "script.ts"))[2], 1);
    assert.equal((await lines(folder, "main.ts"))[8], 1);
  },
});

Deno.test({
  name: `LoadOptions.coverage is refused where nothing can count${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith(FILES);
    await using host = await createHost();
    const entry = `${folder.path}/main.ts`, coverage = `${folder.path}/reports`;
    await assert.rejects(host.load(entry, { coverage, bundle: false }), ConfigError);
    await assert.rejects(
      host.load(entry, { coverage, sandbox: "permissions-only" }),
      SandboxUnavailableError,
    );
    await assert.rejects(Deno.stat(coverage), Deno.errors.NotFound);
  },
});

Deno.test("coverageReport() counts lines by the innermost range, and functions", () => {
  // One generated line that is two lines of a source: function f(){a}b
  const script = "function f(){a}b";
  const segment = (column: number, sourceLine: number) => ({
    column,
    source: 0,
    sourceLine,
    sourceColumn: 0,
    name: -1,
  });
  const map = {
    sources: ["/a.ts"],
    names: [],
    line: () => [segment(0, 0), segment(13, 1), segment(15, 2)],
  };
  const functions = [
    { functionName: "", ranges: [{ startOffset: 0, endOffset: 16, count: 1 }] },
    { functionName: "f", ranges: [{ startOffset: 0, endOffset: 15, count: 0 }] },
  ];
  assert.equal(
    coverageReport({ url: "", functions }, script, map, () => true),
    "TN:\nSF:/a.ts\nFN:1,f\nFNDA:0,f\nFNF:1\nFNH:0\nDA:1,0\nDA:2,0\nDA:3,1\nLF:3\nLH:1\nend_of_record\n",
  );
  assert.equal(coverageReport({ url: "", functions }, script, map, () => false), "");
});
