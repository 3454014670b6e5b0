import assert from "node:assert/strict";
import type { ExitReport } from "../../src/launcher/types.ts";
import { handedOnExit } from "../../src/supervisor/handed_on_exit.ts";

function report(over: Partial<ExitReport>): ExitReport {
  return { reason: "signal", exitCode: null, signal: "SIGSEGV", stderrTail: "", ...over };
}

Deno.test("handedOnExit() puts the signal that a runtime acted on in the place of its abort", () => {
  for (const signal of ["SIGABRT", "SIGSEGV"]) {
    assert.deepEqual(handedOnExit(report({ signal }), "SIGTERM"), report({ signal: "SIGTERM" }));
  }
  const trap = report({ reason: "out-of-memory", signal: "SIGTRAP" });
  assert.deepEqual(handedOnExit(trap, "SIGINT"), report({ signal: "SIGINT" }));
});

Deno.test("handedOnExit() leaves every other end as it is", () => {
  const ends = [
    report({ signal: "SIGKILL" }),
    report({ reason: "killed-by-host", signal: "SIGKILL" }),
    report({ reason: "memory-limit", signal: "SIGSEGV" }),
    report({ reason: "exit-code", exitCode: 7, signal: null }),
    report({ reason: "out-of-memory", signal: "SIGTRAP", stderrTail: "JavaScript heap out of memory" }),
  ];
  for (const end of ends) assert.equal(handedOnExit(end, "SIGTERM"), end);
  const crash = report({});
  assert.equal(handedOnExit(crash, null), crash, "nothing was handed on");
});
