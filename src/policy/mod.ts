/**
 * What a plugin may do and what enforces it, as plain data that every layer is compiled from.
 *
 * @module
 */

export { type Access, accessObstacle, type Obstacle } from "./account_access.ts";
export { forbiddenPathRule, isAtOrBelow } from "./forbidden_paths.ts";
export { type GrantContext, resolveGrants } from "./resolve_grants.ts";
export { type PolicyContext, sandboxPolicy } from "./sandbox_policy.ts";
export { sandboxTier } from "./sandbox_tier.ts";
export type {
  Account,
  DenoPermissions,
  LimitEnforcement,
  LimitName,
  Mount,
  SandboxPolicy,
  SeccompProfile,
  Tier,
} from "./types.ts";
