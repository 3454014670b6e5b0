/**
 * What a hostile script tries. Each attack throws when it fails.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { lookup } from "node:dns/promises";
import fs from "node:fs";
import inspector from "node:inspector";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";

/** Tries everything against the host. */
export function run(targets) {
  return tryAll(attacksOn(targets));
}

/** Says how far each attack came: "works", or the name and code of its error. */
export async function tryAll(attacks) {
  const outcomes = {};
  for (const [name, attack] of Object.entries(attacks)) {
    try {
      await attack();
      outcomes[name] = "works";
    } catch (error) {
      outcomes[name] = describe(error);
    }
  }
  return outcomes;
}

const SYSTEM_ERRORS = { 1: "EPERM", 2: "ENOENT", 13: "EACCES", 30: "EROFS" };

function describe(error) {
  const name = error?.name ?? String(error);
  const isRefused = [error, error?.cause].some((one) => one instanceof Deno.errors.NotCapable);
  // A failed import is a TypeError that quotes what stopped it.
  if (isRefused || /Requires \w+ access to/.test(error?.message)) return "NotCapable";
  if (/--no-npm/.test(error?.message)) return "--no-npm";
  const number = `${error?.message} ${error?.cause?.message}`.match(/os error (\d+)/)?.[1];
  const code = SYSTEM_ERRORS[number] ?? error?.code ?? error?.cause?.code;
  return code === undefined ? name : `${name} ${code}`;
}

