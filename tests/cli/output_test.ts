import assert from "node:assert/strict";
import { errorRecord, reportError } from "../../src/cli/error_report.ts";
import { jsonLine } from "../../src/cli/json_value.ts";
import { openOutput, type Output, type OutputTarget } from "../../src/cli/output.ts";
import { BundleError, ConfigError, RemoteError, SandboxUnavailableError } from "../../src/errors.ts";

class Recorder implements OutputTarget {
  text = "";
  readonly #isTerminal: boolean;

  constructor(isTerminal = false) {
    this.#isTerminal = isTerminal;
  }

  /** Takes three bytes at most, as a full pipe may. */
  writeSync(bytes: Uint8Array): number {
    this.text += new TextDecoder("latin1").decode(bytes.subarray(0, 3));
    return Math.min(3, bytes.length);
  }

  isTerminal(): boolean {
    return this.#isTerminal;
  }
}

function recorded(act: (output: Output) => void, isJson = false): { out: string; err: string } {
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  act(openOutput({ isJson, stdout, stderr, noColor: false }));
  return { out: stdout.text, err: stderr.text };
}

Deno.test("openOutput() keeps data and words apart and writes every byte", () => {
  const { out, err } = recorded((output) => {
    output.data("data");
    output.note("words for people");
  });
  assert.deepEqual([out, err], ["data\n", "words for people\n"]);
});

Deno.test("openOutput() colours only a terminal, and not with NO_COLOR", () => {
  const painted = (isTerminal: boolean, noColor: boolean) =>
    openOutput({ isJson: false, stderr: new Recorder(isTerminal), noColor }).style.red("x");
  assert.equal(painted(true, false), "\x1b[31mx\x1b[0m");
  assert.equal(painted(true, true), "x");
  assert.equal(painted(false, false), "x");
});

Deno.test("reportError() shows cause, place and repair", () => {
  const findings = [{
    id: "bwrap",
    level: "fail" as const,
    summary: "no bwrap",
    fix: ["sudo apt-get install bubblewrap"],
  }];
  const { out, err } = recorded((output) => {
    reportError(new SandboxUnavailableError("Cannot confine", { findings, hint: "run doctor" }), output);
    reportError(
      new BundleError("Unexpected token", { location: { file: "a.ts", line: 3, column: 7 } }),
      output,
    );
    reportError(new ConfigError("Cannot use it", { path: "limits.memory" }), output);
    reportError(
      new RemoteError("broken", { remoteName: "Odd", remoteStack: "Odd: broken\n    at run (a.ts:1:2)" }),
      output,
    );
  });
  assert.equal(out, "");
  assert.equal(
    err,
    "error: Cannot confine\n  - no bwrap\n      sudo apt-get install bubblewrap\nhint: run doctor\n" +
      "error: Unexpected token\n    at a.ts:3:7\nerror in --memory: Cannot use it\nerror: Odd: broken\n    at run (a.ts:1:2)\n",
  );
});

Deno.test("reportError() shows of a plugin's error its class and its own frames", () => {
  const error = new SyntaxError("bad input");
  error.stack =
    "SyntaxError: bad input\n    at run (/p/a.ts:1:2)\n    at invoke (cordon:guest, <anonymous>:1:2)\n" +
    "    at AsyncLocalStorage.run (ext:deno_node/async_hooks.ts:1:1)";
  const { err } = recorded((output) => reportError(error, output, "plugin"));
  assert.equal(err, "error: SyntaxError: bad input\n    at run (/p/a.ts:1:2)\n");
});

Deno.test("reportError() prints one JSON object with --json", () => {
  const { err } = recorded(
    (output) => reportError(new ConfigError("no", { path: "x", hint: "y" }), output),
    true,
  );
  assert.deepEqual(JSON.parse(err), {
    error: { name: "ConfigError", message: "no", code: "CORDON_CONFIG", path: "x", hint: "y" },
  });
  assert.deepEqual(errorRecord("text"), { name: "Error", message: "text" });
});

Deno.test("jsonLine() finds a form for every value that crosses", () => {
  const value = {
    big: 2n ** 64n,
    map: new Map([["a", 1]]),
    pairs: new Map([[1, 2]]),
    set: new Set([1]),
    bytes: new Uint8Array([1, 2]),
    error: new TypeError("no"),
    date: new Date(0),
    nothing: undefined,
    nan: NaN,
  };
  assert.deepEqual(JSON.parse(jsonLine(value)), {
    big: "18446744073709551616",
    map: { a: 1 },
    pairs: [[1, 2]],
    set: [1],
    bytes: [1, 2],
    error: { name: "TypeError", message: "no" },
    date: "1970-01-01T00:00:00.000Z",
    nan: null,
  });
  assert.equal(jsonLine(undefined), "null");
  assert.ok(!jsonLine("a\nb").includes("\n"));
});
