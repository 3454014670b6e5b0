/** Runs Deno in a directory and gives back what it printed. */

/** Exit code, stdout and stderr without colours. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runDeno(args: readonly string[], cwd: URL | string): Promise<Finished> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

export const REPOSITORY = new URL("../../", import.meta.url);