function attacksOn({ secret, victim, port, socket, plugin }) {
  const create = (path) => (Deno.writeTextFileSync(path, "x"), Deno.removeSync(path));
  const local = (host) => async () => await (await fetch(`http://${host}:${port}/`)).text();
  const table = (path) => new DatabaseSync(path).exec("CREATE TABLE t (x)");
  return {
    "1 read /etc/passwd": () => Deno.readTextFileSync("/etc/passwd"),
    "2 read a file of the host": () => Deno.readTextFileSync(secret),
    "2 read it asynchronously": () => Deno.readFile(secret),
    "2 read it through node:fs": () => fs.readFileSync(secret),
    "2 read it through a stream of node:fs": () => fs.createReadStream(secret).toArray(),
    "2 read it through fetch": async () => await (await fetch(`file://${secret}`)).text(),
    "3 read it through dots": () => Deno.readTextFileSync(`${plugin}/../../../../../../../..${secret}`),
    "4 read it through a symbolic link": () => Deno.readTextFileSync(`${plugin}/link`),
    "4 stat it": () => Deno.statSync(secret),
    "4 watch it": () => Deno.watchFs(secret).close(),
    "4 list /": () => [...Deno.readDirSync("/")],
    "7 create a file beside the plugin": () => create(`${plugin}/cordon-escape`),
    "7 overwrite the plugin": () => Deno.openSync(`${plugin}/code`, { write: true }).close(),
    "8 create a file in /dev/shm": () => create("/dev/shm/cordon-escape"),
    "8 create a file in /tmp": () => create("/tmp/cordon-escape"),
    "8 make a temporary file": () => Deno.removeSync(Deno.makeTempFileSync()),
    "9 open /dev/ptmx": () => Deno.openSync("/dev/ptmx", { read: true, write: true }).close(),
    "11 chmod 4755": () => Deno.chmodSync(`${plugin}/code`, 0o4755),
    "12 link a file of the host": () => {
      Deno.symlinkSync(secret, `${plugin}/hard`);
      Deno.removeSync(`${plugin}/hard`);
    },
    "15 read the environment of a host process": () => Deno.readFileSync(`/proc/${victim}/environ`),
    "15 read /proc/self/maps": () => Deno.readTextFileSync("/proc/self/maps"),
    "15 read through /proc/self/root": () => Deno.readTextFileSync("/proc/self/root/etc/passwd"),
    "16 read mountinfo": () => fs.readFileSync("/proc/self/mountinfo"),
    "22 signal a host process": () => Deno.kill(victim, "SIGCONT"),
    "22 signal a host process through node": () => process.kill(victim, 0),
    "23 run a shell": () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).outputSync(),
    "23 run a shell through node": async () => {
      const child = spawn("/bin/sh", ["-c", "true"]);
      const failed = once(child, "error").then(([error]) => Promise.reject(error));
      await Promise.race([once(child, "exit"), failed]);
    },
    "25 open an inspector": () => {
      inspector.open(0);
      inspector.close();
    },
    "54 listen on a port": () => Deno.listen({ port: 0 }).close(),
    "54 listen on a port through node": async () => {
      const server = net.createServer().listen(0);
      await once(server, "listening");
      server.close();
    },
    "54 listen on a path": () => Deno.listen({ transport: "unix", path: `${plugin}/s` }).close(),
    "55 connect to a service of the host": async () => (await Deno.connect({ port })).close(),
    "55 connect to it through node": async () => {
      const connection = net.connect(port, "127.0.0.1");
      await once(connection, "connect");
      connection.destroy();
    },
    "55 fetch from it": local("127.0.0.1"),
    "56 fetch, decimal address": local("2130706433"),
    "56 fetch, octal address": local("0177.0.0.1"),
    "56 fetch, IPv6 form of the address": local("[::ffff:127.0.0.1]"),
    "56 fetch by name": local("localhost"),
    "57 connect to an abstract socket": async () => {
      const connection = net.connect({ path: `\0${socket}` });
      await once(connection, "connect");
      connection.destroy();
    },
    "58 connect to a socket of the host": async () =>
      (await Deno.connect({ transport: "unix", path: socket })).close(),
    "59 look a name up": () => lookup("localhost"),
    "61 import a file as text": async () => await import(`${plugin}/static_text.js`),
    "61 import a file as JSON": async () => await import(`${plugin}/static_json.js`),
    "62 import a module of the host": async () => await import(`${plugin}/literal.js`),
    "62 import it by a computed path": async () => await import(`file://${secret}.js`),
    "63 import over the network": async () => await import(`http://127.0.0.1:${port}/x.js`),
    // Put together, so that no bundler follows them.
    "63 import from JSR": async () => await import(["jsr", "@cordon-escape/nothing"].join(":")),
    "63 import from npm": async () => await import(["npm", "cordon-escape-nothing"].join(":")),
    "64 read from a worker": () => fromWorker(`Deno.readTextFileSync(${JSON.stringify(secret)})`),
    "64 open a library from a worker": () => fromWorker(`Deno.dlopen("libc.so.6", {}).close()`),
    "65 use a configuration of its own": async () => await import(["cordon", "escape"].join("-")),
    "66 load a package that leads out": () => createRequire(`${plugin}/main.js`)("cordon-out"),
    "66 require a file of the host": () => createRequire(`${plugin}/main.js`)(`${secret}.json`),
    "67 read a variable of the host": () => canary(Deno.env.get("CORDON_ESCAPE_CANARY")),
    "67 read all variables": () => canary(Deno.env.toObject().CORDON_ESCAPE_CANARY),
    "67 read it through node": () => canary(process.env.CORDON_ESCAPE_CANARY),
    "68 open a library": () => Deno.dlopen("libc.so.6", {}).close(),
    "68 load an addon": () => process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libm.so.6"),
    "68 make a pointer": () => Deno.UnsafePointer.create(4096n),
    "68 ask for FFI": async () => {
      const { state } = await Deno.permissions.request({ name: "ffi" });
      if (state !== "granted") throw new Deno.errors.NotCapable(state);
    },
    "69 run a second runtime": () => new Deno.Command(Deno.execPath(), { args: ["--version"] }).outputSync(),
    "70 open a database": () => {
      table(`${socket}.db`);
      Deno.removeSync(`${socket}.db`);
    },
    "70 attach a database": () => {
      new DatabaseSync(":memory:").exec(`ATTACH '${socket}.at' AS a; CREATE TABLE a.t (x)`);
      Deno.removeSync(`${socket}.at`);
    },
    "70 change times of a file of the host": () => Deno.utimeSync(`${secret}.js`, 1, 1),
    "91 learn the host's name": () => differs(os.hostname(), "plugin"),
    "91 learn the host's network": () => differs(JSON.stringify(Deno.networkInterfaces()), "[]"),
    "91 learn the host's users": () => os.userInfo(),
  };
}

function canary(value) {
  if (value === undefined) throw new ReferenceError("not there");
}

function differs(value, harmless) {
  if (value === harmless) throw new RangeError("nothing of the host");
}

async function fromWorker(code) {
  const source = `try { ${code}; postMessage(null) } catch (error) { postMessage([error.name, error.code]) }`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, { type: "module" });
  const failure = await new Promise((resolve) => worker.onmessage = (event) => resolve(event.data));
  worker.terminate();
  if (failure !== null) throw Object.assign(new Error(), { name: failure[0], code: failure[1] });
}
