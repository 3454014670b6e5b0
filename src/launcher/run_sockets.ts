/**
 * The sockets of one sandbox, by their names.
 *
 * @module
 */

/** Unix sockets through which a sandbox and its host meet. */
export interface RunSockets {
  /** Where the guest connects to its host. */
  readonly socket: string;
  /** Where the host's proxy listens, if there is one. */
  readonly proxy: string;
  /** Where the permission broker listens, if there is one. */
  readonly broker: string;
  /** Where the runtime's end for debuggers is handed on, if it is. */
  readonly inspector: string;
}

/**
 * Name the sockets.
 *
 * @param run Absolute path of the directory that they are in, of the host or inside.
 * @returns Absolute paths.
 */
export function runSockets(run: string): RunSockets {
  return {
    socket: `${run}/rpc.sock`,
    proxy: `${run}/net.sock`,
    broker: `${run}/broker.sock`,
    inspector: `${run}/inspect.sock`,
  };
}
