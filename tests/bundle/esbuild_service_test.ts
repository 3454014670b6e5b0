import assert from "node:assert/strict";
import { runEsbuild } from "../../src/bundle/esbuild_service.ts";

const OPTIONS = { write: false, bundle: true, logLevel: "silent", format: "esm" } as const;

Deno.test("runEsbuild() ends a build that hangs when it is aborted, and works again afterwards", async () => {
  const controller = new AbortController(), asked = Promise.withResolvers<void>();
  const hanging = {
    name: "hanging",
    setup: (build: { onLoad: (filter: { filter: RegExp }, answer: () => Promise<undefined>) => void }) =>
      build.onLoad({ filter: /.*/ }, () => {
        asked.resolve();
        return new Promise(() => {});
      }),
  };
  const path = new URL("../../src/errors.ts", import.meta.url).pathname;
  const pending = runEsbuild({ ...OPTIONS, entryPoints: [path], plugins: [hanging] }, controller.signal);
  const settled = assert.rejects(pending, /service/);
  await asked.promise;
  controller.abort();
  await settled;
  const { outputFiles } = await runEsbuild({ ...OPTIONS, stdin: { contents: "export const a = 1" } });
  assert.match(outputFiles[0]?.text ?? "", /var a = 1/);
});
