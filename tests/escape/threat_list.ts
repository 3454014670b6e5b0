/**
 * The numbered threat list, and the tests that each number is tried by besides the techniques that carry it.
 *
 * @module
 */

import { NATIVE_TECHNIQUES } from "./native_techniques.ts";
import { SCRIPT_TECHNIQUES } from "./script_techniques.ts";

/** A test elsewhere: its file below `tests/`, and words of its name. */
export type Proof = readonly [file: string, words: string];

/** One number. */
export interface Threat {
  readonly number: number;
  /** What is tried. */
  readonly threat: string;
  readonly proofs: readonly Proof[];
}

const LIMITS = "limits/limits_test.ts";
const HOSTILE = "rpc/hostile_test.ts";
const MEMORY = "tensor/hostile_guest_test.ts";
const LIFECYCLE = "escape/lifecycle_test.ts";
const EGRESS = "network/egress_proxy_test.ts";
const TARGET = "network/target_test.ts";

type Row = readonly [number: number, threat: string, ...proofs: Proof[]];

const ROWS: readonly Row[] = [
  [1, "read /etc/passwd"],
  [2, "read a secret of the host"],
  [3, "dots in a path"],
  [4, "symbolic links to the host", ["edge_cases/confinement_test.ts", "links in it lead nowhere else"]],
  [5, "change a file of the host; swap a link during the check", [
    "launcher/mount_check_test.ts",
    "refuses a granted path that became a link since its check",
  ]],
  [6, "write to /"],
  [7, "write to /app"],
  [8, "write to /dev, /dev/shm, /tmp"],
  [9, "devices of the host"],
  [10, "make device nodes"],
  [11, "setuid bits"],
  [12, "hard links to the host"],
  [13, "more in /tmp than it may hold", [LIMITS, "limits.tmp is the size of a plugin's scratch space"]],
  [14, "files without end", [LIMITS, "limits.tmp stops a plugin that makes files without end"]],
  [15, "what /proc says of processes"],
  [16, "what /proc and /sys say of the kernel"],
  [17, "fork, vfork, clone, clone3"],
  [18, "ptrace", [LIFECYCLE, "88: a sandbox that a worker started ends with the worker's thread"]],
  [19, "memory of other processes"],
  [20, "descriptors of other processes"],
  [21, "kcmp"],
  [22, "signals"],
  [23, "exec of a shell"],
  [24, "exec of memory"],
  [25, "an inspector"],
  [26, "threads, descriptors, limits", [LIMITS, "limits.processes refuses a plugin more threads"]],
  [27, "a fork bomb", [LIMITS, "a plugin starts no process at all"]],
  [28, "a user namespace by unshare"],
  [29, "a mount namespace by unshare"],
  [30, "a network namespace by unshare"],
  [31, "a user namespace by clone"],
  [32, "a user namespace by clone3"],
  [33, "a network namespace by clone"],
  [34, "setns"],
  [35, "mount"],
  [36, "remount"],
  [37, "umount"],
  [38, "the new mount interface"],
  [39, "chroot, pivot_root"],
  [40, "bpf"],
  [41, "perf events"],
  [42, "io_uring"],
  [43, "userfaultfd"],
  [44, "key rings"],
  [45, "modules, kexec, reboot"],
  [46, "the kernel's log"],
  [47, "personality"],
  [48, "modify_ldt"],
  [49, "file handles"],
  [50, "System V and POSIX objects"],
  [51, "filters, Landlock, clocks, names, swap, dumpability, odd memory"],
  [52, "calls of another ABI"],
  [53, "typing into a terminal"],
  [54, "sockets of every family"],
  [55, "services on the host's loopback"],
  [56, "addresses in disguise", [
    EGRESS,
    "denies literals of metadata services and embedded IPv4 in every notation",
  ]],
  [57, "abstract sockets"],
  [58, "sockets by path"],
  [59, "looking names up"],
  [
    60,
    "hosts that are read in two ways; redirects and rebinding; an empty list",
    ...[
      [TARGET, "parseTarget() refuses ${what}"],
      [TARGET, "a trailing dot"],
      [TARGET, "never yields a host that a URL would read otherwise"],
      [EGRESS, "a name that is rebound is denied then"],
      [EGRESS, "connects to the address that it checked and resolves only once"],
      [EGRESS, "with an empty list denies everything"],
      [EGRESS, "denies a request that hides a second one"],
      ["network/allow_list_test.ts", "allowList() of nothing lists nothing"],
    ] as const,
  ],
  [61, "static imports of text and JSON"],
  [62, "imports of the host's modules"],
  [63, "imports over the network, from JSR and npm"],
  [64, "rights of a worker"],
  [65, "a configuration of its own"],
  [66, "packages that lead out of themselves"],
  [67, "the host's variables", [
    "edge_cases/confinement_test.ts",
    "variables that would steer the runtime are refused instead of being passed on",
  ]],
  [68, "native code", [
    "supervisor/tensor_test.ts",
    "no door to FFI is open to a plugin while its tensors flow",
  ]],
  [69, "a second runtime"],
  [70, "SQLite, times of files"],
  [71, "a frame that says it has 4 GiB", [
    "transport/transport_test.ts",
    "socketTransport() refuses a header of 4 GiB before it allocates",
  ]],
  [72, "100,000 nested values", [HOSTILE, "100,000 nested arrays"]],
  [73, "cut frames, byte by byte", [HOSTILE, "RpcSession closes on every truncation of a call"], [
    "transport/transport_test.ts",
    "socketTransport() finds the same frames however the bytes are cut",
  ]],
  [74, "names that objects inherit", [HOSTILE, "Names that objects inherit are not exposed"], [
    HOSTILE,
    "a key __proto__",
  ]],
  [
    75,
    "ids used again, replies to nobody, two replies",
    [
      HOSTILE,
      "RpcSession closes on a call id that was used before",
    ],
    [HOSTILE, "a reply to a call that was never made"],
    [
      HOSTILE,
      "RpcSession closes on a second reply to one call",
    ],
  ],
  [76, "a handle of another plugin", [
    "escape/handles_test.ts",
    "76: a handle of one plugin is nothing to another",
  ]],
  [77, "a callback after its end", [
    "rpc/references_test.ts",
    "A disposed callback rejects on this side and cannot be sent",
  ], [HOSTILE, "A released reference answers with an error, and lives on"]],
  [78, "100,000 calls at once", [HOSTILE, "100,000 calls in flight are refused beyond maxInFlight"]],
  [79, "100 MB of output", [LIMITS, "limits.output stops a plugin that prints 100 MB"]],
  [80, "a peer that never reads", [HOSTILE, "A peer that never reads is cut off, with bounded memory"], [
    MEMORY,
    "a guest that never reads does not stop the host",
  ]],
  [81, "results that look like promises", [
    "edge_cases/values_test.ts",
    "nothing that a peer sends pollutes prototypes or acts as a promise",
  ]],
  [82, "tensor headers that lie", [MEMORY, "a header ${what} is refused"], [
    MEMORY,
    "a block outside the arena is refused, one at its end is not",
  ]],
  [83, "shared memory that shrinks while it is read", [
    "native/memory_calls_test.ts",
    "Window.map() refuses what could raise SIGBUS or lie outside",
  ], [MEMORY, "a guest cannot shrink or grow memory that the host may have mapped"]],
  [84, "shared memory that changes while it is checked", [
    MEMORY,
    "an array that a guest keeps writing to does not change under the host",
  ], [MEMORY, "what a guest gave away cannot change any more"]],
  [85, "descriptors without seals or of another size", [
    MEMORY,
    "memory of another size than the header says is refused",
  ], ["native/memory_calls_test.ts", "Native.memfd() makes memory whose size is sealed"]],
  [86, "descriptors too many", [MEMORY, "any descriptor that a guest sends ends the connection"]],
  [87, "a host that is killed 0 to 50 ms after a start", [
    "launcher/host_death_test.ts",
    "a host that is killed right after a start in the ${tier} tier leaves no process",
  ]],
  [88, "a sandbox started by a worker", [LIFECYCLE, "88: a sandbox that a worker started"]],
  [89, "zombies of a host that is process 1", [
    LIFECYCLE,
    "89: a host that is the first process of a container is left with no zombies",
  ]],
  [90, "descriptors that leak into the sandbox", [
    "launcher/confinement_test.ts",
    "a guest inherits the standard streams and no other descriptor",
  ]],
  [91, "the host's environment within reach", [
    "launcher/confinement_test.ts",
    "bwrap's command line names nothing of the host but itself",
  ]],
  [
    92,
    "bubblewrap missing, old, setuid, or refused; a bad filter",
    [
      "platform/restricted_test.ts",
      "probePlatform() names ${claim} as the cause and how to repair it",
    ],
    ["policy/sandbox_tier_test.ts", "user-namespaces"],
    [
      "launcher/launch_test.ts",
      "LaunchedGuest reports bwrap's own words when the sandbox cannot be set up",
    ],
    ["launcher/launch_test.ts", "rejects with the name of a bubblewrap that does not exist"],
  ],
  [93, "a plugin that spins", [LIMITS, "limits.wallMs stops a plugin that spins"], [
    "supervisor/heartbeat_test.ts",
    "heartbeat() tells once that a plugin is lost after three intervals without an answer",
  ]],
  [94, "1,000 plugins disposed of under load", [
    LIFECYCLE,
    "plugins that are disposed of under load leave no descriptor, process or memory",
  ]],
  [95, "a filter that says something else than its rules", [
    "launcher/seccomp/filters_test.ts",
    "describeFilter() agrees with the filter that it describes",
  ], [
    "launcher/seccomp/compile_filter_test.ts",
    "compileFilter() decides as its rules say, for any rules and any call",
  ]],
];

/** Every number, in order. */
export const THREATS: readonly Threat[] = ROWS.map(([number, threat, ...proofs]) => ({
  number,
  threat,
  proofs,
}));

/**
 * How many techniques of the two lists carry a number.
 *
 * @param number The number.
 * @returns Native techniques and attacks of scripts.
 */
export function techniquesOf(number: number): { readonly native: number; readonly script: number } {
  const count = (list: readonly { readonly name: string }[]) =>
    list.filter(({ name }) => name.startsWith(`${number} `)).length;
  return { native: count(NATIVE_TECHNIQUES), script: count(SCRIPT_TECHNIQUES) };
}
