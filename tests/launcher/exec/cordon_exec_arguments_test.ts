import assert from "node:assert/strict";
import {
  cordonExecArguments,
  cordonExecFailure,
  type ExecPlan,
  policyRlimits,
} from "../../../src/launcher/exec/mod.ts";
import type { SandboxPolicy } from "../../../src/policy/types.ts";

const NOTHING: ExecPlan = {
  rlimits: {},
  landlock: null,
  parentPid: null,
  seccompFd: null,
  closeFrom: null,
};

const LANDLOCK: NonNullable<ExecPlan["landlock"]> = {
  abi: 6,
  readOnly: ["/app/plugin"],
  executable: ["/app/deno"],
  readWrite: ["/data"],
  devices: ["/dev/null"],
  tcpConnect: [],
  tcpBind: [8080],
  scope: true,
};

Deno.test("cordonExecArguments() always sets no_new_privs and ends the options before the command", () => {
  assert.deepEqual(cordonExecArguments(NOTHING, ["/app/deno", "--landlock-rw=/"]), [
    "--no-new-privs",
    "--",
    "/app/deno",
    "--landlock-rw=/",
  ]);
});

Deno.test("cordonExecArguments() writes every part of a plan", () => {
  const plan: ExecPlan = {
    rlimits: { nofile: 64, cpu: { soft: 1, hard: "unlimited" } },
    landlock: LANDLOCK,
    parentPid: 42,
    seccompFd: 5,
    closeFrom: 4,
  };
  assert.deepEqual(cordonExecArguments(plan, ["/app/deno"]).join(" ").split(" "), [
    ...["--rlimit=nofile:64:64", "--rlimit=cpu:1:unlimited", "--no-new-privs", "--landlock-abi=6"],
    ...[
      "--landlock-ro=/app/plugin",
      "--landlock-rx=/app/deno",
      "--landlock-rw=/data",
      "--landlock-dev=/dev/null",
    ],
    ...["--landlock-connect=none", "--landlock-bind=none", "--landlock-bind=8080", "--landlock-scope"],
    ...["--pdeathsig=42", "--seccomp-fd=5", "--close-fds-from=4", "--", "/app/deno"],
  ]);
});

Deno.test("cordonExecArguments() refuses relative paths, NUL, odd numbers and an unknown ABI", () => {
  const landlock = (part: Partial<typeof LANDLOCK>): ExecPlan => ({
    ...NOTHING,
    landlock: { ...LANDLOCK, ...part },
  });
  assert.throws(() => cordonExecArguments(NOTHING, ["deno"]), TypeError);
  assert.throws(() => cordonExecArguments(NOTHING, ["/app/deno", "a\0b"]), TypeError);
  assert.throws(() => cordonExecArguments(landlock({ readOnly: ["data"] }), ["/app/deno"]), TypeError);
  assert.throws(
    () => cordonExecArguments(landlock({ readOnly: ["/data\0--landlock-rw=/"] }), ["/app/deno"]),
    TypeError,
  );
  for (const abi of [0, 8, 1.5, NaN]) {
    assert.throws(() => cordonExecArguments(landlock({ abi }), ["/app/deno"]), RangeError);
  }
  for (const nofile of [-1, 1.5, NaN, Infinity]) {
    assert.throws(() => cordonExecArguments({ ...NOTHING, rlimits: { nofile } }, ["/app/deno"]), RangeError);
  }
});

Deno.test("cordonExecFailure() recognises only cordon-exec's own codes together with its line", () => {
  const line = "noise\ncordon-exec: /app: x: ENOENT\n";
  assert.deepEqual(cordonExecFailure(68, line), { step: "landlock", subject: "/app: x", errno: "ENOENT" });
  assert.equal(cordonExecFailure(1, line), null);
  assert.equal(cordonExecFailure(null, line), null);
  assert.equal(cordonExecFailure(68, `${line}error: something else\n`), null);
});

Deno.test("policyRlimits() bounds processes, descriptors, file size and seconds, and forbids core files", () => {
  const limits = { openFiles: 5, processes: 6, fileSizeBytes: 7, cpuSeconds: 8 };
  const policy = (gpu: boolean) => ({ limits, gpu }) as unknown as SandboxPolicy;
  const expected = { core: 0, msgqueue: 0, nofile: 5, nproc: 6, fsize: 7, cpu: 8 };
  assert.deepEqual(policyRlimits(policy(false)), { ...expected, memlock: 0 });
  assert.deepEqual(policyRlimits(policy(true)), expected);
});
