/** A host may ask for the plugin before its guest has given anything up: the guest keeps the order, whatever the host does. */

import assert from "node:assert/strict";
import { launch } from "../../src/launcher/launch.ts";
import { openHostDirectory } from "../../src/launcher/host_directory.ts";
import { sandboxPaths } from "../../src/launcher/sandbox_paths.ts";
import { guestFilter } from "../../src/launcher/seccomp/mod.ts";
import { nativeLibraryPath } from "../../src/native/mod.ts";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import { RpcSession } from "../../src/rpc/mod.ts";
import { guestScript } from "../../src/supervisor/embedded/guest.ts";
import { socketTransport } from "../../src/transport/mod.ts";
import type { BootRecord } from "../../src/util/boot_record.ts";
import { deadline } from "../launcher/sandbox_harness.ts";
import { fakeConfig } from "../policy/fakes.ts";
import { folderWith } from "../testing/fixtures.ts";

/** What is given up is given up late, and each time it is said so. */
const DELAY_MS = 100;
const SLOW = `{
  const revoke = Deno.permissions.revoke.bind(Deno.permissions);
  Deno.permissions.revoke = async (descriptor) => {
    await new Promise((resolve) => setTimeout(resolve, ${DELAY_MS}));
    Deno.stdout.writeSync(new TextEncoder().encode("revoke " + descriptor.name + "\\n"));
    return await revoke(descriptor);
  };
}
`;

/** Says at once what it could do when it was imported. */
const PLUGIN = `
Deno.stdout.writeSync(new TextEncoder().encode("import\\n"));
const tried = async (attempt) => {
  try { await attempt(); return "works"; } catch (error) { return error.name; }
};
const settings = "/run/cordon/boot.json";
const host = "/run/cordon/rpc.sock";
export const found = [
  (await Deno.permissions.request({ name: "ffi" })).state,
  (await Deno.permissions.request({ name: "net", host: "unix:" + host })).state,
  await tried(() => Deno.readTextFileSync(settings)),
  await tried(() => Deno.connect({ transport: "unix", path: host })),
  await tried(() => Deno.dlopen("/app/libcordon.so", {})),
];
export const answer = () => found;
// It would rather go on without its host.
Deno.exit = () => {};
setInterval(() => {}, 1000);
`;

const { facts } = await probePlatform();
const why = facts.namespacesWork ? null : "no user namespaces or no bubblewrap";
const claim = "startGuest() gives up everything before it imports a plugin that was asked for at once";

Deno.test({
  name: why === null ? claim : `${claim} [skipped: ${why}]`,
  ignore: why !== null,
  fn: async () => {
    await using folder = await folderWith({});
    const policy = sandboxPolicy(fakeConfig(), { ...facts, cgroup: null }, {
      runAs: { uid: 65534, gid: 65534 },
      workingDirectory: "/",
    });
    await using host = await openHostDirectory({
      runtimeDirectory: `${folder.path}/run`,
      runAs: policy.runAs,
      deno: facts.deno!,
      guestScript: SLOW + guestScript,
      nativeLibrary: await nativeLibraryPath(`${folder.path}/cache`),
    });
    const directory = host.createSandboxDirectory();
    const paths = sandboxPaths(policy, directory, host.files);
    const boot: BootRecord = {
      token: "the one",
      name: "early",
      paths: { run: paths.run, boot: paths.boot, socket: paths.socket, library: paths.library },
      filter: guestFilter(policy.seccomp!, policy.arch!).toBase64(),
      descriptorChannel: null,
      maxFrameBytes: 2 ** 20,
      network: null,
      cuda: null,
      hasBroker: false,
      isScript: false,
      isSpare: false,
      dataBytes: null,
    };
    directory.write(directory.boot, JSON.stringify(boot));
    directory.write(`${directory.plugin}/main.js`, PLUGIN);
    let output = "";
    await using guest = await launch({
      policy,
      runtime: { bwrap: facts.bwrap, deno: facts.deno! },
      files: host.files,
      directory,
      args: [],
      stdio: "piped",
      onOutput: (stream, chunk) => void (stream === "stdout" && (output += new TextDecoder().decode(chunk))),
    });
    const connection = await guest.accept(deadline());
    const session = new RpcSession(socketTransport(connection), {
      role: "host",
      token: boot.token,
      name: "early",
    });
    const loaded = session.start(deadline()).then(() => session.load({ entry: "/app/plugin/main.js" }));
    await loaded;
    assert.deepEqual(await session.call("plugin", "answer", []), [
      "denied",
      "denied",
      "NotCapable",
      "NotCapable",
      "NotCapable",
    ]);
    const lines = output.trim().split("\n");
    assert.equal(lines.at(-1), "import");
    assert.ok(lines.length > 4 && lines.slice(0, -1).every((line) => line.startsWith("revoke ")), output);
    session.close();
    const late = setTimeout(() => guest.kill("stopped"), 20_000);
    const { reason, exitCode } = await guest.exited;
    clearTimeout(late);
    assert.deepEqual(
      [reason, exitCode],
      ["exit-code", 111],
      "a guest ends with its host, whatever its plugin does",
    );
  },
});
