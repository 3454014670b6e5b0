/**
 * Runs the attacks of a script inside and outside of sandboxes.
 *
 * @module
 */

import { dirname } from "node:path";
import { hasMounts } from "../../src/policy/has_mounts.ts";
import { type Attack, type AttackOptions, Sandbox, type SuiteTier } from "./sandbox.ts";
import type { SandboxPolicy } from "../../src/policy/types.ts";
import { ACCOUNT, CANARY, isRoot, type World } from "./world.ts";

/** How far each attack came: `"works"`, or the name of its error. */
export type ScriptOutcomes = Readonly<Record<string, string>>;

const ATTACKER = new URL("attacker.js", import.meta.url);
const ATTACKS = new URL("attacks.js", import.meta.url);

/** With `openDeno()` all that Deno can be allowed one by one; `--allow-all` does not go with the launcher's own flags. */
const EVERYTHING = ["--allow-sys", "--allow-run", "--allow-import", "--unstable-raw-imports"];

/** The same kernel layers with Deno's permissions out of the way. */
function openDeno(policy: SandboxPolicy): SandboxPolicy {
  return { ...policy, deno: { ...policy.deno, read: ["/"], write: ["/"], net: "all" } };
}

/**
 * Every attack in a sandbox.
 *
 * @param world What is attacked.
 * @param tier The sandbox.
 * @param permissions `"deno"` leaves Deno's own permissions in force, `"all"` switches them off inside.
 * @returns Outcomes by attack.
 */
export async function confinedAttacks(
  world: World,
  tier: SuiteTier,
  permissions: "deno" | "all",
): Promise<ScriptOutcomes> {
  const guest = await Deno.readTextFile(ATTACKER);
  await using sandbox = await Sandbox.open(
    world,
    tier,
    guest,
    permissions === "all" ? openDeno : (policy) => policy,
  );
  const library = hasMounts(sandbox.policy.tier) ? "/app/libcordon.so" : sandbox.library;
  const options: AttackOptions = {
    files: { "attacks.js": await Deno.readTextFile(ATTACKS), ...importingModules(world) },
    args: (plugin, filter) => [
      ...[filter, library, permissions === "deno" ? "drop" : "keep"],
      ...[`file://${plugin}/attacks.js`, JSON.stringify(targets(world, plugin))],
    ],
    ...(permissions === "all" ? { denoFlags: EVERYTHING } : {}),
  };
  return outcomes(await sandbox.attack(options));
}

/** Every attack without any layer. */
export async function freeAttacks(world: World): Promise<ScriptOutcomes> {
  const plugin = `${world.directory}/open`;
  for (const [name, content] of Object.entries(importingModules(world))) {
    await Deno.mkdir(dirname(`${plugin}/${name}`), { recursive: true });
    await Deno.writeTextFile(`${plugin}/${name}`, content);
  }
  await Deno.writeTextFile(`${plugin}/attacks.js`, await Deno.readTextFile(ATTACKS));
  await Deno.writeTextFile(`${plugin}/attacker.js`, await Deno.readTextFile(ATTACKER));
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--allow-all",
        "--no-lock",
        "--unstable-raw-imports",
        `${plugin}/attacker.js`,
      ],
      ...["boot", "-", "-", "keep", `file://${plugin}/attacks.js`, JSON.stringify(targets(world, plugin))],
    ],
    clearEnv: true,
    env: { ...CANARY, DENO_DIR: `${plugin}/cache`, ...registries(world) },
    cwd: "/",
    ...(isRoot ? ACCOUNT : {}),
  });
  const { code, stdout, stderr } = await command.output();
  if (code !== 0) throw new Error(`The attacker ended early: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout)) as ScriptOutcomes;
}

/** A service of the host in place of the registries: it is asked, and has no package. */
function registries({ port }: World): Record<string, string> {
  const registry = `http://127.0.0.1:${port}`;
  return { JSR_URL: registry, NPM_CONFIG_REGISTRY: registry };
}

function targets({ secret, victim, port, socket }: World, plugin: string): Record<string, unknown> {
  return { secret, victim, port, socket, plugin };
}

/** Modules whose imports name the host's files literally. */
function importingModules({ secret }: World): Record<string, string> {
  return {
    "static_text.js": `import text from "${secret}" with { type: "text" }; export default text;`,
    "static_json.js": `import json from "${secret}.json" with { type: "json" }; export default json;`,
    "literal.js": `export default (await import("${secret}.js")).default;`,
    // A plugin that brings its own permissions.
    "deno.json": `{ "permissions": { "default": { "read": true, "net": true, "run": true } },
      "imports": { "cordon-escape": "data:text/javascript,export default 1" } }`,
    "package.json": `{ "dependencies": { "cordon-out": "1.0.0" } }`,
    "node_modules/cordon-out/package.json":
      `{ "name": "cordon-out", "version": "1.0.0", "main": "../../../../../../../../..${secret}.js" }`,
  };
}

function outcomes({ output, report }: Attack): ScriptOutcomes {
  if (report.exitCode !== 0 || output === "") {
    throw new Error(`The attacker ended early: ${report.reason} ${report.exitCode} ${report.stderrTail}`);
  }
  return JSON.parse(output) as ScriptOutcomes;
}
