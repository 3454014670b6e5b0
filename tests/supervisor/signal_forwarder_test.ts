import assert from "node:assert/strict";
import { SignalForwarder } from "../../src/supervisor/signal_forwarder.ts";

const isLinux = Deno.build.os === "linux";
const skip = isLinux ? "" : " [skipped: not Linux]";

/** A process that says `up` and then waits; the script decides what it does with signals. */
async function waiting(script: string): Promise<{ child: Deno.ChildProcess; output: () => Promise<string> }> {
  const child = new Deno.Command("sh", {
    args: ["-c", `${script} echo up; while :; do sleep 0.01; done`],
    stdout: "piped",
  })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("up\n")) text += (await reader.read()).value ?? assert.fail("it ended early");
  const output = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    return text;
  };
  return { child, output };
}

Deno.test({
  name: `SignalForwarder hands a signal on to a guest that listens to it${skip}`,
  ignore: !isLinux,
  async fn() {
    const { child, output } = await waiting("trap 'echo caught; exit 7' USR2;");
    const killed: string[] = [];
    using forwarder = new SignalForwarder(["SIGUSR2"]);
    forwarder.attach({ guestPid: Promise.resolve(child.pid), kill: (reason) => killed.push(reason) });
    Deno.kill(Deno.pid, "SIGUSR2");
    assert.equal(await output(), "up\ncaught\n");
    assert.equal((await child.status).code, 7);
    assert.deepEqual([forwarder.received, forwarder.handedOn, killed], ["SIGUSR2", "SIGUSR2", []]);
  },
});

Deno.test({
  name: `SignalForwarder ends a guest that does not listen${skip}`,
  ignore: !isLinux,
  async fn() {
    const { child, output } = await waiting("");
    const killed = Promise.withResolvers<string>();
    using forwarder = new SignalForwarder(["SIGUSR2"]);
    forwarder.attach({ guestPid: Promise.resolve(child.pid), kill: killed.resolve });
    Deno.kill(Deno.pid, "SIGUSR2");
    assert.equal(await killed.promise, "killed-by-host");
    assert.equal(forwarder.handedOn, null);
    child.kill("SIGKILL");
    await Promise.all([output(), child.status]);
  },
});

Deno.test({
  name: `SignalForwarder ends a guest at the second signal although it listens${skip}`,
  ignore: !isLinux,
  async fn() {
    const { child, output } = await waiting("trap 'echo caught' USR2;");
    const killed = Promise.withResolvers<string>();
    using forwarder = new SignalForwarder(["SIGUSR2", "SIGUSR1"]);
    forwarder.attach({ guestPid: Promise.resolve(child.pid), kill: killed.resolve });
    Deno.kill(Deno.pid, "SIGUSR2");
    Deno.kill(Deno.pid, "SIGUSR1");
    assert.equal(await killed.promise, "killed-by-host");
    child.kill("SIGKILL");
    await Promise.all([output(), child.status]);
  },
});

Deno.test({
  name: `SignalForwarder aborts a start, and ends a guest that comes up afterwards${skip}`,
  ignore: !isLinux,
  async fn() {
    using forwarder = new SignalForwarder(["SIGUSR2"]);
    const aborted = new Promise((resolve) =>
      forwarder.signal.addEventListener("abort", resolve, { once: true })
    );
    // Listening to a signal keeps no event loop running; a timer does.
    const alive = setInterval(() => {}, 1_000);
    Deno.kill(Deno.pid, "SIGUSR2");
    await aborted;
    clearInterval(alive);
    const killed: string[] = [];
    forwarder.attach({ guestPid: Promise.resolve(null), kill: (reason) => killed.push(reason) });
    assert.deepEqual(killed, ["killed-by-host"]);
  },
});
