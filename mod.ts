/**
 * Cordon runs code that nobody fully trusts, each plugin in its own sandboxed process, callable like a local object.
 *
 * @module
 */

export * from "./src/errors.ts";
