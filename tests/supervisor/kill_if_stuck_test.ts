import assert from "node:assert/strict";
import { killIfStuck } from "../../src/supervisor/kill_if_stuck.ts";
import type { GenerationProcess } from "../../src/supervisor/plugin_process.ts";
import { until } from "../rpc/until.ts";

/** A process that answers nothing, is busy or asks a person as the test says, and counts how often that was looked at. */
function silentProcess() {
  const ended = Promise.withResolvers<void>();
  const state = { isBusy: false, isAsking: false, looks: 0, kills: [] as string[], end: ended.resolve };
  const never = new Promise<never>(() => {});
  const process = {
    generation: {
      sandbox: {
        guest: { kill: (reason: string) => state.kills.push(reason) },
        session: { ping: () => never, closed: never },
      },
    },
    exited: ended.promise,
    get isBusy() {
      state.looks++;
      return state.isBusy;
    },
    get isAsking() {
      return state.isAsking;
    },
  };
  return { state, process: process as unknown as GenerationProcess };
}

for (const excuse of ["isBusy", "isAsking"] as const) {
  Deno.test(`killIfStuck() waits while ${excuse}, and kills a process that answers nothing without it`, async () => {
    const { state, process } = silentProcess();
    state[excuse] = true;
    const watched = killIfStuck(process, 1);
    await until(() => state.looks >= 3 || state.kills.length > 0);
    assert.deepEqual(state.kills, []);
    state[excuse] = false;
    await watched;
    assert.deepEqual(state.kills, ["wall-timeout"]);
  });
}

Deno.test("killIfStuck() kills nothing that has ended", async () => {
  const { state, process } = silentProcess();
  state.isBusy = true;
  const watched = killIfStuck(process, 1);
  await until(() => state.looks >= 1);
  state.end();
  await watched;
  assert.deepEqual(state.kills, []);
});
