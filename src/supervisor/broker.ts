/**
 * Answers every permission check of one plugin's runtime: the policy first, then the host's callback.
 *
 * The connection is the plugin's identity: there is one socket a plugin, and it takes one connection.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";
import { cleanText } from "../util/clean_text.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { writeAll } from "../util/copy_bytes.ts";
import { type RepeatFilter, repeatFilter } from "../util/repeat_filter.ts";
import { PermissionQuestions } from "./broker_questions.ts";
import { resolvedPath, ruleAnswer } from "./broker_rules.ts";
import type {
  PermissionAudit,
  PermissionBroker,
  PermissionBrokerOptions,
  PermissionKind,
} from "./broker_types.ts";
import { brokerAnswer, type BrokerLine, brokerLines } from "./broker_wire.ts";
import { grantLine } from "./grant_line.ts";
import { GrantLearner } from "./learned_grant.ts";

const MAX_AUDIT_KEYS = 1_000;
/** What a plugin wanted: one thing, or everything of the kind. */
const WISHES: Readonly<Record<PermissionKind, readonly [one: string, all: string]>> = {
  read: ["read", "read every path"],
  write: ["write", "write every path"],
  net: ["connect to", "connect to every host"],
  env: ["read the variable", "read every variable"],
  sys: ["ask the system for", "ask the system for everything"],
  run: ["start", "start programs"],
  ffi: ["load", "use native code"],
  import: ["import from", "import at run time"],
};

/** What was decided, by whom, and why. */
type Decision = Pick<PermissionAudit, "outcome" | "by" | "reason">;

/**
 * Start a broker for one plugin. Its runtime must be started with `DENO_PERMISSION_BROKER_PATH`.
 *
 * @param options The socket, the policy, and who is asked and told.
 * @returns The broker, listening.
 * @throws {SandboxUnavailableError} If the tier has nothing that confines paths: a broker sees them before links are
 * followed and cannot see where the plugin has moved to.
 * @throws {Deno.errors.AddrInUse} If something listens at `socketPath`.
 *
 * @example
 * ```ts
 * import { startPermissionBroker } from "./broker.ts";
 *
 * const directory = await Deno.makeTempDir();
 * await using cleanup = new AsyncDisposableStack();
 * cleanup.defer(() => Deno.remove(directory));
 * const nothing = { read: [], write: [], net: [], env: [], sys: [] };
 * await using broker = await startPermissionBroker({
 *   socketPath: `${directory}/broker.sock`,
 *   policy: { plugin: "a", tier: "full", deno: nothing, network: { kind: "none" }, workingDirectory: null, runAs: null },
 *   paths: { plugin: "/p", proxy: "/r/net.sock", socket: "/r/rpc.sock", boot: "/r/boot.json", library: null },
 *   audit: () => {},
 *   onPermission: ({ permission }) => permission === "sys" ? "allow" : "deny",
 * });
 * broker.lockDown();
 * ```
 */
export async function startPermissionBroker(options: PermissionBrokerOptions): Promise<PermissionBroker> {
  if (options.policy.tier === "permissions-only") throw unconfined(options.policy.plugin);
  const listener = Deno.listen({ transport: "unix", path: options.socketPath });
  try {
    const { runAs } = options.policy;
    await Deno.chmod(options.socketPath, 0o600);
    if (runAs !== null) await Deno.chown(options.socketPath, runAs.uid, runAs.gid);
  } catch (error) {
    listener.close();
    throw error;
  }
  return new Broker(options, listener);
}

class Broker implements PermissionBroker {
  readonly socketPath: string;
  readonly #options: PermissionBrokerOptions;
  readonly #clock: Clock;
  readonly #questions: PermissionQuestions;
  readonly #repeats: RepeatFilter = repeatFilter(MAX_AUDIT_KEYS);
  readonly #learner = new GrantLearner();
  readonly #served: Promise<void>;
  #listener: Deno.UnixListener | null;
  #conn: Deno.UnixConn | null = null;
  #isLockedDown = false;

  constructor(options: PermissionBrokerOptions, listener: Deno.UnixListener) {
    this.socketPath = options.socketPath;
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#questions = new PermissionQuestions(options, this.#clock);
    this.#listener = listener;
    this.#served = this.#serve(listener);
  }

  get isAsking(): boolean {
    return this.#questions.isAsking;
  }

