/** Errors of missing permissions reach the caller with the line that grants them. */

import assert from "node:assert/strict";
import { LaunchError, PermissionDeniedError } from "../../src/errors.ts";
import { addSuggestion, grantHint, startingPlaceHint } from "../../src/supervisor/add_suggestion.ts";
import { suggestionFor } from "../../src/supervisor/grant_line.ts";
import { testHost } from "../testing/fixtures.ts";

interface Denied {
  read(path: string): string;
  connect(): Promise<void>;
  nested(path: string): void;
  forged(): never;
}

const DENIED = `
  export const read = (path: string) => Deno.readTextFileSync(path);
  export const connect = async () => { await Deno.connect({ hostname: "other.example", port: 443 }); };
  export function nested(path: string) {
    try { Deno.readTextFileSync(path); } catch (cause) { throw new RangeError("outer", { cause }); }
  }
  export function forged() {
    throw new Deno.errors.NotCapable('Requires read access to "/a\\u202e\\n", run again with the --allow-read flag');
  }
`;

Deno.test("Deno's own refusal inside a plugin reaches the caller with the line that grants it", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Denied>(await test.plugin(DENIED));
  await assert.rejects(plugin.api.read("/srv/secret"), (error: unknown) => {
    assert.ok(error instanceof Deno.errors.NotCapable);
    assert.equal((error as { suggestion?: string }).suggestion, 'permissions: { read: ["/srv/secret"] }');
    return true;
  });
  await assert.rejects(plugin.api.nested("/srv/secret"), (error: unknown) => {
    const { cause } = error as { cause: { suggestion?: string } };
    assert.equal(cause.suggestion, 'permissions: { read: ["/srv/secret"] }');
    return true;
  });
});

Deno.test("a broker's refusal inside a plugin reaches the caller with the same line", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Denied>(await test.plugin(DENIED), {
    onPermission: () => "deny",
  });
  await assert.rejects(plugin.api.read("/srv/secret"), {
    name: "NotCapable",
    suggestion: 'permissions: { read: ["/srv/secret"] }',
  });
});

Deno.test("a call of a service that was not granted rejects with the line that grants it", async () => {
  await using test = await testHost({ services: { notes: { count: () => 3 } } });
  const path = await test.plugin(`
    import { service } from "@cordon/cordon/plugin";
    export const count = async () => await service("notes").count();
  `);
  await using granted = await test.host.load<{ count(): number }>(path, { services: ["notes"] });
  assert.equal(await granted.api.count(), 3);
  await using plugin = await test.host.load<{ count(): number }>(path);
  await assert.rejects(plugin.api.count(), (error: unknown) => {
    assert.ok(error instanceof PermissionDeniedError);
    assert.equal(error.suggestion, 'services: ["notes"]');
    return true;
  });
});

Deno.test("a refusal of the network inside a plugin reaches the caller as PermissionDeniedError", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Denied>(await test.plugin(DENIED), {
    permissions: { net: ["api.example:443"] },
  });
  await assert.rejects(plugin.api.connect(), (error: unknown) => {
    assert.ok(error instanceof PermissionDeniedError);
    assert.equal(error.suggestion, 'permissions: { net: ["other.example:443"] }');
    return true;
  });
});

Deno.test("a plugin cannot forge text that misleads whoever reads a suggestion", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Denied>(await test.plugin(DENIED));
  await assert.rejects(plugin.api.forged(), {
    suggestion: 'permissions: { read: ["/a\\u{202e}\\n"] }',
  });
});

Deno.test("LaunchError hints at the line for what a module wanted while it was imported", async () => {
  await using test = await testHost();
  await assert.rejects(
    test.host.load(await test.plugin(`Deno.readTextFileSync("/srv/secret");`)),
    (error: unknown) => {
      assert.ok(error instanceof LaunchError);
      assert.deepEqual([error.stage, error.hint], [
        "import",
        'To grant it: permissions: { read: ["/srv/secret"] }',
      ]);
      return true;
    },
  );
});

Deno.test("LaunchError hints at the line for a relative path where nothing of the current directory is granted", async () => {
  await using test = await testHost();
  const path = await test.plugin(`Deno.readTextFileSync("notes/today.txt");`);
  await assert.rejects(test.host.load(path), (error: unknown) => {
    assert.ok(error instanceof LaunchError);
    assert.match(error.hint ?? "", /To grant it: permissions: \{ read: \["notes\/today\.txt"\] \}$/);
    return true;
  });
  const missing = new Deno.errors.NotFound(
    "No such file or directory (os error 2): readfile 'notes/today.txt'",
  );
  assert.equal(startingPlaceHint(missing, { workingDirectory: "/srv" }), undefined);
  const absolute = new Deno.errors.NotFound("No such file or directory (os error 2): readfile '/srv/x'");
  assert.equal(startingPlaceHint(absolute, { workingDirectory: null }), undefined);
});

Deno.test("grantHint() and addSuggestion() leave other errors alone", () => {
  const others = [
    new Error('Requires read access to "/a", run again with --allow-read'),
    new Deno.errors.NotCapable("no"),
  ];
  for (const error of others) addSuggestion(error);
  assert.deepEqual(others.map((error) => "suggestion" in error), [false, false]);
  assert.deepEqual(others.map(grantHint), [undefined, undefined]);
  assert.equal(
    grantHint(new PermissionDeniedError("no", { suggestion: "permissions: {}" })),
    "To grant it: permissions: {}",
  );
});

Deno.test("suggestionFor() reads the broker's messages", () => {
  const line = 'permissions: { sys: ["osRelease"] }';
  const message =
    `Cannot ask the system for "osRelease" as the plugin may not: the host denied it. Add ${line}`;
  assert.equal(suggestionFor(message), line);
  assert.equal(suggestionFor("the host denied it. Add permissions: nothing"), null);
});
