/**
 * Where the runtime inside a sandbox listens for debuggers.
 *
 * @module
 */

/** In the sandbox's own network, which nothing else is in. */
export const INSPECTOR_ADDRESS = "127.0.0.1:9229";
