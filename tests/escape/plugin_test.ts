import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { testHost } from "../testing/fixtures.ts";
import { SCRIPT_TECHNIQUES } from "./script_techniques.ts";
import { ACCOUNT, missingForProbe, World } from "./world.ts";

const ENTRY = fileURLToPath(new URL("plugin_attacks.js", import.meta.url));
const GUEST = {
  boot: "/run/cordon/boot.json",
  socket: "/run/cordon/rpc.sock",
  guest: "file:///app/guest.js",
};

const missing = await missingForProbe();
const { facts } = await probePlatform({ runAs: ACCOUNT });
const unavailable = missing ?? (facts.namespacesWork ? null : "no user namespaces or no bubblewrap");

type Outcomes = Readonly<Record<string, string>>;

interface Attacker {
  run(targets: unknown): Outcomes;
  runInside(guest: unknown): Outcomes;
}

function pluginTest(claim: string, fn: () => Promise<void>): void {
  const name = unavailable === null ? claim : `${claim} [skipped: ${unavailable}]`;
  Deno.test({ name, ignore: unavailable !== null, fn });
}

pluginTest("a plugin that was loaded by a host gets no further than a script behind all layers", async () => {
  await using world = await World.open();
  await using test = await testHost();
  // Some attacks use workers, each of which reserves half a gibibyte.
  await using plugin = await test.host.load<Attacker>(ENTRY, { limits: { memory: "4GiB" } });
  const { secret, victim, port, socket } = world;
  const outcomes = await plugin.api.run({ secret, victim, port, socket, plugin: "/app/plugin" });
  assert.ok(Object.keys(outcomes).length > 50);
  const expected = SCRIPT_TECHNIQUES.filter(({ name }) => name in outcomes).map((
    t,
  ) => [t.name, t.namespaces]);
  assert.deepEqual(Object.entries(outcomes), expected);
});

pluginTest("a plugin gets nothing out of the guest that it runs in", async () => {
  await using world = await World.open();
  const control = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--no-config", "--no-lock", ENTRY],
      JSON.stringify({ boot: world.secret, socket: world.socket, guest: `file://${world.secret}.js` }),
    ],
  }).output();
  const free = JSON.parse(new TextDecoder().decode(control.stdout)) as Outcomes;
  await using test = await testHost();
  await using plugin = await test.host.load<Attacker>(ENTRY);
  const confined = await plugin.api.runInside(GUEST);
  const expected = {
    "read the boot record": "NotCapable",
    "connect to the host again": "NotCapable",
    "find exports of the guest": "RangeError",
    "find more arguments than its own": "RangeError",
    "replace the guest's interface": "TypeError",
    "add to the guest's interface": "TypeError",
    "make a pointer through an internal operation": "NotCapable",
    "ask for every permission": "RangeError",
  };
  assert.deepEqual({ ...confined }, expected);
  assert.deepEqual(free, Object.fromEntries(Object.keys(expected).map((name) => [name, "works"])));
});
