/**
 * From a fresh process to a loaded plugin: connect, give up every privilege, and only then import foreign code.
 *
 * @module
 */

import { RpcSession, TypeRegistry } from "../rpc/mod.ts";
import type { ExportDescription, LoadSpec } from "../rpc/mod.ts";
import { exposeModule, PLUGIN_TARGET } from "../proxy/mod.ts";
import { socketTransport } from "../transport/mod.ts";
import { CONFINED_EVENT } from "../util/boot_record.ts";
import type { BootRecord } from "../util/boot_record.ts";
import type { GuestTensors } from "../tensor/mod.ts";
import { lazyAmbientStore } from "./lazy_ambient.ts";
import type { LazyAmbientStore } from "./lazy_ambient.ts";
import { exitWhenDenied } from "./exit_when_denied.ts";
import { keepAliveOnlyForAnswers } from "./keep_alive.ts";
import { startInspectorRelay } from "./inspector_relay.ts";
import { installNetwork } from "./network.ts";
import { dropPrivileges, giveUpFfiAndSockets, openPrivileges } from "./privileges.ts";
import type { Privileges } from "./privileges.ts";
import { publishGuestApi } from "./guest_api.ts";
import { GuestLifecycle, report } from "./lifecycle.ts";

/** Exit code of a guest that lost its host. */
const EXIT_HOST_GONE = 111;

/**
 * Run the guest: returns when it serves the host; the process ends when the host says so or goes away.
 *
 * @throws {Error} If the guest cannot be made ready. Nothing of the plugin ran.
 */
export async function startGuest(): Promise<void> {
  const boot = readBootRecord();
  const ambient = lazyAmbientStore();
  const types = new TypeRegistry();
  await startInspectorRelay(boot);
  const connection = await connectToHost(boot);
  const confined = Promise.withResolvers<Privileges>();
  const lifecycle = new GuestLifecycle();
  const transport = socketTransport(connection, { maxFrameBytes: boot.maxFrameBytes });
  const session: RpcSession = new RpcSession(
    transport,
    {
      role: "guest",
      token: boot.token,
      name: "host",
      limits: { maxFrameBytes: boot.maxFrameBytes },
      types,
      runtime: { deno: Deno.version.deno, arch: Deno.build.arch },
      ambient,
      onLoad: async (spec) => {
        const { tensors, cuda } = await confined.promise;
        cuda?.prepare();
        return await loadPlugin(
          { session, boot, connection, ambient, lifecycle, tensors, cuda, types },
          spec,
        );
      },
      onHandlerError: (error) => report(error),
      onLoaded: () => lifecycle.loaded(),
      onShutdown: () => lifecycle.unload(),
    },
  );
  exitWhenHostIsGone(session);
  const greeting = session.start();
  // The rest happens while the host answers.
  await transport.flushed();
  const privileges = openPrivileges(boot, types, connection);
  await giveUpFfiAndSockets(boot);
  await greeting;
  await dropPrivileges(boot, privileges);
  if (boot.network !== null) {
    await installNetwork({ socketPath: boot.network.socket, allow: boot.network.allow });
  }
  if (boot.hasBroker) session.emit(CONFINED_EVENT);
  confined.resolve(privileges);
  // Nobody waits for it yet.
  if (boot.isSpare) await ambient.prefetch();
  privileges.tensors.park(boot.isSpare);
}

/** What a load needs. */
interface GuestParts {
  readonly session: RpcSession;
  readonly boot: BootRecord;
  readonly connection: Deno.UnixConn;
  readonly tensors: GuestTensors;
  readonly ambient: LazyAmbientStore;
  readonly lifecycle: GuestLifecycle;
  readonly cuda: Privileges["cuda"];
  readonly types: TypeRegistry;
}

/** The boot record, whose path is the first argument; plugins see the arguments behind it. */
function readBootRecord(): BootRecord {
  const [path, ...args] = Deno.args;
  if (path === undefined) throw new TypeError("Cannot start a guest without a boot record");
  Object.defineProperty(Deno, "args", { value: Object.freeze(args), enumerable: true });
  return JSON.parse(Deno.readTextFileSync(path)) as BootRecord;
}

/** A connection that fails means that the host is gone: then this process has no reason to be. */
async function connectToHost(boot: BootRecord): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path: boot.paths.socket });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      Deno.exit(EXIT_HOST_GONE);
    }
    throw error;
  }
}

function exitWhenHostIsGone(session: RpcSession): void {
  const exit = Deno.exit;
  session.closed.then((error) => exit(error === null ? 0 : EXIT_HOST_GONE));
}

async function loadPlugin(
  { session, boot, connection, tensors, ambient, lifecycle, cuda, types }: GuestParts,
  spec: LoadSpec,
): Promise<readonly ExportDescription[]> {
  publishGuestApi({ session, services: spec.services ?? [], tensors, cuda, lifecycle, types });
  if (boot.isScript) keepAliveOnlyForAnswers(session, connection);
  if (spec.usesHost === true) await ambient.load();
  const namespace = await import(spec.entry) as object;
  await lifecycle.beforeLoad();
  if (boot.isScript) exitWhenDenied();
  return boot.isScript ? [] : exposeModule(session, PLUGIN_TARGET, namespace, lifecycle.around);
}
