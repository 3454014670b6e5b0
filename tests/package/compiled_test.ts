/** Real executables, where there is no Deno. */

import assert from "node:assert/strict";
import { compileExecutable } from "../../src/cli/executable/compile_executable.ts";
import { version } from "../../src/cli/version.ts";
import { sandboxSkip } from "../cli/cordon.ts";
import { folderWith } from "../testing/fixtures.ts";
import { type Account, unprivileged } from "./account.ts";
import { emptyRootCommand } from "./empty_root.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const FIXTURES = `${ROOT}tests/fixtures/package/`;
const skip = await sandboxSkip();
const accounts: readonly (readonly [name: string, account: Account])[] = Deno.uid() === 0
  ? [["root", {}], ["an ordinary account", unprivileged()]]
  : [["an ordinary account", {}]];

Deno.test({
  name: `executables run where there is no Deno${skip}`,
  ignore: skip !== "",
  async fn(test) {
    await using folder = await folderWith({
      "script.ts": `console.log("sum", 1 + 1, Deno.args.join());`,
      "exits.ts": `Deno.exit(23);`,
      "waits.ts":
        `Deno.addSignalListener("SIGTERM", () => Deno.exit(42)); console.log("ready"); setInterval(() => {}, 1000);`,
      // Copied, as an ordinary account may not look into the repository of root.
      "fixtures/host.ts": await Deno.readTextFile(`${FIXTURES}host.ts`),
      "fixtures/numbers.ts": await Deno.readTextFile(`${FIXTURES}numbers.ts`),
    });
    const cordon = `${folder.path}/cordon`, app = `${folder.path}/app`, cache = `${folder.path}/cache`;
    await Deno.mkdir(cache);
    await compileExecutable({
      entry: `${ROOT}src/cli/main.ts`,
      output: cordon,
      config: `${ROOT}deno.json`,
      isSplit: true,
    });

    await test.step("cordon compile makes one of a host's own program", async () => {
      const { code, err } = await ended(
        new Deno.Command(cordon, {
          args: [
            "compile",
            "--config",
            `${ROOT}deno.json`,
            "-o",
            app,
            `${FIXTURES}host.ts`,
          ],
          env: { XDG_CACHE_HOME: cache },
          stdout: "piped",
          stderr: "piped",
        }),
      );
      assert.equal(code, 0, err);
      assert.match(err, /^Wrote .*\/app: \d+ MB\n$/);
    });

    const inside = async (
      command: readonly string[],
      account: Account,
      { hasTmp = true, cache }: { readonly hasTmp?: boolean; readonly cache?: string } = {},
    ) =>
      await emptyRootCommand(command, {
        files: {
          "/cordon": cordon,
          "/app": app,
          "/work": folder.path,
          "/fixtures": `${folder.path}/fixtures`,
          // What the doctor tries to read from a sandbox must be there to be read.
          ...(command.includes("doctor") ? { "/etc/passwd": "/etc/passwd" } : {}),
        },
        hasTmp,
        cache,
        account,
      });

    for (const [name, account] of accounts) {
      await test.step(`cordon run confines a script for ${name}`, async () => {
        const { code, out, err } = await ended(
          await inside(["/cordon", "run", "/work/script.ts", "--", "a", "b"], account),
        );
        assert.deepEqual([code, out, err], [0, "sum 2 a,b\n", ""]);
      });

      await test.step(`a host's own program has plugins, tensors and pools for ${name}`, async () => {
        const { code, out, err } = await ended(await inside(["/app", "/fixtures/numbers.ts"], account));
        assert.equal(code, 0, err);
        assert.deepEqual(JSON.parse(out), {
          isMain: true,
          sum: 2 * 512 * 1024,
          kind: "shared",
          squares: [1, 4, 9],
          tier: "namespaces",
        });
      });
    }

    const ordinary = unprivileged();
    const kept = { cache: `${folder.path}/kept` };
    await Deno.mkdir(kept.cache);
    await Deno.chown(kept.cache, ordinary.uid ?? null, ordinary.gid ?? null);
    await test.step("cordon doctor says that plugins can be confined", async () => {
      const { code, out, err } = await ended(await inside(["/cordon", "doctor"], ordinary, kept));
      assert.equal(code, 0, out + err);
    });

    await test.step("exit codes pass through", async () => {
      assert.equal(
        (await ended(await inside(["/cordon", "run", "/work/exits.ts"], ordinary, kept))).code,
        23,
      );
      assert.equal((await ended(await inside(["/cordon", "run", "/work/none.ts"], ordinary, kept))).code, 66);
    });

    await test.step("it starts from memory where nothing can be written", async () => {
      const { code, out, err } = await ended(
        await inside(["/cordon", "--version"], ordinary, { hasTmp: false }),
      );
      assert.deepEqual([code, out, err], [0, `${version()}\n`, ""]);
    });

    await test.step("no plugin is started where nothing can be written", async () => {
      const { code, out, err } = await ended(
        await inside(["/cordon", "run", "/work/script.ts"], ordinary, { hasTmp: false }),
      );
      assert.notEqual(code, 0);
      assert.equal(out, "");
      assert.match(err, /Read-only file system|runtime cannot be read/);
    });

    await test.step("signals reach the script", async () => {
      const child = new Deno.Command(cordon, {
        args: ["run", `${folder.path}/waits.ts`],
        env: { XDG_CACHE_HOME: cache },
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      child.kill("SIGTERM");
      const { code } = await child.status;
      await reader.cancel();
      assert.equal(code, 42);
    });
  },
});

async function ended(command: Deno.Command): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}
