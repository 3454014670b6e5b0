import { deepEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { bwrapArguments, type BwrapLayout } from "../../src/launcher/bwrap_arguments.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import type { LoadConfig } from "../../src/config/types.ts";
import { DEFAULT_LIMITS, fakeConfig, fakeFacts, NO_PERMISSIONS } from "../policy/fakes.ts";

const LAYOUT: BwrapLayout = {
  runtime: fakeFacts().deno!,
  files: { deno: "/usr/bin/deno", guest: "/h/guest.js", library: "/h/libcordon.so", exec: "/h/cordon-exec" },
  directory: { plugin: "/h/0/p", run: "/h/0/r" },
  pins: new Map(),
  variables: { HOME: "/tmp" },
};

function argumentsFor(changes: Partial<LoadConfig> = {}, layout: Partial<BwrapLayout> = {}): string {
  const facts = fakeFacts({ gpuDevices: ["/dev/nvidia0"] });
  const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/work" };
  return bwrapArguments(sandboxPolicy(fakeConfig(changes), facts, context), { ...LAYOUT, ...layout }).join(
    " ",
  );
}

const ISOLATION = "--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup " +
  "--disable-userns --uid 65534 --gid 65534 --hostname plugin --die-with-parent --new-session --cap-drop ALL --clearenv";
const RUNTIME = "--ro-bind /usr/lib/libc.so.6 /lib/libc.so.6 " +
  "--ro-bind /usr/lib/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2 " +
  "--ro-bind /usr/bin/deno /app/deno --ro-bind /h/guest.js /app/guest.js " +
  "--ro-bind /h/cordon-exec /app/cordon-exec --ro-bind /h/libcordon.so /app/libcordon.so " +
  "--ro-bind /h/0/p /app/plugin --ro-bind /h/0/r /run/cordon " +
  "--dir /proc/self --symlink /app/deno /proc/self/exe " +
  "--dev-bind /dev/null /dev/null --dev-bind /dev/urandom /dev/urandom";

Deno.test("bwrapArguments() without grants binds the runtime read-only and nothing else", () => {
  deepEqual(
    argumentsFor().split(" "),
    `${ISOLATION} --setenv HOME /tmp ${RUNTIME} --remount-ro / --chdir /app/plugin`.split(" "),
  );
});

Deno.test("bwrapArguments() with every kind of grant", () => {
  const permissions = {
    ...NO_PERMISSIONS,
    read: [{ source: "/work/data", target: "/work/data" }, { source: "/srv/pinned", target: "/pinned" }],
    write: [{ source: "/srv/out", target: "/out" }],
    unix: ["/srv/app.sock"],
    net: { kind: "host" as const },
    env: { NAME: "value" },
  };
  const limits = { ...DEFAULT_LIMITS, tmpBytes: 1024 };
  const pins = new Map([["/srv/pinned", 7], ["/srv/out", 8]]);
  deepEqual(
    argumentsFor({ permissions, limits, gpu: true }, { pins }).split(" "),
    (`${
      ISOLATION.replace("--unshare-net ", "")
    } --setenv HOME /tmp --setenv NAME value --size 1024 --perms 0700 --tmpfs /tmp ` +
      "--ro-bind-fd 7 /pinned --bind-fd 8 /out --ro-bind /work/data /work/data " +
      "--ro-bind /srv/app.sock /srv/app.sock --dev-bind /dev/nvidia0 /dev/nvidia0 " +
      `${RUNTIME} --remount-ro / --chdir /work`).split(" "),
  );
});

Deno.test("bwrapArguments() leaves out what the host does not have", () => {
  const files = { ...LAYOUT.files, library: null, exec: null };
  const without = argumentsFor({}, { files });
  deepEqual([without.includes("libcordon"), without.includes("cordon-exec")], [false, false]);
});

Deno.test("bwrapArguments() tells the runtime the frequency of the clock where it would measure it", () => {
  const files = { ...LAYOUT.files, clock: "/h/clock" };
  const bind = "--ro-bind /h/clock /sys/devices/system/cpu/cpu0/tsc_freq_khz ";
  deepEqual(argumentsFor({}, { files }).replace(bind, ""), argumentsFor());
  ok(argumentsFor({}, { files }).includes(bind));
});

Deno.test("bwrapArguments() refuses NUL, which would end an option", () => {
  const grant = { source: "/srv/a\0--bind\0/\0/host", target: "/a" };
  throws(() => argumentsFor({ permissions: { ...NO_PERMISSIONS, read: [grant] } }), TypeError);
});

Deno.test("bwrapArguments() never turns a plugin's text into an option", () => {
  const text = fc.stringMatching(/^[^\0,]{1,20}$/).map((tail) => `--${tail}`);
  fc.assert(fc.property(text, text, (value, path) => {
    const permissions = {
      ...NO_PERMISSIONS,
      read: [{ source: `/${path}`, target: `/${path}` }],
      env: { NAME: value },
    };
    const facts = fakeFacts();
    const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/elsewhere" };
    const built = bwrapArguments(
      sandboxPolicy(fakeConfig({ permissions, name: value }), facts, context),
      LAYOUT,
    );
    const plain = bwrapArguments(sandboxPolicy(fakeConfig(), facts, context), LAYOUT);
    deepEqual(withoutGrants(built, value, `/${path}`), plain);
  }));
});

/** Remove exactly the two options that the grants make. */
function withoutGrants(options: string[], value: string, path: string): string[] {
  const rest = [...options];
  const setenv = rest.findIndex((option, index) => option === "--setenv" && rest[index + 1] === "NAME");
  deepEqual(rest.splice(setenv, 3), ["--setenv", "NAME", value]);
  const bind = rest.findIndex((option, index) => option === "--ro-bind" && rest[index + 1] === path);
  deepEqual(rest.splice(bind, 3), ["--ro-bind", path, path]);
  return rest;
}

Deno.test("bwrapArguments() leaves out the namespaces that the plugin shares, and no others", () => {
  const options = argumentsFor({ sharedNamespaces: ["ipc", "uts"] }).split(" ");
  const names = options.filter((option) => option.startsWith("--unshare-"));
  deepEqual(names, ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-cgroup"]);
  ok(!options.includes("--hostname"), "a shared host name is not changed");
});
