import assert from "node:assert/strict";
import { restartConfig } from "../../src/config/restart.ts";
import { LaunchError } from "../../src/errors.ts";
import { Lifecycle } from "../../src/supervisor/lifecycle.ts";
import { FakeClock, settle } from "../util/fake_clock.ts";
import { FakeProcess } from "./fake_process.ts";

/** A lifecycle whose starts the test controls. Complains about what is left behind. */
class Harness implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly processes: FakeProcess[] = [new FakeProcess(1)];
  readonly attached: number[] = [];
  readonly seen: string[] = [];
  /** What the next starts wait for or reject with. */
  readonly starts: (Promise<void> | Error)[] = [];
  readonly lifecycle: Lifecycle<FakeProcess>;

  constructor(restart: unknown = true) {
    this.lifecycle = new Lifecycle<FakeProcess>({
      name: "test",
      restart: restartConfig(restart, "restart"),
      clock: this.clock,
      random: () => 0,
      start: (generation, signal) => this.start(generation, signal),
      onProcess: (process) => this.attached.push(process.generation),
    }, this.process(0));
    this.lifecycle.onChange((status) => this.seen.push(`${status.state} ${status.generation}`));
  }

  process(index: number): FakeProcess {
    const process = this.processes[index];
    assert.ok(process !== undefined, `process ${index} was started`);
    return process;
  }

  async start(generation: number, signal: AbortSignal): Promise<FakeProcess> {
    const next = this.starts.shift();
    if (next instanceof Error) throw next;
    await next;
    signal.throwIfAborted();
    const process = new FakeProcess(generation);
    this.processes.push(process);
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lifecycle.stop();
    assert.equal(this.clock.pending, 0, "no timer is left");
    assert.ok(this.processes.every((process) => process.retired > 0), "no process is left");
  }
}

Deno.test("Lifecycle restarts a crashed process after its backoff, with the next generation", async () => {
  await using harness = new Harness();
  harness.process(0).end("signal", { signal: "SIGSEGV" });
  await settle();
  const { status } = harness.lifecycle;
  assert.ok(status.state === "restarting");
  assert.deepEqual([status.attempt, status.nextAt, status.crash?.signal], [1, 100, "SIGSEGV"]);
  await harness.clock.advance(99);
  assert.equal(harness.processes.length, 1);
  await harness.clock.advance(1);
  assert.deepEqual(harness.seen, ["crashed 1", "restarting 1", "starting 2", "running 2"]);
  assert.deepEqual(harness.attached, [1, 2]);
});

Deno.test("Lifecycle waits 100, 200, 400 ms for three crashes in a row", async () => {
  await using harness = new Harness();
  const waits: number[] = [];
  for (let count = 0; count < 3; count++) {
    harness.process(count).end("exit-code", { exitCode: 3 });
    await settle();
    const { status } = harness.lifecycle;
    assert.ok(status.state === "restarting");
    waits.push(status.nextAt - status.since);
    await harness.clock.advance(waits.at(-1) ?? 0);
  }
  assert.deepEqual(waits, [100, 200, 400]);
});

Deno.test("Lifecycle quarantines a plugin that keeps crashing, and restart() gives it a new chance", async () => {
  await using harness = new Harness({ maxRestarts: 1 });
  harness.process(0).end("signal");
  await harness.clock.advance(100);
  harness.process(1).end("signal");
  await settle();
  assert.equal(harness.lifecycle.status.state, "quarantined");
  await assert.rejects(harness.lifecycle.ready(), { name: "PluginCrashedError", reason: "signal" });
  await harness.lifecycle.restart();
  assert.equal((await harness.lifecycle.ready()).generation, 3);
});

Deno.test("Lifecycle counts starts that fail, and tells the error of the last", async () => {
  await using harness = new Harness({ maxRestarts: 2 });
  const failure = new LaunchError("no", { stage: "sandbox", stderrTail: "bwrap: no" });
  harness.starts.push(failure, failure);
  harness.process(0).end("signal");
  await harness.clock.advance(100);
  const waiting = assert.rejects(harness.lifecycle.ready(), (error) => error === failure);
  await harness.clock.advance(200);
  await waiting;
  const { status } = harness.lifecycle;
  assert.ok(status.state === "quarantined");
  assert.deepEqual([status.crash.reason, status.crash.stderrTail], ["sandbox-setup-failed", "bwrap: no"]);
});

