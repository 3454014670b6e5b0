import assert from "node:assert/strict";
import fc from "fast-check";
import type { SyscallAbi } from "../../../src/launcher/seccomp/architecture.ts";
import { compileFilter } from "../../../src/launcher/seccomp/compile_filter.ts";
import type { Condition, ErrnoName, Rule } from "../../../src/launcher/seccomp/rule.ts";
import { verdict } from "./interpreter.ts";

const AUDIT_ARCH = 0xc000003e;
const WORD = 0xffff_ffffn;
const errno = fc.constantFrom<ErrnoName>("EPERM", "EINVAL", "ENOTTY", "ENOSYS", "EAFNOSUPPORT");
/** Few bits, so that conditions hold often enough. */
const word = fc.oneof(fc.nat(15), fc.constantFrom(0x80000000, 0xffffffff, 0x10000));

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    argument: fc.nat(5),
    is: fc.constant("one-of" as const),
    values: fc.array(word, { minLength: 1, maxLength: 5 }),
    mask: fc.constantFrom(0xf, 0xffffffff, 0x10),
  }),
  fc.record({ argument: fc.nat(5), is: fc.constantFrom("with" as const, "without" as const), bits: word }),
);

const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.constant<Rule>({ kind: "allow" }),
  fc.record({ kind: fc.constant("errno" as const), errno }),
  fc.record({
    kind: fc.constant("check" as const),
    anyOf: fc.array(fc.array(condition, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    otherwise: errno,
  }),
);

/** Calls with gaps between their numbers; some have no rule. */
const calls = fc.uniqueArray(fc.record({ number: fc.nat(900), rule: fc.option(rule, { nil: undefined }) }), {
  selector: ({ number }) => number,
  minLength: 1,
  maxLength: 200,
});

const args = fc.array(
  fc.oneof(word.map(BigInt), fc.constantFrom(1n << 32n, 0xffff_ffff_0000_0001n)),
  { minLength: 6, maxLength: 6 },
);

/** A call of the program, or in one case of ten the number behind one. */
const events = fc.array(fc.record({ pick: fc.nat(), isBeside: fc.nat(9).map((n) => n === 0), args }), {
  minLength: 30,
  maxLength: 60,
});

Deno.test("compileFilter() decides as its rules say, for any rules and any call", () => {
  const seen = new Set<string>();
  fc.assert(fc.property(calls, events, (calls, events) => {
    const numbers = Object.fromEntries(calls.map(({ number }) => [`call${number}`, number]));
    const abi: SyscallAbi = {
      architecture: "x86_64",
      auditArch: AUDIT_ARCH,
      numbers,
      foreignNumbersFrom: 0x40000000,
    };
    const rules = new Map(
      calls.flatMap(({ number, rule }) => rule === undefined ? [] : [[`call${number}`, rule]]),
    );
    const filter = compileFilter(rules, abi);
    for (const { pick, isBeside, args } of events) {
      const number = calls[pick % calls.length]!.number + (isBeside ? 1 : 0);
      const call = calls.find((call) => call.number === number);
      const expected = call === undefined ? "ENOSYS" : decide(call.rule, args);
      assert.equal(verdict(filter, { number, auditArch: AUDIT_ARCH, args }), expected);
      seen.add(`${call?.rule?.kind ?? "none"} ${expected}`);
    }
  }));
  assert.ok(seen.has("check allow") && seen.has("check EPERM") && seen.has("none ENOSYS"), [...seen].join());
});

Deno.test("compileFilter() reaches both halves of a search that is longer than a conditional jump", () => {
  const numbers = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`call${index}`, index * 2]));
  const abi: SyscallAbi = {
    architecture: "x86_64",
    auditArch: AUDIT_ARCH,
    numbers,
    foreignNumbersFrom: null,
  };
  const rules = new Map<string, Rule>(Object.keys(numbers).map((name) => [name, { kind: "allow" }]));
  const filter = compileFilter(rules, abi);
  for (let number = 0; number < 1200; number++) {
    const expected = number % 2 === 0 ? "allow" : "ENOSYS";
    assert.equal(verdict(filter, { number, auditArch: AUDIT_ARCH }), expected);
  }
});

/** What the rules mean, said in another way than the compiler does. */
function decide(rule: Rule | undefined, args: readonly bigint[]): string {
  if (rule === undefined) return "EPERM";
  if (rule.kind === "errno") return rule.errno;
  if (rule.kind !== "check") return rule.kind;
  return rule.anyOf.some((clause) => clause.every((condition) => holds(condition, args)))
    ? "allow"
    : rule.otherwise;
}

function holds(condition: Condition, args: readonly bigint[]): boolean {
  const value = args[condition.argument]!;
  if (value > WORD) return false;
  if (condition.is === "one-of") {
    const masked = value & BigInt(condition.mask ?? 0xffffffff);
    return condition.values.some((accepted) => BigInt(accepted) === masked);
  }
  return ((value & BigInt(condition.bits)) !== 0n) === (condition.is === "with");
}
