/**
 * Writes the package as a registry would serve it: `deno run -A tools/pack.ts <folder>`. Exactly the files that
 * `deno publish` would take, with bare imports replaced by what deno.json maps them to.
 *
 * @module
 */

import { say } from "./say.ts";

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/**
 * Name the files that would be published.
 *
 * @returns Paths from the root of the repository, sorted.
 * @throws {Error} If `deno publish` refuses the package.
 */
export async function publishedFiles(): Promise<readonly string[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`Cannot pack the package as "deno publish" refuses it: ${text}`);
  const urls = [...text.matchAll(/^ +(file:\/\/\S+) \(/gm)].map((match) => decodeURIComponent(match[1]!));
  return urls.map((url) => url.slice(`file://${ROOT}`.length)).sort();
}

/**
 * Write the package into a folder.
 *
 * @param folder An existing folder.
 * @returns The files that it holds now.
 */
export async function pack(folder: string): Promise<readonly string[]> {
  const [files, { imports }] = await Promise.all([publishedFiles(), packageJson()]);
  for (const file of files) {
    const target = `${folder}/${file}`;
    await Deno.mkdir(target.replace(/[^/]*$/, ""), { recursive: true });
    const text = await Deno.readTextFile(`${ROOT}${file}`);
    await Deno.writeTextFile(target, file.endsWith(".ts") ? withoutBareImports(text, imports) : text);
  }
  return files;
}

/**
 * Replace bare imports, static and dynamic, as a registry does when a package is published.
 *
 * @param code TypeScript.
 * @param imports What deno.json maps them to.
 * @returns TypeScript that needs no import map.
 */
export function withoutBareImports(code: string, imports: Readonly<Record<string, string>>): string {
  return code.replace(
    /(\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"./][^"]*)"/gm,
    (whole, before: string, name: string) =>
      Object.hasOwn(imports, name) ? `${before}${JSON.stringify(imports[name])}` : whole,
  );
}

async function packageJson(): Promise<{ readonly imports: Readonly<Record<string, string>> }> {
  return JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) throw new Error("Cannot pack without a folder: name one");
  await Deno.mkdir(folder, { recursive: true });
  say(`${folder}: ${(await pack(folder)).length} files`);
}