Deno.test("Lifecycle without restarts stays crashed and tells why", async () => {
  await using harness = new Harness(false);
  harness.process(0).end("memory-limit", { signal: "SIGKILL" });
  await harness.clock.advance(100_000);
  const { status } = harness.lifecycle;
  assert.ok(status.state === "crashed");
  assert.equal(status.reason, "memory-limit");
  await assert.rejects(harness.lifecycle.ready(), { name: "PluginCrashedError", reason: "memory-limit" });
});

Deno.test("Lifecycle does not restart a plugin that ended by itself in order", async () => {
  await using harness = new Harness();
  harness.process(0).end("clean-exit", { exitCode: 0 });
  await harness.clock.advance(100_000);
  assert.equal(harness.lifecycle.status.state, "terminated");
  await assert.rejects(harness.lifecycle.ready(), { name: "DisposedError" });
});

Deno.test("Lifecycle.ready() waits through a restart", async () => {
  await using harness = new Harness();
  harness.process(0).end("signal");
  await settle();
  const waiting = harness.lifecycle.ready();
  await harness.clock.advance(100);
  assert.equal((await waiting).generation, 2);
});

Deno.test("Lifecycle.ready() ends with the signal's own reason", async () => {
  await using harness = new Harness();
  harness.process(0).end("signal");
  await settle();
  const controller = new AbortController();
  const waiting = harness.lifecycle.ready(controller.signal);
  controller.abort("enough");
  await assert.rejects(waiting, (reason) => reason === "enough");
});

Deno.test("Lifecycle.restart() five times at once is one restart", async () => {
  await using harness = new Harness();
  await Promise.all(Array.from({ length: 5 }, () => harness.lifecycle.restart()));
  assert.equal(harness.processes.length, 2);
  assert.ok(harness.process(0).retired > 0);
  assert.deepEqual(harness.seen, ["restarting 1", "starting 2", "running 2"]);
});

Deno.test("Lifecycle.restart() does not wait for the backoff", async () => {
  await using harness = new Harness();
  harness.process(0).end("signal");
  await settle();
  await harness.lifecycle.restart();
  assert.equal(harness.lifecycle.status.generation, 2);
  await harness.clock.advance(1_000);
  assert.equal(harness.processes.length, 2);
});

Deno.test("Lifecycle.restart() rejects with the error of the start", async () => {
  await using harness = new Harness(false);
  const failure = new LaunchError("no", { stage: "import" });
  harness.starts.push(failure);
  await assert.rejects(harness.lifecycle.restart(), (error) => error === failure);
  assert.equal(harness.lifecycle.status.state, "crashed");
});

Deno.test("Lifecycle ignores the late end of a process that was replaced", async () => {
  await using harness = new Harness();
  await harness.lifecycle.replace((generation, signal) => harness.start(generation, signal));
  harness.process(0).end("signal", { signal: "SIGKILL" });
  await settle();
  assert.deepEqual(harness.seen, ["running 2"]);
});

Deno.test("Lifecycle.replace() switches only when the new process is ready and has taken over", async () => {
  await using harness = new Harness();
  const started = Promise.withResolvers<void>();
  harness.starts.push(started.promise);
  const handed: number[] = [];
  const replacing = harness.lifecycle.replace(
    (generation, signal) => harness.start(generation, signal),
    (old, next) => {
      handed.push(old?.generation ?? 0, next.generation);
      assert.equal(harness.lifecycle.current, old);
      return Promise.resolve();
    },
  );
  await settle();
  assert.equal(harness.lifecycle.current?.generation, 1);
  started.resolve();
  await replacing;
  assert.deepEqual(handed, [1, 2]);
  assert.equal(harness.lifecycle.current?.generation, 2);
  assert.ok(harness.process(0).retired > 0);
});

Deno.test("Lifecycle.replace() leaves the old process alone when the new one fails", async () => {
  await using harness = new Harness();
  const failure = new LaunchError("syntax error", { stage: "import" });
  harness.starts.push(failure);
  const start = (generation: number, signal: AbortSignal) => harness.start(generation, signal);
  await assert.rejects(harness.lifecycle.replace(start), (error) => error === failure);
  const refusing = harness.lifecycle.replace(start, () => Promise.reject(new Error("cannot restore")));
  await assert.rejects(refusing, { message: "cannot restore" });
  assert.ok(harness.process(1).retired > 0);
  assert.equal(harness.lifecycle.current, harness.process(0));
  assert.equal(harness.process(0).retired, 0);
  assert.deepEqual(harness.seen, []);
});

