/** A broker and the runtime's side of its socket, for tests. */

import { brokerLines } from "../../src/supervisor/broker_wire.ts";
import { startPermissionBroker } from "../../src/supervisor/broker.ts";
import type {
  PermissionAudit,
  PermissionBroker,
  PermissionBrokerOptions,
} from "../../src/supervisor/broker_types.ts";
import { writeAll } from "../../src/util/copy_bytes.ts";

export interface BrokerHarness extends AsyncDisposable {
  readonly broker: PermissionBroker;
  readonly audit: PermissionAudit[];
  readonly conn: Deno.UnixConn;
  /** Ask as the runtime does; null is "allow", text the reason of a denial. */
  ask(permission: string, value: string | null): Promise<string | null>;
}

const NOTHING = { read: [], write: [], net: [], env: [], sys: [] } as const;

/** Options of a broker for a plugin with few grants, with a socket in a directory of its own. */
export async function brokerOptions(
  options: Partial<PermissionBrokerOptions> & {
    grants?: Partial<PermissionBrokerOptions["policy"]["deno"]>;
  } = {},
): Promise<PermissionBrokerOptions & { readonly directory: string }> {
  const directory = await Deno.makeTempDir();
  const { grants, ...rest } = options;
  return {
    directory,
    socketPath: `${directory}/broker.sock`,
    policy: {
      plugin: "resize",
      tier: "full",
      network: { kind: "none" },
      workingDirectory: null,
      runAs: null,
      deno: { ...NOTHING, ...grants },
    },
    paths: {
      plugin: "/app/plugin",
      proxy: "/run/cordon/net.sock",
      socket: "/run/cordon/rpc.sock",
      boot: "/run/cordon/boot.json",
      library: null,
    },
    audit: () => {},
    ...rest,
  };
}

/** A broker with a client, its guest locked down already. */
export async function brokerHarness(
  options: Parameters<typeof brokerOptions>[0] = {},
): Promise<BrokerHarness> {
  const audit: PermissionAudit[] = [];
  const { directory, ...complete } = await brokerOptions({ audit: (entry) => audit.push(entry), ...options });
  const broker = await startPermissionBroker(complete);
  broker.lockDown();
  const conn = await Deno.connect({ transport: "unix", path: complete.socketPath });
  let id = 0;
  return {
    broker,
    audit,
    conn,
    ask: async (permission, value) => {
      await writeAll(
        conn,
        new TextEncoder().encode(`${JSON.stringify({ v: 1, id: ++id, permission, value })}\n`),
      );
      const answer = JSON.parse(await readLine(conn)) as { id: number; result: string; reason?: string };
      if (answer.id !== id) throw new Error(`answer to ${answer.id} instead of ${id}`);
      return answer.result === "allow" ? null : answer.reason ?? "";
    },
    [Symbol.asyncDispose]: async () => {
      conn.close();
      await broker[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Parse what a runtime would have sent in these pieces. */
export async function linesOf(pieces: readonly string[]): Promise<unknown[]> {
  const left = pieces.map((piece) => new TextEncoder().encode(piece));
  const lines = [];
  const read = (into: Uint8Array) => {
    const piece = left.shift();
    if (piece !== undefined) into.set(piece);
    return Promise.resolve(piece?.length ?? null);
  };
  for await (const line of brokerLines({ read })) lines.push(line);
  return lines;
}

async function readLine(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(64 * 1024);
  let length = 0;
  while (bytes[length - 1] !== 0x0a) {
    const count = await conn.read(bytes.subarray(length));
    if (count === null) throw new Error("the broker ended the connection");
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
