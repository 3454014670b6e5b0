/**
 * The thread inside a sandbox that connects the runtime's end for debuggers with the host's.
 *
 * A thread of its own, as a debugger stops the plugin's. It starts before the guest gives up its privileges, with both
 * connections open; afterwards nothing in the process can open another.
 *
 * @module
 */

/**
 * Write the script. Its frames: length (u32, little endian), then the text of one message.
 *
 * @param address `host:port` of the runtime's end.
 * @param socket Path of the host's end.
 * @returns JavaScript for a worker thread; it says "ready" when both ends are connected.
 */
export function inspectorRelayScript(address: string, socket: string): string {
  const [hostname, port] = address.split(":");
  return `import { parentPort } from "node:worker_threads";
const encoder = new TextEncoder(), decoder = new TextDecoder();
const asked = await Deno.connect({ hostname: ${JSON.stringify(hostname)}, port: ${Number(port)} });
await asked.write(encoder.encode("GET /json/list HTTP/1.1\\r\\nHost: ${address}\\r\\nConnection: close\\r\\n\\r\\n"));
const list = await new Response(asked.readable).text();
const connected = async () => {
  const socket = new WebSocket(/"webSocketDebuggerUrl": *"([^"]+)"/.exec(list)[1]);
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  return socket;
};
const inspector = await connected();
// The runtime waits at its end until no debugger is attached, and this thread is one: the context goes before that.
const watch = await connected();
watch.onmessage = ({ data }) => {
  if (!data.startsWith('{"method":"Runtime.executionContextDestroyed"')) return;
  inspector.close();
  watch.close();
};
watch.send('{"id":1,"method":"Runtime.enable"}');
const host = await Deno.connect({ transport: "unix", path: ${JSON.stringify(socket)} });
let last = Promise.resolve();
inspector.onmessage = ({ data }) => {
  const text = encoder.encode(data), frame = new Uint8Array(4 + text.length);
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, 4);
  last = last.then(async () => { for (let sent = 0; sent < frame.length;) sent += await host.write(frame.subarray(sent)); });
};
parentPort.postMessage("ready");
let rest = new Uint8Array(0);
for await (const chunk of host.readable) {
  const all = new Uint8Array(rest.length + chunk.length);
  all.set(rest); all.set(chunk, rest.length);
  let start = 0;
  for (;;) {
    if (all.length - start < 4) break;
    const length = new DataView(all.buffer).getUint32(start, true);
    if (all.length - start - 4 < length) break;
    inspector.send(decoder.decode(all.subarray(start + 4, start + 4 + length)));
    start += 4 + length;
  }
  rest = all.slice(start);
}
`;
}
