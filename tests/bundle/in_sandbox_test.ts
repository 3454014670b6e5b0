import assert from "node:assert/strict";
import { createHost } from "../../mod.ts";
import { TestProject } from "./project.ts";

Deno.test("a plugin's assets can be read inside its sandbox, and its workers run there", async () => {
  await using project = await TestProject.create({
    "main.ts": `
      export function asset(): string {
        return Deno.readTextFileSync(new URL("./data/a.txt", import.meta.url));
      }
      export async function fetched(): Promise<string> {
        return await (await fetch(new URL("./data/a.txt", import.meta.url))).text();
      }
      export function worker(): Promise<string> {
        const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
        return promise.finally(() => worker.terminate());
      }`,
    "worker.ts": `import { shout } from "./shout.ts"; self.postMessage(shout("hello"));`,
    "shout.ts": `export const shout = (text: string): string => text.toUpperCase();`,
    "data/a.txt": "asset",
  });
  await using host = await createHost();
  // Every worker reserves 512 MiB of addresses for its code, which the memory limit counts.
  await using plugin = await host.load(project.path("main.ts"), { limits: { memory: "2GiB" } });
  assert.equal(await plugin.api.asset?.(), "asset");
  assert.equal(await plugin.api.fetched?.(), "asset");
  assert.equal(await plugin.api.worker?.(), "HELLO");
});

Deno.test("an error of a plugin names the original file and line", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { fail } from "./lib/fail.ts";\nexport function run(): void {\n  fail();\n}\n`,
    "lib/fail.ts":
      `interface Gone {}\n\nexport function fail(): never {\n  throw new RangeError("on purpose");\n}\n`,
  });
  await using host = await createHost();
  await using plugin = await host.load(project.path("main.ts"));
  const error = await Promise.resolve(plugin.api.run?.()).then(
    () => assert.fail(),
    (reason: Error) => reason,
  );
  const text = `${error.stack}\n${"remoteStack" in error ? error.remoteStack : ""}`;
  assert.ok(text.includes(`${project.path("lib/fail.ts")}:4:9`), text);
  assert.ok(text.includes(`${project.path("main.ts")}:3:3`), text);
});

Deno.test("an error of a plugin's worker names the original file and line", async () => {
  await using project = await TestProject.create({
    "main.ts": `
      export function run(): Promise<string> {
        const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
        const { promise, resolve } = Promise.withResolvers<string>();
        worker.onmessage = ({ data }) => resolve(data);
        return promise.finally(() => worker.terminate());
      }`,
    "worker.ts":
      `interface Gone {}\nimport { fail } from "./lib/fail.ts";\ntry { fail(); } catch (error) { console.error(error); self.postMessage("failed"); }\n`,
    "lib/fail.ts":
      `interface Gone {}\n\nexport function fail(): never {\n  throw new RangeError("on purpose");\n}\n`,
  });
  const lines: string[] = [];
  {
    await using host = await createHost();
    await using plugin = await host.load(project.path("main.ts"), {
      limits: { memory: "2GiB" },
      output: (line) => lines.push(line),
    });
    assert.equal(await plugin.api.run?.(), "failed");
  }
  const text = lines.join("\n");
  assert.ok(text.includes(`${project.path("lib/fail.ts")}:4:9`), text);
  assert.ok(text.includes(`${project.path("worker.ts")}:3:7`), text);
});
