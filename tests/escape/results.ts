/**
 * The reviewed lists as tables for people. The tests of this directory hold the lists to what is measured.
 *
 * @module
 */

import { LAYER_CLAIMS } from "./native_layers.ts";
import { techniquesOf, type Threat, THREATS } from "./threat_list.ts";
import { NATIVE_EXCEPTIONS, NATIVE_TECHNIQUES } from "./native_techniques.ts";
import { SCRIPT_EXCEPTIONS, SCRIPT_TECHNIQUES } from "./script_techniques.ts";

/** Markers of the part of the document that is generated. */
export const MARKERS = { begin: "<!-- escape suite: begin -->", end: "<!-- escape suite: end -->" } as const;

/** The tables are wide; aligning their columns would make every change a change of every line. */
const IGNORE = ["<!-- deno-fmt-ignore-start -->", "<!-- deno-fmt-ignore-end -->"] as const;

/**
 * All results of the escape suite.
 *
 * @returns Markdown, without headings above level 3.
 */
export function escapeTables(): string {
  return [
    `Numbers are those of the threat list. "works" in the first column of results is the positive control; there, an errno means that the`,
    "kernel let the call in and then refused its deliberately broken arguments. Everywhere else an errno or the name of an error is what",
    "stopped the attempt.",
    "",
    `### Native code: ${NATIVE_TECHNIQUES.length} techniques`,
    "",
    "A static program takes the place of the runtime, behind the filters that plugin code is behind.",
    "",
    ...table(
      ["technique", "without any layer", "tiers `full` and `namespaces`", "tier `landlock`"],
      NATIVE_TECHNIQUES.map((technique) => [
        technique.name,
        technique.control + (technique.needs === "nothing" ? "" : ` (needs ${technique.needs})`),
        technique.namespaces,
        technique.landlock,
      ]),
    ),
    "",
    ...exceptions(Object.entries(NATIVE_EXCEPTIONS)),
    "",
    "### Native code behind one layer at a time",
    "",
    "A dot is none of that layer's business: that is why there are three.",
    "",
    ...table(
      ["technique", "bubblewrap alone", "Landlock alone", "filters alone"],
      LAYER_CLAIMS.map(({ name, stopped }) => [
        name,
        ...(["bubblewrap", "landlock", "filters"] as const).map((layer) => stopped[layer] ?? "."),
      ]),
    ),
    "",
    `### Scripts: ${SCRIPT_TECHNIQUES.length} attacks`,
    "",
    `"Kernel only" means that Deno's permissions are switched off inside.`,
    "",
    ...table(
      [
        "attack",
        "without any layer",
        "`full` and `namespaces`",
        "the same, kernel only",
        "`permissions-only`",
        "`landlock`",
        "`landlock`, kernel only",
      ],
      SCRIPT_TECHNIQUES.map((technique) => Object.values(technique)),
    ),
    "",
    ...exceptions(Object.entries(SCRIPT_EXCEPTIONS)),
    "",
    `### All ${THREATS.length} numbers`,
    "",
    "How many techniques of the tables above carry a number, and which tests try it besides.",
    "",
    ...table(["number", "threat", "native", "scripts", "other tests"], THREATS.map(threatRow)),
  ].join("\n");
}

/**
 * Replaces the generated part of a document.
 *
 * @param document The document, with both markers.
 * @returns The document with today's tables.
 * @throws {Error} If a marker is missing.
 */
export function withEscapeTables(document: string): string {
  const begin = document.indexOf(MARKERS.begin);
  const end = document.indexOf(MARKERS.end);
  if (begin < 0 || end < begin) {
    throw new Error("Cannot find where the tables belong as the markers are missing");
  }
  return `${document.slice(0, begin)}${MARKERS.begin}\n${IGNORE[0]}\n\n${escapeTables()}\n\n${IGNORE[1]}\n${
    document.slice(end)
  }`;
}

function threatRow({ number, threat, proofs }: Threat): readonly string[] {
  const { native, script } = techniquesOf(number);
  const files = [...new Set(proofs.map(([file]) => `\`tests/${file}\``))];
  return [
    String(number),
    threat,
    ...[native, script].map((count) => count === 0 ? "." : String(count)),
    files.join(", "),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function exceptions(
  columns: readonly (readonly [string, Readonly<Record<string, string>>])[],
): readonly string[] {
  const lines = columns.flatMap(([column, reasons]) =>
    Object.entries(reasons).map(([name, reason]) => `- ${TITLES[column] ?? column}: "${name}": ${reason}.`)
  );
  return ["What still works, and why:", "", ...lines];
}

const TITLES: Readonly<Record<string, string>> = {
  namespacesOpen: "`namespaces`, kernel only",
  permissionsOnly: "`permissions-only`",
  landlock: "`landlock`",
  landlockOpen: "`landlock`, kernel only",
};
