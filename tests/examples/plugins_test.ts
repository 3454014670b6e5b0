import assert from "node:assert/strict";
import { createHost } from "../../mod.ts";
import { compare } from "../../examples/conflicting_versions/host.ts";
import { story } from "../../examples/services/host.ts";

const example = (path: string) => new URL(`../../examples/${path}`, import.meta.url);

Deno.test("examples/hello.ts greets and counts from a sandbox", async () => {
  await using host = await createHost();
  await using hello = await host.load<typeof import("../../examples/hello.ts")>(example("hello.ts"));
  assert.equal(await hello.api.greet("Ada"), "Hello, Ada!");
  assert.deepEqual(await Array.fromAsync(hello.api.count(3)), [1, 2, 3]);
});

Deno.test("examples/resize.ts halves a picture, reports progress and streams rows", async () => {
  await using host = await createHost();
  await using resize = await host.load<typeof import("../../examples/resize.ts")>(example("resize.ts"));
  const pixels = Uint8Array.of(0, 100, 200, 200, 100, 0, 200, 200, 8, 8, 0, 0, 8, 8, 0, 4);
  const progress: unknown[] = [];
  const halved = await resize.with({ onProgress: (value) => progress.push(value) }).run(pixels, 4);
  assert.deepEqual(halved, Uint8Array.of(50, 200, 8, 1));
  assert.deepEqual(progress, [0.5, 1]);
  assert.deepEqual(await Array.fromAsync(resize.api.rows(pixels, 4)), [
    Uint8Array.of(50, 200),
    Uint8Array.of(8, 1),
  ]);
  assert.deepEqual(
    await resize.api.run([9, 3, 6, 1, 2, 3], 3),
    Uint8Array.of(3, 4),
    "blocks at the edge are smaller",
  );
});

Deno.test("examples/conflicting_versions/ renders one text with two versions of one package", async () => {
  assert.deepEqual(await compare("# Same"), {
    old: `<h1 id="same">Same</h1>\n`,
    young: `<h1>Same</h1>\n`,
  });
});

Deno.test("examples/services/ shares two methods of a database and nothing else", async () => {
  const directory = await Deno.makeTempDir();
  try {
    assert.deepEqual(await story(`${directory}/notes.db`), [
      "stored 3 notes through the service",
      "found green tea, black tea",
      "reading the file itself: refused (NotCapable)",
      "calling clear(), which was not granted: refused (TypeError)",
      "notes in the host's database: 3",
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
