/**
 * Rules to BPF: a binary search over system call numbers, then the argument checks.
 *
 * The search only looks at the architecture and the number, so the kernel can prove which calls always pass and
 * skip the filter for them.
 *
 * @module
 */

import type { SyscallAbi } from "./architecture.ts";
import { argumentOffset, assemble, type Line, OFFSET_ARCHITECTURE, OFFSET_NUMBER } from "./bpf.ts";
import { ABSENT, type Clause, type Condition, DENY, ERRNO, KILL, type Rule, type RuleSet } from "./rule.ts";

const RETURN_KILL = 0x80000000;
const RETURN_ALLOW = 0x7fff0000;
const RETURN_ERRNO = 0x00050000;
/** A conditional jump reaches 255; above this size of a left branch it needs a detour. */
const FAR = 250;

/** Consecutive numbers with the same rule. */
interface Interval {
  readonly first: number;
  readonly rule: Rule;
  /** Label of its argument checks. */
  readonly label: string;
}

/**
 * Compiles rules into a seccomp filter.
 *
 * Known calls without a rule get EPERM, unknown numbers ENOSYS (so that programs newer than this table fall back
 * to older calls), another architecture or ABI ends the process.
 *
 * @param rules What passes, by name. Names that the architecture lacks are left out.
 * @param abi The architecture's numbering.
 * @returns `struct sock_filter[]`, little-endian.
 * @throws {RangeError} If the program is longer than the kernel takes.
 *
 * @example
 * ```ts
 * import { syscallAbi } from "./architecture.ts";
 * import { compileFilter } from "./compile_filter.ts";
 * import { ALLOW } from "./rule.ts";
 *
 * compileFilter(new Map([["read", ALLOW]]), syscallAbi("x86_64"));
 * ```
 */
export function compileFilter(rules: RuleSet, abi: SyscallAbi): Uint8Array {
  const intervals = intervalsOf(rules, abi);
  const checks = intervals.filter(({ rule }) => rule.kind === "check");
  return assemble([
    { op: "load", offset: OFFSET_ARCHITECTURE },
    { op: "equal", value: abi.auditArch, yes: "known architecture", no: null },
    { op: "return", value: RETURN_KILL },
    { op: "label", name: "known architecture" },
    { op: "load", offset: OFFSET_NUMBER },
    ...search(intervals),
    ...checks.flatMap(argumentChecks),
  ]);
}

/**
 * The rule that applies to a named call, with the default filled in.
 *
 * @param rules The rule set.
 * @param name Name of a call that the architecture has.
 * @returns Its rule.
 */
export function ruleFor(rules: RuleSet, name: string): Rule {
  return rules.get(name) ?? DENY;
}

function intervalsOf(rules: RuleSet, abi: SyscallAbi): readonly Interval[] {
  const starts = new Map<number, Rule>([[0, ABSENT]]);
  const known = Object.entries(abi.numbers).sort(([, a], [, b]) => a - b);
  for (const [name, number] of known) {
    starts.set(number, ruleFor(rules, name));
    starts.set(number + 1, ABSENT);
  }
  if (abi.foreignNumbersFrom !== null) starts.set(abi.foreignNumbersFrom, KILL);
  const merged: Interval[] = [];
  for (const [first, rule] of [...starts].sort(([a], [b]) => a - b)) {
    const previous = merged.at(-1);
    const continues = previous !== undefined && isSameVerdict(previous.rule, rule);
    if (!continues) merged.push({ first, rule, label: `check ${first}` });
  }
  return merged;
}

function isSameVerdict(one: Rule, other: Rule): boolean {
  if (one.kind === "errno" && other.kind === "errno") return one.errno === other.errno;
  return one.kind !== "check" && one.kind === other.kind;
}

function search(intervals: readonly Interval[]): readonly Line[] {
  const only = intervals[0]!;
  if (intervals.length === 1) return [verdict(only)];
  const middle = intervals.length >>> 1;
  const left = search(intervals.slice(0, middle));
  const right = search(intervals.slice(middle));
  const pivot = intervals[middle]!.first;
  const upper = `from ${pivot}`;
  const branch: readonly Line[] = left.length <= FAR
    ? [{ op: "atLeast", value: pivot, yes: upper, no: null }]
    : [
      { op: "atLeast", value: pivot, yes: null, no: `below ${pivot}` },
      { op: "jump", target: upper },
      { op: "label", name: `below ${pivot}` },
    ];
  return [...branch, ...left, { op: "label", name: upper }, ...right];
}

function verdict({ rule, label }: Interval): Line {
  switch (rule.kind) {
    case "allow":
      return { op: "return", value: RETURN_ALLOW };
    case "errno":
      return { op: "return", value: RETURN_ERRNO | ERRNO[rule.errno] };
    case "kill":
      return { op: "return", value: RETURN_KILL };
    case "check":
      return { op: "jump", target: label };
  }
}

function argumentChecks({ rule, label }: Interval): readonly Line[] {
  if (rule.kind !== "check") return [];
  const clauses = rule.anyOf.flatMap((clause, index) => clauseLines(clause, `${label} after ${index}`));
  return [
    { op: "label", name: label },
    ...clauses,
    { op: "return", value: RETURN_ERRNO | ERRNO[rule.otherwise] },
  ];
}

/** All conditions, then ALLOW; the first that fails goes on behind the clause. */
function clauseLines(clause: Clause, failed: string): readonly Line[] {
  return [
    ...clause.flatMap((condition, index) => conditionLines(condition, `${failed} holds ${index}`, failed)),
    { op: "return", value: RETURN_ALLOW },
    { op: "label", name: failed },
  ];
}

function conditionLines(condition: Condition, holds: string, failed: string): readonly Line[] {
  const load: readonly Line[] = [
    { op: "load", offset: argumentOffset(condition.argument, "high") },
    { op: "equal", value: 0, yes: null, no: failed },
    { op: "load", offset: argumentOffset(condition.argument, "low") },
  ];
  switch (condition.is) {
    case "without":
      return [...load, { op: "anyBit", value: condition.bits, yes: failed, no: null }];
    case "with":
      return [...load, { op: "anyBit", value: condition.bits, yes: null, no: failed }];
    case "one-of":
      return [
        ...load,
        ...(condition.mask === undefined ? [] : [{ op: "and", mask: condition.mask } as const]),
        ...condition.values.map((value, index): Line => ({
          op: "equal",
          value,
          yes: holds,
          no: index === condition.values.length - 1 ? failed : null,
        })),
        { op: "label", name: holds },
      ];
  }
}
