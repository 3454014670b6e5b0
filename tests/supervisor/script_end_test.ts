/** How scripts end: when their work is done, not before, and with the exit code that says why. */

import assert from "node:assert/strict";
import { testHost } from "../testing/fixtures.ts";

const numbers = {
  later: () => new Promise<number>((resolve) => setTimeout(() => resolve(7), 50)),
  async *count(): AsyncGenerator<number> {
    for (let number = 0; number < 3; number++) {
      yield await new Promise<number>((resolve) => setTimeout(() => resolve(number), 20));
    }
  },
};

async function ran(code: string): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  await using test = await testHost({ services: { numbers } });
  const lines: string[] = [];
  const { code: exit } = await test.host.run(await test.plugin(code), {
    services: ["numbers"],
    output: (line, stream) => void (stream === "stdout" && lines.push(line)),
  });
  return { code: exit, lines };
}

const SERVICE = `import { service } from "@cordon/cordon/plugin"; const numbers = service<any>("numbers");`;

Deno.test("a script that only waits for a service at its top level gets the answer", async () => {
  assert.deepEqual(await ran(`${SERVICE} console.log(await numbers.later());`), { code: 0, lines: ["7"] });
});

Deno.test("a script that only waits for a service after its import gets the answer", async () => {
  const code = `${SERVICE} numbers.later().then((value) => console.log(value)); export {};`;
  assert.deepEqual(await ran(code), { code: 0, lines: ["7"] });
});

Deno.test("a script that only reads a stream of a service reads all of it", async () => {
  const code = `${SERVICE} for await (const number of numbers.count()) console.log(number);`;
  assert.deepEqual(await ran(code), { code: 0, lines: ["0", "1", "2"] });
});

Deno.test("a script ends when its work is done, with a connection open and calls behind it", async () => {
  const code = `${SERVICE} await numbers.later(); setTimeout(() => console.log("last"), 10);`;
  assert.deepEqual(await ran(code), { code: 0, lines: ["last"] });
});

const DEATHS: readonly (readonly [string, string, number])[] = [
  ["in a timer", `setTimeout(() => Deno.hostname(), 1);`, 77],
  ["in a promise that nobody awaits", `setTimeout(() => void Promise.try(() => Deno.hostname()), 1);`, 77],
  ["of another error", `setTimeout(() => { throw new Error("other"); }, 1);`, 1],
];

for (const [how, code, exit] of DEATHS) {
  Deno.test(`a script that dies ${how} ends with ${exit}`, async () => {
    assert.equal((await ran(code)).code, exit);
  });
}

Deno.test("a script that handles its own rejections decides itself", async () => {
  const code = `
    addEventListener("unhandledrejection", (event) => { event.preventDefault(); console.log("handled"); });
    setTimeout(() => void Promise.try(() => Deno.hostname()), 1);
  `;
  assert.deepEqual(await ran(code), { code: 0, lines: ["handled"] });
});
