import assert from "node:assert/strict";
import { SerializationError } from "../../src/errors.ts";
import type { TypeCodec } from "../../src/rpc/mod.ts";
import { folderWith, type TestHost, testHost } from "../testing/fixtures.ts";

/** One module with the class and how it crosses, for both sides. */
const MONEY = `
  export class Money {
    constructor(readonly cents: number, readonly currency: string) {}
    plus(other: Money): Money { return new Money(this.cents + other.cents, this.currency); }
  }
  export const money = {
    test: (value: object): value is Money => value instanceof Money,
    encode: ({ cents, currency }: Money) => ({ cents, currency }),
    decode(payload: unknown): Money {
      const { cents, currency } = payload as { cents: number; currency: string };
      if (!Number.isSafeInteger(cents) || currency.length !== 3) throw new TypeError("this is no money");
      return new Money(cents, currency);
    },
  };
`;

const BANK = `
  import { emit, registerType, service } from "@cordon/cordon/plugin";
  import { Money, money } from "./money.ts";
  registerType("money", money);
  const bank = service("bank");
  export const double = (value: Money) => { emit("doubled", value); return value.plus(value); };
  export const nested = (value: unknown) => value;
  export const isMoney = (value: unknown) => value instanceof Money;
  export async function* coins(count: number) { for (let cents = 1; cents <= count; cents++) yield new Money(cents, "EUR"); }
  export const deposit = async (value: Money) => await bank.deposit(new Money(value.cents, value.currency));
  export const forge = () => new Money(0.5, "EUR");
  export const again = () => registerType("money", money);
  export const reserved = () => registerType("tensor", money);
  export const half = () => registerType("half", { test: () => true });
`;

interface Money {
  readonly cents: number;
  readonly currency: string;
  plus(other: Money): Money;
}

interface Bank {
  double(value: Money): Money;
  nested(value: unknown): unknown;
  isMoney(value: unknown): boolean;
  coins(count: number): AsyncGenerator<Money>;
  deposit(value: Money): boolean;
  forge(): Money;
  again(): void;
  reserved(): void;
  half(): void;
}

interface BankHost extends AsyncDisposable {
  readonly test: TestHost;
  readonly entry: string;
  readonly Money: new (cents: number, currency: string) => Money;
  readonly money: TypeCodec<Money>;
  readonly deposited: unknown[];
}

async function bankHost(): Promise<BankHost> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await folderWith({ "money.ts": MONEY, "bank.ts": BANK }));
  const deposited: unknown[] = [];
  const bank = { deposit: (value: unknown) => (deposited.push(value), true) };
  const test = cleanup.use(await testHost({ services: { bank } }));
  const { Money, money } = await import(`file://${folder.path}/money.ts`);
  const resources = cleanup.move();
  return {
    test,
    entry: `${folder.path}/bank.ts`,
    Money,
    money,
    deposited,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

Deno.test("registerType() and host.types.register() carry a class both ways, wherever values cross", async () => {
  await using bank = await bankHost();
  const { test: { host }, Money, deposited } = bank;
  host.types.register("money", bank.money);
  await using plugin = await host.load<Bank>(bank.entry, { services: ["bank"] });
  const events: unknown[] = [];
  plugin.on("doubled", (value) => events.push(value));
  const five = new Money(500, "EUR");
  const ten = await plugin.api.double(five);
  assert.ok(ten instanceof Money);
  assert.deepEqual([ten, events], [new Money(1000, "EUR"), [five]]);
  assert.equal(await plugin.api.isMoney(five), true);
  const nested = {
    map: new Map([[five, [ten]]]),
    set: new Set([five]),
    error: new Error("x", { cause: five }),
  };
  const copy = await plugin.api.nested(nested) as typeof nested;
  assert.deepEqual([copy.map, copy.set, copy.error.cause], [nested.map, nested.set, five]);
  const coins = await Array.fromAsync(plugin.api.coins(3));
  assert.deepEqual(coins, [new Money(1, "EUR"), new Money(2, "EUR"), new Money(3, "EUR")]);
  assert.equal(await plugin.api.deposit(five), true);
  assert.deepEqual(deposited, [five]);
  assert.ok(deposited[0] instanceof Money);
});

Deno.test("registerType() decides nothing for the host: what it cannot make fails its call alone", async () => {
  await using bank = await bankHost();
  const { test: { host }, Money } = bank;
  await using stranger = await host.load<Bank>(bank.entry, { services: ["bank"] });
  await assert.rejects(async () => await stranger.api.forge(), {
    name: "SerializationError",
    message: /type "money" is not registered here/,
  });
  host.types.register("money", bank.money);
  await using plugin = await host.load<Bank>(bank.entry, { services: ["bank"] });
  await assert.rejects(async () => await plugin.api.forge(), {
    name: "SerializationError",
    message: "Cannot receive $.result as it must be valid: this is no money",
  });
  assert.deepEqual(await plugin.api.double(new Money(1, "EUR")), new Money(2, "EUR"));
  await assert.rejects(async () => await stranger.api.double(new Money(1, "EUR")), SerializationError);
  assert.equal(await stranger.api.isMoney(5), false);
});

Deno.test("registerType() and host.types.register() refuse the same, at once", async () => {
  await using bank = await bankHost();
  const { types } = bank.test.host;
  types.register("money", bank.money);
  await using plugin = await bank.test.host.load<Bank>(bank.entry, { services: ["bank"] });
  const incomplete = { test: () => true } as unknown as TypeCodec<unknown>;
  const refused: readonly (readonly [() => unknown, () => Promise<unknown>, RegExp])[] = [
    [() => types.register("money", bank.money), () => plugin.api.again(), /tags must be unique/],
    [() => types.register("tensor", bank.money), () => plugin.api.reserved(), /it is reserved/],
    [() => types.register("half", incomplete), () => plugin.api.half(), /"encode" is missing/],
  ];
  for (const [inHost, inPlugin, message] of refused) {
    assert.throws(inHost, { name: "TypeError", message });
    await assert.rejects(inPlugin, { name: "TypeError", message });
  }
  assert.throws(() => types.register("", bank.money), TypeError);
});
