/**
 * Writes down what a guest needs to know before it can talk.
 *
 * @module
 */

import type { LoadConfig, OversightConfig } from "../config/types.ts";
import { SandboxUnavailableError } from "../errors.ts";
import { INSPECTOR_ADDRESS } from "../launcher/inspector_address.ts";
import { sandboxPaths } from "../launcher/sandbox_paths.ts";
import type { CompiledFilters } from "../launcher/seccomp/mod.ts";
import type { SandboxDirectory } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { BootRecord } from "../util/boot_record.ts";
import type { DescriptorChannel } from "./descriptor_channel.ts";
import type { HostContext } from "./host_context.ts";
import { inspectorRelayScript } from "./inspector_relay_script.ts";
import { hasBroker } from "./open_broker.ts";

/** What the record is made from. */
export interface BootRecordRequest {
  readonly context: HostContext;
  readonly config: LoadConfig & OversightConfig;
  readonly policy: SandboxPolicy;
  readonly directory: SandboxDirectory;
  readonly channel: DescriptorChannel | null;
  readonly isScript: boolean;
  readonly isSpare: boolean;
}

/**
 * Write boot.json into a sandbox's directory.
 *
 * @param request What it is made from.
 * @returns What was written.
 */
export async function bootRecord(request: BootRecordRequest): Promise<BootRecord> {
  const { context, config, policy, directory, channel } = request;
  const paths = sandboxPaths(policy, directory, context.directory.files);
  const record: BootRecord = {
    token: crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true }),
    name: config.name,
    paths: { run: paths.run, boot: paths.boot, socket: paths.socket, library: paths.library },
    filter: encodedFilter(policy, paths.library, context.filters),
    descriptorChannel: channel === null ? null : 3,
    maxFrameBytes: config.maxFrameBytes,
    network: policy.network.kind === "proxy" ? { socket: paths.proxy, allow: policy.network.allow } : null,
    cuda: await context.cuda.bootPart(policy, channel !== null && paths.library !== null),
    ...(policy.inspector === true
      ? {
        inspector: {
          script: inspectorRelayScript(INSPECTOR_ADDRESS, paths.inspector),
          address: INSPECTOR_ADDRESS,
          socket: paths.inspector,
        },
      }
      : {}),
    hasBroker: hasBroker(config),
    isScript: request.isScript,
    isSpare: request.isSpare,
    dataBytes: null,
  };
  directory.write(directory.boot, JSON.stringify(record));
  return record;
}

/** The guest installs the filter with the native library. */
function encodedFilter(
  policy: SandboxPolicy,
  library: string | null,
  filters: CompiledFilters,
): string | null {
  if (policy.seccomp === null) return null;
  if (library === null) throw unfiltered(policy.plugin);
  return filters.of("guest", policy.seccomp, Deno.build.arch).toBase64();
}

function unfiltered(plugin: string): SandboxUnavailableError {
  const summary =
    "no native library was built for this machine, and the guest narrows its system calls with it";
  const fix = ["Use a machine with x86_64 or aarch64"];
  return new SandboxUnavailableError(
    `Cannot start "${plugin}" as system calls must be narrowed: ${summary}`,
    {
      findings: [{ id: "native-library", level: "fail", summary, fix }],
    },
  );
}
