/**
 * Runs seccomp filters as the kernel would, without asking the compiler how it meant them.
 *
 * @module
 */

/** What the kernel shows a filter. */
export interface SyscallEvent {
  readonly number: number;
  readonly auditArch: number;
  /** Up to six 64-bit arguments; what is missing is 0. */
  readonly args?: readonly bigint[];
}

const MAX_INSTRUCTIONS = 4096;

/** Raw return value of a filter for one system call. Throws on anything that the kernel's checker would refuse. */
export function runFilter(program: Uint8Array, event: SyscallEvent): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const count = program.byteLength / 8;
  if (!Number.isInteger(count) || count === 0 || count > MAX_INSTRUCTIONS) {
    throw new Error("bad program length");
  }
  const input = seccompData(event);
  let accumulator = 0;
  for (let at = 0; at < count; at++) {
    const code = view.getUint16(at * 8, true);
    const [yes, no] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const operand = view.getUint32(at * 8 + 4, true);
    switch (code) {
      case 0x20:
        if (operand % 4 !== 0 || operand > 60) throw new Error(`load from offset ${operand}`);
        accumulator = input.getUint32(operand, true);
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x05:
        at += operand;
        break;
      case 0x15:
        at += accumulator === operand ? yes : no;
        break;
      case 0x35:
        at += accumulator >= operand ? yes : no;
        break;
      case 0x45:
        at += (accumulator & operand) !== 0 ? yes : no;
        break;
      case 0x06:
        return operand;
      default:
        throw new Error(`instruction ${at} has the unknown code 0x${code.toString(16)}`);
    }
  }
  throw new Error("ran off the end of the program");
}

/** `allow`, `kill` or the name of the errno. */
export function verdictName(value: number): string {
  const errnos: Record<number, string> = {
    1: "EPERM",
    22: "EINVAL",
    25: "ENOTTY",
    38: "ENOSYS",
    97: "EAFNOSUPPORT",
  };
  if (value === 0x7fff0000) return "allow";
  if (value === 0x80000000) return "kill";
  const errno = errnos[value & 0xffff];
  if ((value & 0xffff0000) === 0x00050000 && errno !== undefined) return errno;
  throw new Error(`unexpected return value 0x${value.toString(16)}`);
}

/** Verdict of a filter for one system call. */
export function verdict(program: Uint8Array, event: SyscallEvent): string {
  return verdictName(runFilter(program, event));
}

function seccompData({ number, auditArch, args = [] }: SyscallEvent): DataView {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, number, true);
  view.setUint32(4, auditArch, true);
  args.forEach((value, index) => view.setBigUint64(16 + 8 * index, value, true));
  return view;
}
