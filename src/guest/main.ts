/**
 * Entry point of every sandbox. Exports nothing: a plugin can import this module again and must gain nothing by it.
 *
 * @module
 */

import { startGuest } from "./start_guest.ts";

// A failure is an unhandled rejection: the runtime prints it and ends with 1, which is what the host reports.
startGuest();
