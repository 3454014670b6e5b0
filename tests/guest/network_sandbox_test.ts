/** Checks the guest's network inside a real sandbox: namespaces, empty root, system call filter, unprivileged account. */

import * as esbuild from "esbuild";
import { NOBODY, SandboxHarness } from "../launcher/sandbox_harness.ts";
import { NO_PERMISSIONS } from "../policy/fakes.ts";
import { ALLOW, checkCases } from "./network_harness.ts";

const CASES = decodeURIComponent(new URL("./network_cases.ts", import.meta.url).pathname);

Deno.test("installNetwork() makes every API reach listed hosts and only those, behind all layers", async (t) => {
  const permissions = { ...NO_PERMISSIONS, net: { kind: "proxy", allow: ALLOW } } as const;
  await using harness = await SandboxHarness.open(await bundledCases(), { config: { permissions } });
  const directory = harness.directory.createSandboxDirectory();
  const owner = harness.policy.runAs === null ? {} : { owner: NOBODY };
  await checkCases(
    t,
    { socketPath: `${directory.run}/net.sock`, ...owner },
    async ({ authority, hostPort }) => {
      let output = "";
      const guest = await harness.launch({
        directory,
        args: ["/run/cordon/net.sock", authority, hostPort],
        onOutput: (_stream, chunk) => output += new TextDecoder().decode(chunk),
      });
      await guest.exited;
      return output;
    },
  );
});

async function bundledCases(): Promise<string> {
  const result = await esbuild.build({
    entryPoints: [CASES],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    external: ["node:*"],
  });
  await esbuild.stop();
  return result.outputFiles[0]?.text ?? "";
}
