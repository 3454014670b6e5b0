import { deepEqual } from "node:assert/strict";
import { type ExitFacts, exitReport } from "../../src/launcher/exit_report.ts";

const BASE: ExitFacts = {
  code: 0,
  signal: null,
  isBwrap: true,
  isExecuted: true,
  waitStatus: null,
  isConnected: true,
  saidGoodbye: false,
  killReason: null,
  isOutOfMemory: false,
  mayHaveUsedUpCpu: false,
  stderrTail: "",
};

const V8_HEAP = "# Fatal JavaScript out of memory: Reached heap limit";

const TABLE: readonly [
  claim: string,
  facts: Partial<ExitFacts>,
  expected: [string, number | null, string | null],
][] = [
  ["0 after a goodbye", { saidGoodbye: true }, ["clean-exit", 0, null]],
  ["0 without a goodbye", {}, ["clean-exit", 0, null]],
  ["a code after a goodbye", { code: 7, saidGoodbye: true }, ["exit-code", 7, null]],
  ["137 after a goodbye is a code, not a signal", { code: 137, saidGoodbye: true }, ["exit-code", 137, null]],
  ["137 without a goodbye", { code: 137 }, ["signal", null, "SIGKILL"]],
  ["137 that the kernel saw as a code", { code: 137, waitStatus: 137 << 8 }, ["exit-code", 137, null]],
  ["137 that the kernel saw as a signal, with a core", { code: 137, waitStatus: 9 | 0x80 }, [
    "signal",
    null,
    "SIGKILL",
  ]],
  ["SIGKILL after a long time", { code: 137, mayHaveUsedUpCpu: true }, ["cpu-limit", null, "SIGKILL"]],
  ["SIGKILL in a control group out of memory", { code: 137, isOutOfMemory: true }, [
    "memory-limit",
    null,
    "SIGKILL",
  ]],
  ["SIGXCPU", { code: 152 }, ["cpu-limit", null, "SIGXCPU"]],
  ["SIGSYS", { code: 159 }, ["seccomp", null, "SIGSYS"]],
  ["SIGTRAP", { code: 133, stderrTail: V8_HEAP }, ["out-of-memory", null, "SIGTRAP"]],
  ["SIGILL", { code: 132 }, ["out-of-memory", null, "SIGILL"]],
  ["SIGABRT of a failed allocation", { code: 134, stderrTail: "memory allocation of 9 bytes failed" }, [
    "out-of-memory",
    null,
    "SIGABRT",
  ]],
  ["SIGSEGV without a cause", { code: 139 }, ["signal", null, "SIGSEGV"]],
  ["a code above every signal", { code: 250 }, ["exit-code", 250, null]],
  ["bwrap that never executed the guest", { code: 1, isExecuted: false, isConnected: false }, [
    "sandbox-setup-failed",
    1,
    null,
  ]],
  ["bwrap killed before it executed the guest", { code: null, signal: "SIGKILL", isExecuted: false }, [
    "signal",
    null,
    "SIGKILL",
  ]],
  ["a helper that failed", { code: 68, isConnected: false, stderrTail: "cordon-exec: landlock: ENOSYS\n" }, [
    "sandbox-setup-failed",
    68,
    null,
  ]],
  ["a plugin that pretends to be the helper", { code: 68, stderrTail: "cordon-exec: landlock: ENOSYS\n" }, [
    "exit-code",
    68,
    null,
  ]],
  ["the host's reason wins over the signal", { code: 137, killReason: "wall-timeout" }, [
    "wall-timeout",
    null,
    "SIGKILL",
  ]],
  [
    "without bwrap a signal is a signal",
    { code: null, signal: "SIGSYS", isBwrap: false, isExecuted: false },
    [
      "seccomp",
      null,
      "SIGSYS",
    ],
  ],
  ["without bwrap 137 is a code", { code: 137, isBwrap: false, isExecuted: false }, ["exit-code", 137, null]],
];

for (const [claim, facts, expected] of TABLE) {
  Deno.test(`exitReport() classifies: ${claim}`, () => {
    const { reason, exitCode, signal } = exitReport({ ...BASE, ...facts });
    deepEqual([reason, exitCode, signal], expected);
  });
}
