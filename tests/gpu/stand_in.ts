/** Compiles the stand-in for the graphics driver, so that everything but the hardware can be tested anywhere. */

/** Its files, as paths. */
export const STAND_IN_SOURCES: readonly string[] = [
  "devices.c",
  "handles.c",
  "memory.c",
  "queue.c",
  "shared.c",
  "work.c",
].map((name) => decodeURIComponent(new URL(`stand_in/${name}`, import.meta.url).pathname));

/** Why nothing can be tested with the stand-in here, or null. */
export const STAND_IN_SKIP: string | null = skipReason();

/** Fields of a test that needs the stand-in: its name says why it was skipped. */
export function standInTest(name: string): { name: string; ignore: boolean } {
  return {
    name: STAND_IN_SKIP === null ? name : `${name} [skipped: ${STAND_IN_SKIP}]`,
    ignore: STAND_IN_SKIP !== null,
  };
}

/** What differs from two devices that share by descriptor. */
export interface StandInOptions {
  /** Number of devices. @default 2 */
  readonly devices?: number;
  /** Memory can be exported as a descriptor. @default true */
  readonly posixFd?: boolean;
  /** Devices reach each other's memory. @default true */
  readonly peers?: boolean;
  /** Descriptors can be imported. @default true */
  readonly imports?: boolean;
}

const built = new Map<string, Promise<string>>();

/** Path of a stand-in, `libcuda.so.1` in a directory of its own that every account may read. */
export function standIn(
  { devices = 2, posixFd = true, imports = true, peers = true }: StandInOptions = {},
): Promise<
  string
> {
  const defines = [
    `-DSTAND_IN_DEVICES=${devices}`,
    `-DSTAND_IN_POSIX_FD=${Number(posixFd)}`,
    `-DSTAND_IN_IMPORTS=${Number(imports)}`,
    `-DSTAND_IN_PEERS=${Number(peers)}`,
  ];
  const key = defines.join(" ");
  const known = built.get(key) ?? compile(defines);
  built.set(key, known);
  return known;
}

async function compile(defines: readonly string[]): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-stand-in-" });
  await Deno.chmod(directory, 0o755);
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  const output = `${directory}/libcuda.so.1`;
  const flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-fvisibility=hidden"];
  const { code, stderr } = await new Deno.Command("cc", {
    args: [...flags, ...defines, "-o", output, ...STAND_IN_SOURCES],
  }).output();
  if (code !== 0) throw new Error(`Cannot compile the stand-in: ${new TextDecoder().decode(stderr)}`);
  return output;
}

function skipReason(): string | null {
  if (Deno.build.os !== "linux") return `no driver library for ${Deno.build.os}`;
  try {
    return new Deno.Command("cc", { args: ["--version"] }).outputSync().success ? null : "cc does not work";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no C compiler";
    throw error;
  }
}

/**
 * Set variables of this process; disposing sets them back, so that a driver that was named before is named again.
 *
 * @param values Name → value.
 */
export function variables(values: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}
