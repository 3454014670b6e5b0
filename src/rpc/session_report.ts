/**
 * Counts and open calls of a session, for people and tests.
 *
 * @module
 */

import type { SessionCore } from "./session_core.ts";
import type { RpcInspection, RpcStats } from "./types.ts";

/**
 * The counts of a session.
 *
 * @param core Of the session.
 * @returns A snapshot.
 */
export function sessionStats(core: SessionCore): RpcStats {
  const { bytesIn, bytesOut, framesIn, framesOut } = core.transport.counters;
  return {
    bytesIn,
    bytesOut,
    framesIn,
    framesOut,
    queuedBytes: core.transport.queuedBytes,
    callsOut: core.outgoing.lastId,
    callsIn: core.incoming.served,
    callsFailed: core.outgoing.failed + core.incoming.failed,
    pendingOut: core.outgoing.size,
    pendingIn: core.incoming.size,
    exported: core.references.exportedCount,
    imported: core.references.importedCount,
    streamsOut: core.streams.writing,
    streamsIn: core.streams.reading,
    signalsOut: core.signals.sent,
    signalsIn: core.signals.received,
    eventsUnheard: core.events.unheard,
  };
}

/**
 * What a session is doing right now.
 *
 * @param core Of the session.
 * @returns A snapshot.
 */
export function sessionInspection(core: SessionCore): RpcInspection {
  const now = performance.now();
  return {
    name: core.name,
    role: core.options.role,
    state: core.state,
    pending: [...core.outgoing.inspect(now), ...core.incoming.inspect(now)],
    targets: core.targets.describe(),
    stats: sessionStats(core),
  };
}
