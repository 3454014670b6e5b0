import { deepEqual, match, throws } from "node:assert/strict";
import { hostConfig } from "../../src/config/host_config.ts";
import { loadConfig } from "../../src/config/load_config.ts";
import { ConfigError } from "../../src/errors.ts";

const host = hostConfig({});

function refuses(work: () => unknown, path: string, why: RegExp): void {
  throws(work, (error) => {
    if (!(error instanceof ConfigError)) return false;
    deepEqual(error.path, path);
    match(error.message, why);
    return true;
  });
}

const shared = (namespaces: unknown) => loadConfig("./a.ts", { namespaces }, host).sharedNamespaces;

Deno.test("loadConfig() gives every namespace of its own unless one is shared by name", () => {
  deepEqual(loadConfig("./a.ts", {}, host).sharedNamespaces, []);
  deepEqual(shared({ pid: true, net: true, mnt: true, user: true, ipc: true, uts: true, cgroup: true }), []);
  deepEqual(shared({ uts: false, ipc: false }), ["ipc", "uts"]);
});

for (
  const [name, why] of Object.entries({
    user: /unprivileged/,
    mnt: /bubblewrap/,
    pid: /first process/,
    net: /granted/,
  })
) {
  Deno.test(`loadConfig() refuses to share the namespace ${name} and says why`, () => {
    refuses(() => shared({ [name]: false }), `namespaces.${name}`, why);
  });
}

Deno.test("loadConfig() refuses a namespace that does not exist", () => {
  refuses(() => shared({ ips: false }), "namespaces.ips", /"ipc" is/);
});

Deno.test("loadConfig() takes capabilities to drop, and refuses to keep any", () => {
  const load = (capabilities: unknown) => loadConfig("./a.ts", { capabilities }, host);
  load({ drop: "ALL", keep: [] });
  load({ drop: ["CAP_NET_RAW", "sys_admin", "ALL"] });
  refuses(() => load({ keep: ["CAP_NET_RAW"] }), "capabilities.keep", /no effect/);
  refuses(() => load({ drop: ["CAP_NET_RAVV"] }), "capabilities.drop[0]", /"CAP_NET_RAW" is/);
});
