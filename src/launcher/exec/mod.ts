/**
 * cordon-exec: resource limits, Landlock and, without bubblewrap, the system call filter, before Deno starts.
 *
 * @module
 */

export { cordonExecArguments } from "./cordon_exec_arguments.ts";
export { cordonGuardArguments } from "./cordon_guard_arguments.ts";
export { cordonExecBinary, type EmbeddedExec } from "./cordon_exec_binary.ts";
export { type CordonExecFailure, cordonExecFailure, type ExecStep } from "./cordon_exec_failure.ts";
export {
  type ExecPlan,
  type GuardPlan,
  LANDLOCK_ABI_KNOWN,
  type LandlockPlan,
  type RlimitName,
  type Rlimits,
  type RlimitValue,
} from "./exec_plan.ts";
export { type ExecSurroundings, policyExecPlan, policyRlimits } from "./policy_exec_plan.ts";
