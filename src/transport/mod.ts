/**
 * Whole frames between two processes: over a Unix socket, and in memory for tests.
 *
 * @module
 */

export { copyPayload, payloadLength } from "./frame_parts.ts";
export { memoryTransportPair } from "./memory_transport.ts";
export { socketTransport } from "./socket_transport.ts";
export { WarmBuffer } from "./warm_buffer.ts";
export type {
  BodyPlace,
  FrameBody,
  FrameReceiver,
  FrameTransport,
  TransportCounters,
  TransportLimits,
} from "./types.ts";
