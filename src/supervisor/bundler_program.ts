/**
 * Where the bundler's native program lies.
 *
 * @module
 */

export { esbuildProgram as bundlerProgram } from "../bundle/esbuild_service.ts";
