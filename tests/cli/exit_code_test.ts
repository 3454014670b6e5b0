import assert from "node:assert/strict";
import { NoInputError } from "../../src/cli/entry_module.ts";
import { exitCode, pluginExitCode } from "../../src/cli/exit_code.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import * as errors from "../../src/errors.ts";

const CASES: readonly (readonly [number, unknown])[] = [
  [64, new UsageError("")],
  [64, new errors.ConfigError("", { path: "permissions.read[1]" })],
  [66, new NoInputError("")],
  [66, new errors.BundleError("", { cause: new Deno.errors.NotFound() })],
  [69, new errors.SandboxUnavailableError("", { findings: [] })],
  [69, new errors.LaunchError("", { stage: "sandbox" })],
  [70, new errors.ProtocolError("")],
  [70, new errors.NativeError("", { call: "x", errno: "EIO" })],
  [70, new errors.LaunchError("", { stage: "handshake" })],
  [70, new TypeError("a mistake of ours")],
  [70, "thrown text"],
  [75, new errors.PoolSaturatedError("")],
  [77, new errors.PermissionDeniedError("", { suggestion: "" })],
  [77, new errors.RemoteError("", { remoteName: "NotCapable", remoteStack: "" })],
  [77, new Deno.errors.NotCapable("")],
  [78, new errors.ConfigError("", { path: "name" })],
  [124, new errors.CallTimeoutError("", { timeoutMs: 1 })],
  [124, new errors.PluginCrashedError("", { reason: "wall-timeout", signal: "SIGKILL" })],
  [137, new errors.PluginCrashedError("", { reason: "signal", signal: "SIGKILL" })],
  [159, new errors.PluginCrashedError("", { reason: "seccomp", signal: "SIGSYS" })],
  [138, new errors.PluginCrashedError("", { reason: "signal", signal: "SIGUSR1" })],
  [137, new errors.PluginCrashedError("", { reason: "memory-limit" })],
  [3, new errors.PluginCrashedError("", { reason: "exit-code", exitCode: 3 })],
  [1, new errors.PluginCrashedError("", { reason: "clean-exit", exitCode: 0 })],
  [1, new errors.BundleError("Unexpected token")],
  [1, new errors.RemoteError("", { remoteName: "OddError", remoteStack: "" })],
  [1, new errors.LaunchError("", { stage: "import", cause: new TypeError("thrown by the plugin") })],
  [7, new errors.LaunchError("", { stage: "import", exitCode: 7 })],
  [77, new errors.LaunchError("", { stage: "import", cause: new Deno.errors.NotCapable("") })],
];

for (const [code, error] of CASES) {
  const name = error instanceof Error ? `${error.name} ${JSON.stringify(error)}` : String(error);
  Deno.test(`exitCode() says ${code} for ${name}`, () => assert.equal(exitCode(error), code));
}

Deno.test("pluginExitCode() says 1 for whatever the plugin's own code threw", () => {
  assert.equal(pluginExitCode(new RangeError("from the plugin")), 1);
  assert.equal(pluginExitCode(new errors.ProtocolError("")), 70);
  assert.equal(pluginExitCode(new errors.CallTimeoutError("", { timeoutMs: 1 })), 124);
});
