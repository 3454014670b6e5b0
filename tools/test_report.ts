/**
 * Counts tests from what `deno test` leaves behind: its JUnit report and its output.
 *
 * @module
 */

/** A test that was not run. */
export interface SkippedTest {
  readonly name: string;
  /** From the test's name, `… [skipped: reason]`, or empty. */
  readonly reason: string;
}

/** What one run of `deno test` did. */
export interface TestReport {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly SkippedTest[];
}

/**
 * Count one run.
 *
 * @param junit Text of the JUnit report; empty if the run ended before it wrote one.
 * @param output Everything the run printed, for failures that no report contains.
 * @param exitCode Its exit code.
 * @param label Name of the run, for failures without a test.
 * @returns The counts. A run that failed always has at least one failure.
 */
export function testReport(junit: string, output: string, exitCode: number, label: string): TestReport {
  let passed = 0;
  const failed: string[] = [];
  const skipped: SkippedTest[] = [];
  for (
    const [, attributes = "", body = ""] of junit.matchAll(
      /<testcase ([^>]*[^/>])(?:\/>|>(.*?)<\/testcase>)/gs,
    )
  ) {
    const name = unescaped(/(?:^|\s)name="([^"]*)"/.exec(attributes)?.[1] ?? "");
    if (/<skipped\b/.test(body)) skipped.push(skippedTest(name));
    else if (/<(failure|error)\b/.test(body)) failed.push(name);
    else passed++;
  }
  if (exitCode !== 0) failed.push(...uncaught(output));
  if (exitCode !== 0 && failed.length === 0) {
    failed.push(`${label} ended with ${exitCode} before it had finished`);
  }
  return { passed, failed, skipped };
}

/**
 * Write the line that ends every test run.
 *
 * @param report The counts of all runs together.
 * @returns `N passed, N failed`, and `, N skipped` when there are any.
 */
export function summaryLine({ passed, failed, skipped }: TestReport): string {
  const rest = skipped.length === 0 ? "" : `, ${skipped.length} skipped`;
  return `${passed} passed, ${failed.length} failed${rest}`;
}

/**
 * Add several reports up.
 *
 * @param reports One for each run.
 * @returns Their sum.
 */
export function combinedReport(reports: readonly TestReport[]): TestReport {
  return {
    passed: reports.reduce((sum, { passed }) => sum + passed, 0),
    failed: reports.flatMap(({ failed }) => failed),
    skipped: reports.flatMap(({ skipped }) => skipped),
  };
}

/** An error outside of any test takes its whole file down and is in no report. */
function uncaught(output: string): readonly string[] {
  // deno-lint-ignore no-control-regex -- the escape character is what colours begin with
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, "");
  return Array.from(
    plain.matchAll(/^Uncaught error from (.+?) FAILED$/gm),
    ([, file]) => `${file} (uncaught error)`,
  );
}

function skippedTest(name: string): SkippedTest {
  const match = /^(.*?)\s*\[skipped: (.*)\]$/s.exec(name);
  return { name: match?.[1] ?? name, reason: match?.[2] ?? "" };
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(
    /&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi,
    (whole, decimal, hexadecimal, entity) =>
      decimal !== undefined
        ? String.fromCodePoint(Number(decimal))
        : hexadecimal !== undefined
        ? String.fromCodePoint(parseInt(hexadecimal, 16))
        : entities[entity] ?? whole,
  );
}
