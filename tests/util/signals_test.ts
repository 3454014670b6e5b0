import assert from "node:assert/strict";
import { constants } from "node:os";
import { signalExitCode, signalName, signalNumber } from "../../src/util/signals.ts";

const needsLinux = Deno.build.os === "linux" ? "" : " [skipped: numbered for Linux]";

Deno.test({
  name: `signalNumber() and signalName() know every signal of this system${needsLinux}`,
  ignore: needsLinux !== "",
  fn() {
    const standard = Object.entries(constants.signals).filter(([, number]) => number < 32);
    // Three of them have two names.
    const named = standard.filter(([name]) => !["SIGIOT", "SIGPOLL", "SIGUNUSED"].includes(name));
    assert.equal(named.length, 31);
    for (const [name, number] of named) {
      assert.equal(signalNumber(name), number, name);
      assert.equal(signalName(number), name);
    }
  },
});

Deno.test("signalNumber() and signalName() know nothing else", () => {
  assert.deepEqual([signalNumber("SIGFOO"), signalNumber("")], [null, null]);
  assert.deepEqual([0, -1, 32, 200].map(signalName), [null, null, null, null]);
});

Deno.test("signalExitCode() is 128 and the number, also of signals that hardly end a program", () => {
  assert.deepEqual(["SIGKILL", "SIGUSR1", "SIGPIPE", "SIGALRM", "SIGFOO"].map(signalExitCode), [
    137,
    138,
    141,
    142,
    128,
  ]);
});
