/** A script for `cordon run`: prints the longest word of a file. */

// deno-lint-ignore-file no-console

const [path] = Deno.args;
if (path === undefined) throw new TypeError("Cannot look for a word: give the path of a text");
const words = (await Deno.readTextFile(path)).match(/\p{L}+/gu) ?? [];
console.log(words.reduce((longest, word) => word.length > longest.length ? word : longest, ""));