  lockDown(): void {
    this.#isLockedDown = true;
  }

  learned(): ReturnType<PermissionBroker["learned"]> {
    return this.#learner.grant();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
    this.#conn?.close();
    this.#conn = null;
    this.#questions.stop();
    await this.#served;
    await removeIfThere(this.socketPath);
  }

  /** Serves one connection. However it ends, nobody is answered any more: a runtime without a broker ends itself. */
  async #serve(listener: Deno.UnixListener): Promise<void> {
    try {
      const conn = this.#conn = await listener.accept();
      this.#stopListening();
      for await (const line of brokerLines(conn)) {
        await writeAll(conn, brokerAnswer(line.id, await this.#reply(line)));
      }
    } catch (error) {
      this.#noteEnd(error);
    } finally {
      this.#stopListening();
      this.#conn?.close();
      this.#conn = null;
    }
  }

  /** Null if it is allowed; else the text of the plugin's error. */
  async #reply(line: BrokerLine): Promise<string | null> {
    const decision = await this.#decide(line);
    this.#audit(line.permission, line.value, decision);
    return decision.outcome === "allow" ? null : denialText(line, decision);
  }

  async #decide(line: BrokerLine): Promise<Decision> {
    const { policy, paths, mode } = this.#options;
    const answer = ruleAnswer(line, { policy, paths, isLockedDown: this.#isLockedDown });
    const isEveryVariable = line.permission === "env" && line.value === null;
    const isPlugins = this.#isLockedDown && !isEveryVariable &&
      !(answer.outcome === "allow" && answer.by === "runtime");
    if (mode === "learn" && isPlugins) {
      this.#learner.note({ permission: line.permission, value: this.#absolute(line) });
    }
    if (answer.outcome === "allow") return { ...answer, reason: reasonOf(answer.by) };
    if (answer.outcome === "deny") return answer;
    if (mode === "learn") return { outcome: "allow", by: "learn", reason: "it is being learned" };
    const { permission, value } = line;
    const suggestion = grantLine(permission, value);
    const request = {
      plugin: policy.plugin,
      permission,
      value: value === null ? null : cleanText(value),
      suggestion,
    };
    return await this.#questions.ask(Object.freeze(request), JSON.stringify([permission, value]));
  }

  #absolute({ permission, value }: BrokerLine): string | null {
    if (value === null || (permission !== "read" && permission !== "write")) return value;
    return resolvedPath(value, this.#options) ?? value;
  }

  #audit(permission: PermissionAudit["permission"], value: string | null, decision: Decision): void {
    const shown = value === null ? null : cleanText(value);
    const { outcome, by, reason } = decision;
    const count = this.#repeats.count(JSON.stringify([permission, shown, outcome, by, reason]));
    if (count === null) return;
    const { plugin } = this.#options.policy;
    this.#options.audit({
      at: this.#clock.now(),
      plugin,
      permission,
      value: shown,
      outcome,
      by,
      reason,
      count,
    });
  }

  #noteEnd(error: unknown): void {
    const isOrdinary = error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
      error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
    if (isOrdinary) return;
    const reason = error instanceof Error ? cleanText(error.message) : String(error);
    this.#audit("protocol", null, { outcome: "deny", by: "rule", reason });
  }

  #stopListening(): void {
    this.#listener?.close();
    this.#listener = null;
  }
}

function reasonOf(by: "policy" | "runtime"): string {
  return by === "policy" ? "it is granted" : "the guest itself needs it";
}

function denialText({ permission, value }: BrokerLine, { by, reason }: Decision): string {
  const [one, all] = WISHES[permission];
  const wish = value === null ? all : `${one} ${cleanText(JSON.stringify(value))}`;
  // What a rule denies, no line of the options grants.
  const line = by === "rule" ? null : grantLine(permission, value);
  const advice = line === null ? "" : `. Add ${line}`;
  return `Cannot ${wish} as the plugin may not: ${reason}${advice}`;
}

function unconfined(plugin: string): SandboxUnavailableError {
  return new SandboxUnavailableError(
    `Cannot ask for permissions of "${plugin}" one by one as nothing confines its paths: its tier is "permissions-only"`,
    {
      hint: "Leave onPermission out, or use a tier with namespaces or Landlock",
      findings: [{
        id: "permission-broker",
        level: "fail",
        summary: "A permission broker needs a tier that confines paths below Deno",
      }],
    },
  );
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
