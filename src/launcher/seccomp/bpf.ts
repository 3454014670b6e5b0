/**
 * A tiny assembler for classic BPF, the language of seccomp filters.
 *
 * @module
 */

/** `seccomp_data.nr`. */
export const OFFSET_NUMBER = 0;
/** `seccomp_data.arch`. */
export const OFFSET_ARCHITECTURE = 4;

const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_ALWAYS = 0x05;
const JUMP_IF = { equal: 0x15, atLeast: 0x35, anyBit: 0x45 } as const;
const RETURN = 0x06;
const MAX_INSTRUCTIONS = 4096;
const MAX_CONDITIONAL_JUMP = 255;

/** One line of assembly; a target is a label, or null for the next line. */
export type Line =
  | { readonly op: "label"; readonly name: string }
  | { readonly op: "load"; readonly offset: number }
  | { readonly op: "and"; readonly mask: number }
  | { readonly op: "return"; readonly value: number }
  | { readonly op: "jump"; readonly target: string }
  | {
    readonly op: keyof typeof JUMP_IF;
    readonly value: number;
    readonly yes: string | null;
    readonly no: string | null;
  };

/**
 * Offset of half of a system call argument in `seccomp_data`. Both architectures are little-endian.
 *
 * @param index Which argument, from 0 to 5.
 * @param half Which 32 bits of it.
 * @returns The offset in bytes.
 */
export function argumentOffset(index: number, half: "low" | "high"): number {
  return 16 + 8 * index + (half === "high" ? 4 : 0);
}

/**
 * Assembles a program into `struct sock_filter[]`, little-endian.
 *
 * @param lines The program.
 * @returns Eight bytes an instruction.
 * @throws {RangeError} If a label is missing, doubled or behind its jump, a conditional jump is longer than 255
 * instructions, or the program is empty or longer than the kernel takes.
 *
 * @example
 * ```ts
 * import { assemble } from "./bpf.ts";
 *
 * const allowAll = assemble([{ op: "return", value: 0x7fff0000 }]);
 * console.log(allowAll.byteLength); // 8
 * ```
 */
export function assemble(lines: readonly Line[]): Uint8Array {
  const labels = new Map<string, number>();
  const instructions: Exclude<Line, { op: "label" }>[] = [];
  for (const line of lines) {
    if (line.op !== "label") instructions.push(line);
    else if (labels.has(line.name)) {
      throw new RangeError(`Cannot assemble label "${line.name}" as it is doubled`);
    } else labels.set(line.name, instructions.length);
  }
  if (instructions.length === 0 || instructions.length > MAX_INSTRUCTIONS) {
    throw new RangeError(
      `Cannot assemble a filter as it must have 1 to ${MAX_INSTRUCTIONS} instructions: it has ${instructions.length}`,
    );
  }
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  instructions.forEach((instruction, index) => {
    const distance = (label: string | null, most: number) => jumpDistance(labels, label, index, most);
    write(view, index * 8, encode(instruction, distance));
  });
  return new Uint8Array(view.buffer);
}

interface Encoded {
  readonly code: number;
  readonly yes?: number;
  readonly no?: number;
  readonly operand: number;
}

function encode(
  line: Exclude<Line, { op: "label" }>,
  distance: (label: string | null, most: number) => number,
): Encoded {
  switch (line.op) {
    case "load":
      return { code: LOAD_WORD, operand: line.offset };
    case "and":
      return { code: AND, operand: line.mask };
    case "return":
      return { code: RETURN, operand: line.value };
    case "jump":
      return { code: JUMP_ALWAYS, operand: distance(line.target, MAX_INSTRUCTIONS) };
    default:
      return {
        code: JUMP_IF[line.op],
        yes: distance(line.yes, MAX_CONDITIONAL_JUMP),
        no: distance(line.no, MAX_CONDITIONAL_JUMP),
        operand: line.value,
      };
  }
}

function jumpDistance(
  labels: ReadonlyMap<string, number>,
  label: string | null,
  from: number,
  most: number,
): number {
  if (label === null) return 0;
  const target = labels.get(label);
  if (target === undefined) throw new RangeError(`Cannot jump to label "${label}" as it does not exist`);
  const distance = target - from - 1;
  if (distance < 0 || distance > most) {
    throw new RangeError(
      `Cannot jump to label "${label}" as a jump goes 0 to ${most} instructions forward: it is ${distance}`,
    );
  }
  return distance;
}

function write(view: DataView, offset: number, { code, yes = 0, no = 0, operand }: Encoded): void {
  view.setUint16(offset, code, true);
  view.setUint8(offset + 2, yes);
  view.setUint8(offset + 3, no);
  view.setUint32(offset + 4, operand >>> 0, true);
}
