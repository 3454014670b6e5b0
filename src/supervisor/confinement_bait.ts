/**
 * Things on the host that a confined plugin must not reach, although everybody else on the machine can.
 *
 * @module
 */

/** Bait on the host. Disposing removes all of it. */
export interface ConfinementBait extends AsyncDisposable {
  /** Directory that holds it, for the probe's own source. */
  readonly path: string;
  /** File that everybody may read. */
  readonly file: string;
  /** Directory that everybody may write to. */
  readonly openDirectory: string;
  /** Listening Unix socket that everybody may connect to. */
  readonly socket: string;
  /** Port of a TCP listener on 127.0.0.1; null where that interface is down, so that nobody reaches it. */
  readonly port: number | null;
  /** Name of a variable in this process' environment. */
  readonly variable: string;
}

/**
 * Lay out bait, and check that it can be reached from here: what nobody can reach would prove nothing.
 *
 * @returns The bait; the caller disposes it.
 * @throws {Error} If the host itself cannot reach it.
 */
export async function confinementBait(): Promise<ConfinementBait> {
  await using cleanup = new AsyncDisposableStack();
  const path = await Deno.makeTempDir({ dir: "/tmp", prefix: "cordon-bait-" });
  cleanup.defer(() => Deno.remove(path, { recursive: true }));
  await Deno.chmod(path, 0o755);
  const file = `${path}/secret`;
  await Deno.writeTextFile(file, "bait", { mode: 0o644 });
  const openDirectory = `${path}/open`;
  await Deno.mkdir(openDirectory);
  await Deno.chmod(openDirectory, 0o777);
  const socket = `${path}/open.sock`;
  const unixListener = cleanup.use(Deno.listen({ transport: "unix", path: socket }));
  await Deno.chmod(socket, 0o777);
  const tcpListener = cleanup.use(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const variable = `BAIT_${crypto.randomUUID().replaceAll("-", "")}`;
  Deno.env.set(variable, "bait");
  cleanup.defer(() => Deno.env.delete(variable));
  const port = await reachedPort(tcpListener);
  const bait = { path, file, openDirectory, socket, port, variable };
  await reach(bait, unixListener);
  const resources = cleanup.move();
  return { ...bait, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** The positive control: every attempt that the plugin will make succeeds from here. */
async function reach(
  bait: Omit<ConfinementBait, typeof Symbol.asyncDispose>,
  unixListener: Deno.Listener<Deno.Conn>,
): Promise<void> {
  await Deno.readTextFile(bait.file);
  await Deno.readTextFile("/etc/passwd");
  await Deno.writeTextFile(`${bait.openDirectory}/control`, "written by the host");
  (await Deno.connect({ transport: "unix", path: bait.socket })).close();
  (await unixListener.accept()).close();
  if (Deno.env.get(bait.variable) !== "bait") throw new Error(`Cannot read the variable "${bait.variable}"`);
}

/** Machines without any network may not even have this one. */
async function reachedPort(listener: Deno.TcpListener): Promise<number | null> {
  const { port } = listener.addr;
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NetworkUnreachable) return null;
    throw error;
  }
  (await listener.accept()).close();
  return port;
}
