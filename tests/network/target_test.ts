/** Checks the strict parser of `host:port`. */

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { formatTarget, parseTarget } from "../../src/network/target.ts";

Deno.test("parseTarget() reads names, IPv4 and IPv6", () => {
  const seen = [
    "API.Example.com:443",
    "localhost:1",
    "10.0.0.1:65535",
    "[0:0::1]:80",
    "xn--bcher-kva.example:443",
  ]
    .map(parseTarget).map((target) => target && formatTarget(target.host, target.port));
  assert.deepEqual(seen, [
    "api.example.com:443",
    "localhost:1",
    "10.0.0.1:65535",
    "[::1]:80",
    "xn--bcher-kva.example:443",
  ]);
});

const refused: Readonly<Record<string, readonly string[]>> = {
  "a NUL that hides the real suffix": ["evil.test\0.example.com:443", "example.com\0:443"],
  "a user": ["user@example.com:443", "example.com:443@evil.test:443", "example.com:80#@evil.test:443"],
  "white space": [
    " example.com:443",
    "example.com :443",
    "example.com:443 ",
    "exam\tple.com:443",
    "example.com:443\r\n",
  ],
  "a trailing dot": ["example.com.:443", ".example.com:443", "example..com:443"],
  "a percent sign or a path": [
    "example%2ecom:443",
    "[fe80::1%25eth0]:443",
    "example.com:443/",
    "http://example.com:443",
  ],
  "letters beyond ASCII": [
    "exämple.com:443",
    "\u212aelvin.test:443",
    "example\u3002com:443",
    "127.0.0.１:443",
  ],
  "what is no label": [
    "-a.example:443",
    "a-.example:443",
    "a_b.example:443",
    `${"a".repeat(64)}.example:443`,
    "*.example:1",
  ],
  "numbers that stand for an address": [
    "2130706433:80",
    "0x7f000001:80",
    "0x7f.1:80",
    "127.1:80",
    "0177.0.0.1:80",
    "1.2.3.4.5:80",
    "a.0x:80",
    "example.123:80",
    "256.1.1.1:80",
  ],
  "a bracketed thing that is no IPv6": ["[127.0.0.1]:80", "[]:80", "[::1:80", "::1:80", "[example.com]:80"],
  "a port that is none": [
    "example.com",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    "example.com:080",
    "example.com:+80",
    "example.com:0x50",
    "example.com:80:80",
    "example.com:1e2",
  ],
};

for (const [what, texts] of Object.entries(refused)) {
  Deno.test(`parseTarget() refuses ${what}`, () => {
    assert.deepEqual(texts.filter((text) => parseTarget(text) !== null), []);
  });
}

Deno.test("parseTarget() refuses names that are too long", () => {
  assert.equal(parseTarget(`${"a.".repeat(130)}com:443`), null);
  assert.notEqual(parseTarget(`${"a.".repeat(120)}com:443`), null);
});

Deno.test("parseTarget() reads back what it wrote, and never yields a host that a URL would read otherwise", () => {
  const text = fc.stringMatching(/^[a-f0-9x.:[\]%@\0-]{1,24}:[0-9]{1,5}$/);
  fc.assert(
    fc.property(text, (one) => {
      const target = parseTarget(one);
      if (target === null) return;
      const written = formatTarget(target.host, target.port);
      assert.deepEqual(parseTarget(written), target);
      const url = new URL(`http://${written}/`);
      assert.equal(url.hostname, target.host.includes(":") ? `[${target.host}]` : target.host);
    }),
    { numRuns: 2_000 },
  );
});
