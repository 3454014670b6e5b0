/**
 * What a filter may say about one system call.
 *
 * @module
 */

/** Linux errno values that filters answer with. The numbers are the same on both architectures. */
export const ERRNO = { EPERM: 1, EINVAL: 22, ENOTTY: 25, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

/** Name of an errno that filters answer with. */
export type ErrnoName = keyof typeof ERRNO;

/**
 * A condition on one 64-bit argument; `mask`, `values` and `bits` are 32 bits wide, and the upper half of the
 * argument must be zero for any condition to hold: the kernel may ignore it, but no honest caller sets it.
 */
export type Condition =
  | {
    readonly argument: number;
    readonly is: "one-of";
    readonly values: readonly number[];
    readonly mask?: number;
  }
  | { readonly argument: number; readonly is: "without"; readonly bits: number }
  | { readonly argument: number; readonly is: "with"; readonly bits: number };

/** Conditions that must all hold. */
export type Clause = readonly Condition[];

/** What happens to one system call. */
export type Rule =
  | { readonly kind: "allow" }
  | { readonly kind: "errno"; readonly errno: ErrnoName }
  | { readonly kind: "kill" }
  | { readonly kind: "check"; readonly anyOf: readonly Clause[]; readonly otherwise: ErrnoName };

/** Rules by name of the system call. What is not named is refused. */
export type RuleSet = ReadonlyMap<string, Rule>;

/** Passes whatever its arguments. */
export const ALLOW: Rule = { kind: "allow" };
/** Refused as not permitted. */
export const DENY: Rule = { kind: "errno", errno: "EPERM" };
/** Refused as not existing, so that callers fall back to an older call. */
export const ABSENT: Rule = { kind: "errno", errno: "ENOSYS" };
/** The process ends at once. */
export const KILL: Rule = { kind: "kill" };

/**
 * The argument's bits under `mask` are one of `values`.
 *
 * @param argument Which argument, from 0.
 * @param values Accepted values.
 * @param mask Bits that are compared; bits outside are free within the lower half.
 * @returns The condition.
 * @throws {RangeError} If there are no values.
 */
export function oneOf(argument: number, values: readonly number[], mask?: number): Condition {
  if (values.length === 0) throw new RangeError("Cannot compare an argument as no accepted value is given");
  return { argument, is: "one-of", values, ...(mask === undefined ? {} : { mask }) };
}

/**
 * None of the bits is set in the argument.
 *
 * @param argument Which argument, from 0.
 * @param bits Forbidden bits.
 * @returns The condition.
 */
export function without(argument: number, bits: number): Condition {
  return { argument, is: "without", bits };
}

/**
 * At least one of the bits is set in the argument.
 *
 * @param argument Which argument, from 0.
 * @param bits Bits of which one is needed.
 * @returns The condition.
 */
export function withAny(argument: number, bits: number): Condition {
  return { argument, is: "with", bits };
}

/**
 * The call passes if all conditions of one clause hold.
 *
 * @param otherwise What the caller gets if no clause holds.
 * @param anyOf The clauses.
 * @returns The rule.
 */
export function check(otherwise: ErrnoName, ...anyOf: readonly Clause[]): Rule {
  return { kind: "check", anyOf, otherwise };
}
