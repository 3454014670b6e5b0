/**
 * The smallest plugin: a plain module. It knows nothing of Cordon.
 *
 *     deno task cordon run examples/hello.ts -- Ada Grace
 *     deno task cordon call examples/hello.ts greet '"Ada"'
 *
 * @module
 */

// deno-lint-ignore-file no-console

/** Greets somebody. */
export function greet(name: string): string {
  return `Hello, ${name}!`;
}

/** Counts up; a host reads it with `for await`. */
export async function* count(to: number): AsyncGenerator<number> {
  for (let number = 1; number <= to; number++) yield await Promise.resolve(number);
}

if (import.meta.main) {
  for (const name of Deno.args.length > 0 ? Deno.args : ["you"]) console.log(greet(name));
}
