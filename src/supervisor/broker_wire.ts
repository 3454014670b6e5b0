/**
 * The wire of Deno's permission broker: one JSON object a line, one answer for each.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { PermissionKind } from "./broker_types.ts";

const PROTOCOL_VERSION = 1;
const KINDS: ReadonlySet<string> = new Set<PermissionKind>([
  "read",
  "write",
  "net",
  "env",
  "sys",
  "run",
  "ffi",
  "import",
]);
/** A path of a plugin can be long, but none that the kernel takes comes near this. */
const MAX_LINE_BYTES = 256 * 1024;

/** A parsed line. */
export interface BrokerLine {
  readonly id: number;
  readonly permission: PermissionKind;
  readonly value: string | null;
}

/**
 * Read questions from a connection until it ends.
 *
 * @param conn Read from; stays open.
 * @returns The questions in order.
 * @throws {ProtocolError} If a line is too long or is no question of the known version.
 */
export async function* brokerLines(conn: Pick<Deno.Conn, "read">): AsyncGenerator<BrokerLine> {
  const chunk = new Uint8Array(16 * 1024);
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for (let count = await conn.read(chunk); count !== null; count = await conn.read(chunk)) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0 && end < count; end = chunk.indexOf(0x0a, start)) {
      const line = joined([...pending, chunk.subarray(start, end)]);
      [pending, pendingBytes, start] = [[], 0, end + 1];
      yield parsed(line);
    }
    pendingBytes += count - start;
    if (pendingBytes > MAX_LINE_BYTES) {
      throw new ProtocolError(
        `Cannot read a permission request as it is longer than ${MAX_LINE_BYTES} bytes`,
      );
    }
    pending.push(chunk.slice(start, count));
  }
}

/**
 * Write an answer.
 *
 * @param id The question's.
 * @param reason Null allows; else what the plugin's error says.
 * @returns One line.
 */
export function brokerAnswer(id: number, reason: string | null): Uint8Array {
  const answer = reason === null ? { id, result: "allow" } : { id, result: "deny", reason };
  return new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
}

function parsed(line: Uint8Array): BrokerLine {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder().decode(line));
  } catch (cause) {
    throw new ProtocolError("Cannot read a permission request as it is not JSON", { cause });
  }
  if (typeof message !== "object" || message === null) {
    throw new ProtocolError("Cannot read a permission request as it is not an object");
  }
  const { v, id, permission, value = null } = message as Record<string, unknown>;
  if (v !== PROTOCOL_VERSION) {
    throw new ProtocolError(
      `Cannot read a permission request as only version 1 is known: it says ${String(v)}`,
    );
  }
  if (!Number.isSafeInteger(id) || typeof permission !== "string" || !KINDS.has(permission)) {
    throw new ProtocolError("Cannot read a permission request as its id or its permission is not known");
  }
  if (value !== null && typeof value !== "string") {
    throw new ProtocolError("Cannot read a permission request as its value is not text");
  }
  return { id: id as number, permission: permission as PermissionKind, value };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
