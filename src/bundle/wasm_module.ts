/**
 * WebAssembly files that are imported like modules.
 *
 * @module
 */

/**
 * Writes the JavaScript that instantiates a WebAssembly module with its imports and exports what it exports.
 *
 * @param bytes The WebAssembly module. The bytes are not kept.
 * @param file Specifier under which the generated code imports the same bytes.
 * @returns Source text of an ECMAScript module with a top-level await.
 * @throws {WebAssembly.CompileError} If the bytes are not a valid module.
 */
export function wasmModule(bytes: Uint8Array<ArrayBuffer>, file: string): string {
  const module = new WebAssembly.Module(bytes);
  const sources = [...new Set(WebAssembly.Module.imports(module).map((entry) => entry.module))];
  const names = WebAssembly.Module.exports(module).map((entry) => entry.name);
  const pairs = sources.map((source, index) => `${JSON.stringify(source)}: import${index}`).join(", ");
  return [
    `import bytes from ${JSON.stringify(file)} with { type: "bytes" };`,
    ...sources.map((source, index) => `import * as import${index} from ${JSON.stringify(source)};`),
    `const { instance } = await WebAssembly.instantiate(bytes, { ${pairs} });`,
    ...names.map((name, index) => `const export${index} = instance.exports[${JSON.stringify(name)}];`),
    `export { ${names.map((name, index) => `export${index} as ${JSON.stringify(name)}`).join(", ")} };`,
    "",
  ].join("\n");
}
