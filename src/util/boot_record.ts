/**
 * What a host writes down for its guest before it starts it.
 *
 * @module
 */

/** Event by which a guest says that its privileges are given up. */
export const CONFINED_EVENT = "cordon.confined";

/** Contents of boot.json. Read once by the guest, then out of its reach. */
export interface BootRecord {
  /** One-time secret that the guest shows when it connects. */
  readonly token: string;
  /** Name of the plugin, for messages. */
  readonly name: string;
  /** Paths as the guest sees them. */
  readonly paths: {
    /** Directory that holds the boot record and the sockets. */
    readonly run: string;
    readonly boot: string;
    readonly socket: string;
    readonly library: string | null;
  };
  /** The narrower system call filter, base64; null installs none. */
  readonly filter: string | null;
  /** Descriptor of the channel that carries descriptors; null when there is none. */
  readonly descriptorChannel: number | null;
  /** Largest frame in bytes. */
  readonly maxFrameBytes: number;
  /** The proxy's socket and what it lets through; null without a network grant. */
  readonly network: { readonly socket: string; readonly allow: readonly string[] } | null;
  /** For a plugin that was granted a GPU: the script that reaches it, where its driver is, and how tensors travel. */
  readonly cuda: {
    readonly script: string;
    readonly driver: string;
    readonly ipc: boolean;
    /** Variables that tell the driver which devices to show, as the host has them. */
    readonly environment: Readonly<Record<string, string>>;
    readonly fallback: "host-copy" | "error";
  } | null;
  /** For a plugin that a debugger may be attached to: the script that connects both ends, and where they are. */
  readonly inspector?: { readonly script: string; readonly address: string; readonly socket: string };
  /** The host waits to hear that the privileges are given up. */
  readonly hasBroker: boolean;
  /** The plugin is a script: the process ends when its work is done, not when the host says so. */
  readonly isScript: boolean;
  /** Started before anybody needs it. */
  readonly isSpare: boolean;
  /** RLIMIT_DATA of the guest in bytes; written once the guest has connected, since it counts from what it uses then. */
  readonly dataBytes: number | null;
}
