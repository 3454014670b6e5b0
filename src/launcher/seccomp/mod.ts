/**
 * System call filters: default-deny, per architecture, built without any library.
 *
 * @module
 */

export { type Architecture } from "./architecture.ts";
export { CompiledFilters } from "./compiled_filters.ts";
export { describeFilter, type SyscallVerdict } from "./describe_filter.ts";
export { bwrapFilter, type FilterStage, guestFilter } from "./filters.ts";
