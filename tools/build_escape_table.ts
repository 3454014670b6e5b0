/**
 * Writes the results of the escape suite into docs/security-model.md.
 *
 * @module
 */

import { withEscapeTables } from "../tests/escape/results.ts";

const DOCUMENT = new URL("../docs/security-model.md", import.meta.url);

await Deno.writeTextFile(DOCUMENT, withEscapeTables(await Deno.readTextFile(DOCUMENT)));
