import assert from "node:assert/strict";
import { hostConfig } from "../../src/config/host_config.ts";
import { loadConfig } from "../../src/config/load_config.ts";
import { assertConfigError } from "./assert_config_error.ts";
import { environment } from "./environment.ts";

const around = environment({ env: { LANG: "C", HOME: "/home/me" } });
const load = (options: unknown) => loadConfig("./resize.ts", options, hostConfig({}, around), around);

Deno.test("loadConfig() takes the older spellings of permissions", () => {
  const { permissions } = load({
    permissions: { readonlyPaths: ["/a"], writablePaths: ["/b"], network: { allow: ["x.example:1"] } },
  });
  assert.deepEqual(permissions.read, [{ source: "/a", target: "/a" }]);
  assert.deepEqual(permissions.write, [{ source: "/b", target: "/b" }]);
  assert.deepEqual(permissions.net, { kind: "proxy", allow: ["x.example:1"] });
});

Deno.test("loadConfig() passes variables by name with the host's value, and leaves out those that the host lacks", () => {
  assert.deepEqual(load({ permissions: { env: ["LANG", "NOT_THERE"] } }).permissions.env, { LANG: "C" });
});

Deno.test("loadConfig() keeps a variable named __proto__ a variable", () => {
  const { env } = load({ permissions: { env: { ["__proto__"]: "x" } } }).permissions;
  assert.deepEqual(Object.entries(env), [["__proto__", "x"]]);
});

for (
  const name of [
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DENO_DIR",
    "CORDON_X",
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "NODE_OPTIONS",
    "NODE_ENV",
    "ssl_cert_file",
    "TMPDIR",
  ]
) {
  Deno.test(`loadConfig() refuses to pass ${name}: it would change the runtime itself`, () => {
    const expected = {
      path: "permissions.env[0]",
      message:
        `Cannot use "permissions.env[0]" as the name of an environment variable: "${name}" changes how the ` +
        "runtime itself behaves",
    };
    assertConfigError(() => load({ permissions: { env: [name] } }), expected);
    const inObject = { ...expected, path: `permissions.env.${name}` };
    assertConfigError(() => load({ permissions: { env: { [name]: "1" } } }), {
      ...inObject,
      message: expected.message.replace("env[0]", `env.${name}`),
    });
  });
}

Deno.test("loadConfig() shows how a list is written to whoever wrote its one item", () => {
  for (const permissions of [{ read: "/a" }, { env: "/a" }, { sys: "/a" }, { unix: "/a" }, { net: "/a" }]) {
    assert.throws(() => load({ permissions }), { name: "ConfigError", hint: 'Write ["/a"]' });
  }
});

Deno.test("loadConfig() does not propose what nobody is ever granted", () => {
  assert.throws(() => load({ permissions: { runn: [] } }), {
    hint: 'Known are "read", "write", "net", "env", "sys", "unix"',
  });
});
