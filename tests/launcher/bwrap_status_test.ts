import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { BwrapStatusReader } from "../../src/launcher/bwrap_status.ts";

const RECORDED =
  '{ "child-pid": 8189, "cgroup-namespace": 4026532182, "ipc-namespace": 4026532180 }\n{ "exit-code": 3 }\n';

Deno.test("BwrapStatusReader.push() finds pid and exit code however the stream is cut", () => {
  const bytes = new TextEncoder().encode(RECORDED);
  fc.assert(fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
    const reader = new BwrapStatusReader();
    const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
    edges.slice(1).forEach((end, index) => reader.push(bytes.subarray(edges[index], end)));
    deepEqual(reader.status, { childPid: 8189, exitCode: 3, waitStatus: null });
  }));
});

Deno.test("BwrapStatusReader.push() knows the pid as soon as its line is complete", () => {
  const reader = new BwrapStatusReader();
  deepEqual(reader.push(new TextEncoder().encode('{ "child-pid": 12')), {
    childPid: null,
    exitCode: null,
    waitStatus: null,
  });
  deepEqual(reader.push(new TextEncoder().encode("34 }\n")), {
    childPid: 1234,
    exitCode: null,
    waitStatus: null,
  });
});

Deno.test("BwrapStatusReader.push() believes nothing of a line that was cut short when bubblewrap was killed", () => {
  const reader = new BwrapStatusReader();
  const push = (text: string) => reader.push(new TextEncoder().encode(text));
  push('{ "child-pid": 8189, "ipc-namespace": 402{ "wait-status": 9, "witnessed-pid": 8189 }\n');
  deepEqual(reader.status, { childPid: null, exitCode: null, waitStatus: null });
  push("child 12\n\n");
  deepEqual(push(RECORDED), { childPid: 8189, exitCode: 3, waitStatus: null });
});
