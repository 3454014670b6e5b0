/**
 * A greedy plugin, a sibling that must not notice, and what became of the two.
 *
 * @module
 */

import type { LimitOptions, PermissionOptions } from "../../src/config/types.ts";
import type { Plugin } from "../../src/supervisor/types.ts";
import assert from "node:assert/strict";
import { PluginCrashedError } from "../../src/errors.ts";
import { testHost } from "../testing/fixtures.ts";

const GREEDY = new URL("fixtures/greedy.ts", import.meta.url);

/** The exports of the greedy plugin. */
export type Greedy = typeof import("./fixtures/greedy.ts");

/** What a greedy call came to. */
export interface AttackResult<R> {
  readonly value: R | null;
  readonly error: unknown;
  /** How the plugin is afterwards. */
  readonly state: Plugin<Greedy>["status"]["state"];
}

/**
 * Make one greedy call while a sibling is called all the time.
 *
 * @param limits Limits of the greedy plugin; the sibling has the defaults.
 * @param call The call.
 * @param permissions Grants of the greedy plugin.
 * @returns What it came to. The sibling has answered everything, before, during and afterwards.
 */
export async function attack<R>(
  limits: LimitOptions,
  call: (api: Plugin<Greedy>["api"]) => Promise<R>,
  permissions: PermissionOptions = {},
): Promise<AttackResult<R>> {
  await using test = await testHost();
  await using sibling = await test.host.load<Greedy>(GREEDY, { name: "sibling" });
  await using greedy = await test.host.load<Greedy>(GREEDY, { name: "greedy", limits, permissions });
  assert.equal(await greedy.api.echo(1), 1, "it works before");
  const result = { value: null as R | null, error: null as unknown, isDone: false };
  const attacked = call(greedy.api).then((value) => result.value = value, (error) => result.error = error)
    .finally(() => result.isDone = true);
  let answers = 0;
  do assert.equal(await sibling.api.echo(answers), answers++); while (!result.isDone);
  await attacked;
  assert.equal(await sibling.api.echo(-1), -1);
  assert.equal(sibling.status.state, "running");
  return { value: result.value, error: result.error, state: greedy.status.state };
}

/** Assert that the call ended because the plugin was stopped, for one of these reasons. */
export function assertStopped({ error, state }: AttackResult<unknown>, ...reasons: string[]): void {
  assert.ok(error instanceof PluginCrashedError, `it ended with ${error}`);
  assert.ok(reasons.includes(error.reason), `${error.reason}: ${error.message}\n${error.stderrTail}`);
  assert.equal(state, "crashed");
}
