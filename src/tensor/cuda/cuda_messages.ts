/**
 * Messages about memory of devices, on the channel that also carries those about host memory.
 *
 * @module
 */

/** What a message is about; the numbers follow those of `MessageKind`. */
export const CudaMessageKind = {
  /** Guest: how far sharing works here. `id` one of `CudaState`, `a` the driver's version, `b` who the devices are. */
  state: 8,
  /** Host: here is memory, with a descriptor. `id` its grant, `a` its bytes, `b` the device, `c` its lease or request. */
  grant: 9,
  /** Guest: give me `a` bytes on device `b`. `id` numbers the request. */
  request: 10,
  /** Host: no. `id` of the request, 0 for the trial. */
  refuse: 11,
  /** Guest: I have let go of what I asked for and got as grant `id`. */
  giveBack: 12,
} as const;

/** How far a guest's sharing works. */
export const CudaState = {
  /** It cannot import memory: send bytes. */
  failed: 0,
  /** The driver runs: send memory to try with. */
  started: 1,
  /** What was sent to try with could be read. */
  works: 2,
} as const;

/** What granted memory is for, as flags of the message. */
export const CudaPurpose = { lent: 0, made: 1, trial: 2 } as const;

/** Bytes at the start of the memory that is tried with; the guest must find them there. */
export const TRIAL_BYTES = 64;

/**
 * What the memory that is tried with holds.
 *
 * @param seed The grant's number.
 * @returns Bytes that are unlikely to be there by chance.
 */
export function trialPattern(seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: TRIAL_BYTES }, (_, index) => (index * 37 + seed * 11 + 101) & 0xff);
}
