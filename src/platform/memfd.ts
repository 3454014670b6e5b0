/**
 * Makes and closes one anonymous memory file, which shared tensors live in.
 *
 * @module
 */

import type { Finding } from "../errors.ts";
import type { Libc } from "./libc.ts";
import type { Probed } from "./probed.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;

/**
 * Make a sealable memory file and close it again.
 *
 * @param libc The C library, or null where it cannot be opened.
 * @returns Whether that worked.
 */
export function probeMemfd(libc: Libc | null): Probed<boolean> {
  if (libc === null) {
    return { fact: false, finding: finding("skip", "Shared memory was not tried, as FFI is not available") };
  }
  const name = new TextEncoder().encode("cordon-probe\0");
  const fd = libc.symbols.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) {
    return { fact: false, finding: finding("warn", "No memfd: tensors are copied instead of shared") };
  }
  libc.symbols.close(fd);
  return { fact: true, finding: finding("ok", "Tensors can be shared through sealed memory") };
}

function finding(level: Finding["level"], summary: string): Finding {
  return { id: "memfd", level, summary, evidence: "memfd_create with MFD_ALLOW_SEALING" };
}
