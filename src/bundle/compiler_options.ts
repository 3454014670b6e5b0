/**
 * Options of the TypeScript compiler that change the code.
 *
 * @module
 */

/** Those that a plugin's deno.json may set; the others change only what the type checker says. */
export const COMPILER_OPTIONS: readonly string[] = [
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
  "experimentalDecorators",
  "useDefineForClassFields",
  "verbatimModuleSyntax",
];
