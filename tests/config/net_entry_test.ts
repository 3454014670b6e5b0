import assert from "node:assert/strict";
import fc from "fast-check";
import { netEntries } from "../../src/config/net_entry.ts";
import { ConfigError } from "../../src/errors.ts";
import { assertConfigError } from "./assert_config_error.ts";

const accepted: readonly (readonly [string, readonly string[]])[] = [
  ["api.example.com:443", ["api.example.com:443"]],
  ["API.Example.COM:8080", ["api.example.com:8080"]],
  ["example.com", ["example.com:443", "example.com:80"]],
  ["localhost:1", ["localhost:1"]],
  ["xn--bcher-kva.example:65535", ["xn--bcher-kva.example:65535"]],
  ["*.example.com:443", ["*.example.com:443"]],
  ["10.0.0.1:53", ["10.0.0.1:53"]],
  ["0.0.0.0:1", ["0.0.0.0:1"]],
  ["[::1]:443", ["[::1]:443"]],
  ["[2001:DB8:0:0::1]:443", ["[2001:db8::1]:443"]],
  ["[::ffff:127.0.0.1]:443", ["[::ffff:7f00:1]:443"]],
  ["[::]", ["[::]:443", "[::]:80"]],
  ["3com.com:443", ["3com.com:443"]],
];

for (const [written, expected] of accepted) {
  Deno.test(`netEntries() reads ${JSON.stringify(written)} as ${expected.join(" and ")}`, () => {
    assert.deepEqual(netEntries(written, "net"), expected);
  });
}

const refused: readonly (readonly [string, unknown])[] = [
  ["a user part", "me@example.com:443"],
  ["a URL", "https://example.com"],
  ["a path", "example.com/admin"],
  ["a NUL", "example.com\0.evil.com:443"],
  ["a space", "exa mple.com"],
  ["a leading space", " example.com"],
  ["a line break", "example.com\n:443"],
  ["a trailing dot", "example.com.:443"],
  ["an empty label", "example..com"],
  ["an underscore", "my_host.example.com"],
  ["a leading hyphen", "-example.com"],
  ["a trailing hyphen", "example-.com"],
  ["a percent sign", "example%2ecom"],
  ["an international name", "bücher.example"],
  ["a full-width dot", "127。0.0.1"],
  ["a label of 64 characters", `${"a".repeat(64)}.com`],
  ["a name of 254 characters", `${"a.".repeat(126)}aa`],
  ["a star alone", "*"],
  ["a star over a top-level domain", "*.com"],
  ["a star in the middle", "a.*.com"],
  ["a star within a label", "a*.example.com"],
  ["a star over an address", "*.0.0.1"],
  ["an octal address", "0177.0.0.1"],
  ["a short address", "127.1"],
  ["an address as one number", "2130706433"],
  ["a hexadecimal address", "0x7f.0.0.1"],
  ["a hexadecimal last label", "example.0x7f"],
  ["an address beyond 255", "256.0.0.1"],
  ["five parts", "1.2.3.4.5"],
  ["IPv6 without brackets", "::1"],
  ["IPv6 with a zone", "[fe80::1%eth0]:443"],
  ["IPv6 that is none", "[1::2::3]:443"],
  ["brackets around a name", "[example.com]:443"],
  ["text after the brackets", "[::1]x:443"],
  ["port 0", "example.com:0"],
  ["port 65536", "example.com:65536"],
  ["a port with a leading zero", "example.com:0443"],
  ["a named port", "example.com:https"],
  ["an empty port", "example.com:"],
  ["two ports", "example.com:1:2"],
  ["a signed port", "example.com:+1"],
  ["an empty string", ""],
  ["only a port", ":443"],
  ["a number", 443],
  ["an object", { host: "example.com" }],
  ["300 characters and more", `${"a.".repeat(200)}com`],
];

for (const [label, written] of refused) {
  Deno.test(`netEntries() refuses ${label}`, () => {
    assert.throws(
      () => netEntries(written, "net[0]"),
      (error) => error instanceof ConfigError && error.path === "net[0]",
    );
  });
}

Deno.test("netEntries() says how to write IPv6", () => {
  assertConfigError(() => netEntries("::1", "net[0]"), {
    path: "net[0]",
    message: 'Cannot use "net[0]" as a host or host:port: it is "::1"',
    hint: 'Write an IPv6 address in brackets: "[::1]"',
  });
});

Deno.test("netEntries() says how to share the whole network", () => {
  assertConfigError(() => netEntries("*", "net[0]"), {
    path: "net[0]",
    message: 'Cannot use "net[0]" as a host or host:port: it is "*"',
    hint: 'Write net: "host" to share the whole network of the host',
  });
});

Deno.test("netEntries() accepts only what the URL parser reads as the same host and port", () => {
  const piece = fc.constantFrom(
    "a",
    "example",
    "1",
    "127",
    "0x7f",
    ".",
    ":",
    "[",
    "]",
    "::",
    "@",
    "%",
    "-",
    "*",
    "443",
    "/",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      let entries: readonly string[];
      try {
        entries = netEntries(pieces.join(""), "net");
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        return;
      }
      for (const entry of entries) {
        const url = new URL(`ws-like://${entry.replace("*", "star")}/`);
        const special = new URL(`http://${entry.replace("*", "star")}/`);
        assert.equal(`${url.hostname}:${url.port}`, entry.replace("*", "star"));
        assert.equal(special.hostname, url.hostname);
        assert.equal(special.username + special.password + special.search + special.hash, "");
      }
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("netEntries() tells whoever wrote a URL what to write", () => {
  const written = "https://api.example.com/data";
  assertConfigError(() => netEntries(written, "net[0]"), {
    path: "net[0]",
    message: `Cannot use "net[0]" as a host or host:port: it is "${written}"`,
    hint: 'Write only host and port, such as "api.example.com:443"',
  });
});