Deno.test("Lifecycle.replace() repairs a crashed plugin", async () => {
  await using harness = new Harness(false);
  harness.process(0).end("signal");
  await settle();
  await harness.lifecycle.replace((generation, signal) => harness.start(generation, signal));
  assert.deepEqual(harness.seen, ["crashed 1", "restarting 1", "starting 2", "running 2"]);
  assert.equal((await harness.lifecycle.ready()).generation, 2);
});

Deno.test("Lifecycle.replace() at the same time as a restart leaves one process", async () => {
  await using harness = new Harness();
  harness.process(0).end("signal");
  await settle();
  const started = Promise.withResolvers<void>();
  harness.starts.push(started.promise);
  const restarting = harness.lifecycle.restart();
  await settle();
  const replacing = harness.lifecycle.replace((generation, signal) => harness.start(generation, signal));
  await settle();
  started.resolve();
  await Promise.all([restarting, replacing]);
  const alive = harness.processes.filter((process) => process.retired === 0);
  assert.deepEqual(alive, [harness.lifecycle.current]);
});

Deno.test("Lifecycle.stop() during a start leaves no process", async () => {
  const harness = new Harness();
  const started = Promise.withResolvers<void>();
  harness.starts.push(started.promise);
  const restarting = harness.lifecycle.restart();
  await settle();
  const stopping = harness[Symbol.asyncDispose]();
  started.resolve();
  await assert.rejects(restarting, { name: "DisposedError" });
  await stopping;
  assert.equal(harness.lifecycle.status.state, "terminated");
});

Deno.test("Lifecycle goes on whatever a process leaves behind, and tells the first of it at the end", async () => {
  const harness = new Harness();
  const { lifecycle } = harness;
  harness.process(0).failure = new Error("the first could not be cleaned up after");
  await lifecycle.restart();
  assert.equal(lifecycle.status.state, "running");
  harness.process(1).failure = new Error("nor the second");
  await assert.rejects(lifecycle.stop(), { message: "the first could not be cleaned up after" });
  assert.equal(lifecycle.status.state, "terminated");
  await assert.rejects(lifecycle.ready(), { name: "DisposedError" });
});

Deno.test("Lifecycle.stop() ends a wait for a restart", async () => {
  const harness = new Harness();
  harness.process(0).end("signal");
  await settle();
  const waiting = assert.rejects(harness.lifecycle.ready(), { name: "DisposedError" });
  await harness[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(harness.lifecycle.restart(), { name: "DisposedError" });
});

/** A lifecycle whose next start ends when the test says so, whatever its signal says. */
function startingLate(first = new FakeProcess(1)) {
  const started = Promise.withResolvers<FakeProcess>();
  const lifecycle = new Lifecycle<FakeProcess>({
    name: "test",
    restart: restartConfig(true, "restart"),
    clock: new FakeClock(),
    random: () => 0,
    start: () => started.promise,
    onProcess: () => {},
  }, first);
  return { lifecycle, started, late: new FakeProcess(2) };
}

Deno.test("Lifecycle.stop() ends a process whose start did not heed its signal", async () => {
  const { lifecycle, started, late } = startingLate();
  const restarted = assert.rejects(lifecycle.restart(), { name: "DisposedError" });
  await settle();
  const stopped = lifecycle.stop();
  started.resolve(late);
  await Promise.all([stopped, restarted]);
  assert.deepEqual([late.retired, lifecycle.status.state, lifecycle.current], [1, "terminated", null]);
});

Deno.test("Lifecycle.stop() ends a process that was just taking over from another", async () => {
  const { lifecycle, late } = startingLate();
  const handedOver = Promise.withResolvers<void>();
  const replaced = assert.rejects(lifecycle.replace(() => Promise.resolve(late), () => handedOver.promise), {
    name: "DisposedError",
  });
  await settle();
  const stopped = lifecycle.stop();
  handedOver.resolve();
  await Promise.all([stopped, replaced]);
  assert.deepEqual([late.retired, lifecycle.status.state, lifecycle.current], [1, "terminated", null]);
});

Deno.test("Lifecycle.stop() waits for what a process that is gone leaves behind", async () => {
  const first = new FakeProcess(1);
  const cleared = Promise.withResolvers<void>();
  first.stop = () => cleared.promise;
  const { lifecycle } = startingLate(first);
  first.end("signal", { signal: "SIGSEGV" });
  await settle();
  let hasStopped = false;
  const stopped = lifecycle.stop().then(() => hasStopped = true);
  await settle();
  assert.equal(hasStopped, false);
  cleared.resolve();
  await stopped;
});
