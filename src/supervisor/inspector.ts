/**
 * The host's end for debuggers: what `chrome://inspect` and editors connect to, on the loopback device.
 *
 * @module
 */

import type { InspectConfig } from "../config/types.ts";
import { ConfigError } from "../errors.ts";
import { GuestSocket } from "../launcher/guest_socket.ts";
import { runSockets } from "../launcher/run_sockets.ts";
import type { SandboxDirectory } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { InspectorLink } from "./inspector_link.ts";

/** What an end is opened for. */
export interface InspectorRequest {
  readonly directory: SandboxDirectory;
  readonly policy: SandboxPolicy;
  readonly inspect: InspectConfig;
}

/** An end for debuggers. Disposing closes it. */
export interface Inspector extends AsyncDisposable {
  /** Where debuggers connect. The path is a secret: who knows it controls the plugin. */
  readonly url: string;
  /** Whether the plugin's code waits for a debugger. */
  readonly wait: boolean;
  /** Resolves when a debugger is attached and has said what it wants to know. */
  readonly attached: Promise<void>;
  /** Gives debuggers the source map of a script, whose sources are places of this machine. */
  mapScript(url: string, sourceMap: string): void;
}

/**
 * Open the end that a plugin's options ask for.
 *
 * @param request What it is for.
 * @returns The end; the caller disposes it.
 * @throws {ConfigError} If the port is taken.
 */
export function openInspector({ directory, policy, inspect }: InspectorRequest): Inspector {
  const id = crypto.randomUUID();
  const guest = new GuestSocket(runSockets(directory.run).inspector, policy.runAs);
  const link = new InspectorLink(guest);
  try {
    const server = serve(inspect.port, (request) => answer(request, { id, plugin: policy.plugin, link }));
    const host = `127.0.0.1:${server.addr.port}`;
    return {
      url: `ws://${host}/${id}`,
      wait: inspect.wait,
      attached: link.attached,
      mapScript: (url, sourceMap) => link.mapScript(url, sourceMap),
      async [Symbol.asyncDispose]() {
        link[Symbol.dispose]();
        await server.shutdown();
      },
    };
  } catch (error) {
    link[Symbol.dispose]();
    throw error;
  }
}

function serve(port: number, handler: (request: Request) => Response): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, handler);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new ConfigError(`Cannot inspect a plugin at port ${port} as it is in use`, {
      path: "inspect.port",
      hint: "Write another port, or 0 for any that is free",
      cause,
    });
  }
}

interface Target {
  readonly id: string;
  readonly plugin: string;
  readonly link: InspectorLink;
}

/** What debuggers ask before they connect. A page in a browser that resolves its own name to us gets nothing. */
function answer(request: Request, { id, plugin, link }: Target): Response {
  const { pathname } = new URL(request.url);
  const host = request.headers.get("host") ?? "";
  if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(host)) return new Response(null, { status: 403 });
  if (pathname === `/${id}`) {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response(null, { status: 400 });
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    link.attach(socket);
    return response;
  }
  if (pathname === "/json/version") {
    return Response.json({
      Browser: `Deno/${Deno.version.deno}`,
      "Protocol-Version": "1.3",
      "V8-Version": Deno.version.v8,
    });
  }
  if (pathname !== "/json" && pathname !== "/json/list") return new Response(null, { status: 404 });
  return Response.json([{
    description: "deno",
    devtoolsFrontendUrl:
      `devtools://devtools/bundled/js_app.html?ws=${host}/${id}&experiments=true&v8only=true`,
    faviconUrl: "https://deno.land/favicon.ico",
    id,
    title: `cordon: ${plugin}`,
    type: "node",
    url: "file:///app/plugin",
    webSocketDebuggerUrl: `ws://${host}/${id}`,
  }]);
}
