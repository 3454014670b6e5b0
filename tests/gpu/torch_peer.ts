/** A PyTorch process that exports and imports memory of the GPU by the driver's handles. */

const SCRIPT = decodeURIComponent(new URL("torch_peer.py", import.meta.url).pathname);

/** Variables of the process; those of this one besides. */
export type TorchEnvironment = Readonly<Record<string, string>>;

/** Whether there is a PyTorch that sees a GPU. */
export function hasTorch(env: TorchEnvironment = {}): boolean {
  try {
    const check = "import torch, sys; sys.exit(0 if torch.cuda.is_available() else 1)";
    return new Deno.Command("python3", { args: ["-c", check], stderr: "null", env }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The process; one question is answered at a time, as lines of JSON. */
export class TorchPeer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest = "";

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#writer = process.stdin.getWriter();
  }

  static async start(env: TorchEnvironment = {}): Promise<TorchPeer> {
    const process = new Deno.Command("python3", {
      args: ["-u", SCRIPT],
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const peer = new TorchPeer(process);
    await peer.#line();
    return peer;
  }

  async ask<T>(question: object): Promise<T> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
    return JSON.parse(await this.#line()) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.cancel();
    await this.#process.status;
  }

  async #line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("The PyTorch process ended");
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }
}
