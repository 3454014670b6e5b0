/**
 * The story of one host and its plugins: `deno task demo`.
 *
 * @module
 */

import { existsSync } from "node:fs";
import {
  createHost,
  type Host,
  type HostOptions,
  type LoadOptions,
  type Plugin,
  SandboxUnavailableError,
} from "../mod.ts";
import { Bystander } from "./demo/bystander.ts";
import { chapter, ms, paint, say, table } from "./demo/print.ts";
import type { Attempt } from "./hostile.ts";
import { repositoryPages, RepositorySite } from "./demo/repository_site.ts";

/** Which layer answers once Deno's permissions do not. */
const BEHIND: Readonly<Record<string, string>> = {
  "follow a link out of its directory": "bubblewrap: only what is granted exists",
  "learn the host's name": "bubblewrap: a name of its own",
  "see the host's network": "seccomp: no such sockets",
};

type Renderer = typeof import("./conflicting_versions/marked_4/main.ts");
type Loaded<T extends object> = { readonly plugin: Plugin<T>; readonly loadMs: number };

/** Exit code for "something that is needed is not available", as in sysexits.h. */
const EX_UNAVAILABLE = 69;

if (import.meta.main) Deno.exit(await story());

/** Tells the story, or says what is missing for it. Gives the exit code. */
export async function story(options: HostOptions = {}): Promise<number> {
  try {
    await demo(options);
    return 0;
  } catch (error) {
    if (!(error instanceof SandboxUnavailableError)) throw error;
    showMissing(error);
    return EX_UNAVAILABLE;
  }
}

/** Tells the story. Everything in it happens. */
export async function demo(options: HostOptions = {}): Promise<void> {
  const pages = await repositoryPages();
  const sites = { old: new RepositorySite(pages), young: new RepositorySite(pages) };
  await using host = await createHost({ ...options, services: sites });
  showMachine(host);
  await renderTwice(host, sites, pages);
  await wrapOnePage(host, sites.young);
  await refuse(host);
  await measure(host);
  say("");
  const deno = hasDeno() ? "deno" : "npx -y deno";
  say(`${paint("bold", "Your turn:")} ${deno} task cordon run examples/hello.ts -- you`);
  say(`           ${deno} task cordon explain examples/hostile.ts`);
  say(`           ${deno} task cordon init my_host`);
}

/** Whoever came by `npx` has none to type. */
function hasDeno(): boolean {
  const directories = (Deno.env.get("PATH") ?? "").split(":").filter((path) =>
    !path.includes("/node_modules/")
  );
  return directories.some((path) => existsSync(`${path}/deno`));
}

function showMachine(host: Host): void {
  chapter("1  This machine", "Before anything runs, Cordon finds out by trying what it can confine here.");
  for (const { level, summary } of host.platform.findings) {
    if (level === "skip") continue;
    const mark = level === "ok" ? paint("green", "✓") : paint("red", level === "warn" ? "!" : "✗");
    say(`${mark} ${summary}`);
  }
}

function showMissing({ findings }: SandboxUnavailableError): void {
  chapter(
    "The story ends here",
    "This machine cannot confine plugins yet, and Cordon runs none that it cannot confine. What is missing:",
  );
  for (const { summary, fix = [] } of findings) {
    say(`${paint("red", "✗")} ${summary}`);
    for (const line of fix) say(`    ${line}`);
  }
  say("");
  say("Then try again. The whole list, with the evidence: deno task cordon doctor");
}

async function renderTwice(
  host: Host,
  sites: { readonly old: RepositorySite; readonly young: RepositorySite },
  pages: ReadonlyMap<string, string>,
): Promise<void> {
  chapter(
    "2  Two plugins, one library in two versions",
    `Each was bundled with the npm package "marked" that it asks for, and sits in a sandbox of its own. They get the\n` +
      "Markdown of this repository through a service of the host, and hand the HTML back. Neither can open a file.",
  );
  const old = await load<Renderer>(host, "conflicting_versions/marked_4/main.ts", "marked-4", {
    services: ["old"],
  });
  const young = await load<Renderer>(host, "conflicting_versions/marked_15/main.ts", "marked-15", {
    services: ["young"],
  });
  for (const loaded of [old, young]) describe(loaded);
  const [before, after] = await Promise.all([render(old.plugin, "old"), render(young.plugin, "young")]);
  const rows = [...pages].map(([name, markdown]) => [
    name,
    `${(markdown.length / 1024).toFixed(1)} KiB`,
    ms(before.get(name) ?? NaN),
    ms(after.get(name) ?? NaN),
    difference(sites.old.published.get(name) ?? "", sites.young.published.get(name) ?? ""),
  ]);
  say("");
  table([["page", "Markdown", "marked 4", "marked 15", "the HTML"], ...rows]);
}

async function load<T extends object>(
  host: Host,
  path: string,
  name: string,
  options: LoadOptions = {},
): Promise<Loaded<T>> {
  const started = performance.now();
  const plugin = await host.load<T>(new URL(path, import.meta.url), { name, ...options });
  return { plugin, loadMs: performance.now() - started };
}

function describe<T extends object>({ plugin, loadMs }: Loaded<T>): void {
  const { tier, seccomp, landlockAbi, runAs, network } = plugin.policy;
  const layers = [
    "Deno permissions",
    ...(tier === "full" || tier === "namespaces" ? ["bubblewrap"] : []),
    ...(seccomp === null ? [] : ["seccomp"]),
    ...(landlockAbi > 0 ? ["Landlock"] : []),
  ];
  const pid = plugin.status.state === "running" ? `, process ${plugin.status.pid}` : "";
  say(`${paint("green", "●")} ${paint("bold", plugin.name)} ready in ${ms(loadMs)}${pid}`);
  say(`  behind ${layers.join(" + ")}; network: ${network.kind}; account: ${runAs?.uid ?? "yours"}`);
}

/** Milliseconds in the library for each page, as the plugin streams them. */
async function render(plugin: Plugin<Renderer>, site: string): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for await (const { name, renderMs } of plugin.api.renderSite(site)) times.set(name, renderMs);
  return times;
}

function difference(old: string, young: string): string {
  if (old === young) return "is the same";
  const ids = (html: string) => html.match(/<h\d id=/g)?.length ?? 0;
  return `differs: ${ids(old)} headings with an id, then ${ids(young)}`;
}

async function wrapOnePage(host: Host, site: RepositorySite): Promise<void> {
  chapter(
    "3  A third plugin puts a page around it",
    "TypeScript and JSX, with Preact from npm: bundled on the fly.",
  );
  const page = await load<typeof import("./demo/page/main.tsx")>(host, "demo/page/main.tsx", "page");
  describe(page);
  const html = await page.plugin.api.page("Cordon", site.published.get("README.md") ?? "");
  say("");
  say(`${paint("dim", html.slice(0, 96))}… ${html.length} characters`);
}

async function refuse(host: Host): Promise<void> {
  chapter(
    "4  A hostile plugin",
    "It goes for a real file, port and variable of this host, and for whatever else it can think of.",
  );
  await using bystander = await Bystander.create();
  const hostile = await load<typeof import("./hostile.ts")>(host, "hostile.ts", "hostile");
  describe(hostile);
  say("");
  const attempts = await hostile.plugin.api.attack(bystander.targets);
  showAttempts(attempts);
  say("");
  say(
    "Those were Deno's answers. Now it is granted a directory and two facts about the system, and others answer:",
  );
  say("");
  const favoured = await load<typeof import("./hostile.ts")>(host, "hostile.ts", "hostile-favoured", {
    permissions: { read: [bystander.granted], sys: ["hostname", "networkInterfaces"] },
  });
  const narrow = await favoured.plugin.api.attackBehindPermissions(bystander.narrowTargets);
  table([
    ["it tried to", "who answered", "what"],
    ...narrow.map(({ goal, succeeded, answer }) => [goal, BEHIND[goal] ?? "", verdict(succeeded, answer)]),
  ]);
  const damage = await bystander.damage();
  const went = [...attempts, ...narrow].filter(({ succeeded }) => succeeded).length;
  say("");
  say(`${attempts.length + narrow.length} attempts, ${went} went through.`);
  say(`Checked on the host: ${damage.join(", ") || "nothing was touched"}.`);
  if (went > 0 || damage.length > 0) throw new Error("Cannot end this story well as an attack went through");
}

function showAttempts(attempts: readonly Attempt[]): void {
  table([
    ["it tried to", "with", "and was answered"],
    ...attempts.map(({ goal, how, succeeded, answer }) => [goal, how, verdict(succeeded, answer)]),
  ]);
}

function verdict(succeeded: boolean, answer: string): string {
  const short = answer.length > 84 ? `${answer.slice(0, 83)}…` : answer;
  return succeeded ? paint("red", `IT WORKED: ${short}`) : `${paint("green", "✗")} ${short}`;
}

async function measure(host: Host): Promise<void> {
  chapter("5  How fast", "Loaded again, nothing has to be bundled: what remains is a process and its walls.");
  const { plugin, loadMs } = await load<typeof import("./hello.ts")>(host, "hello.ts", "hello");
  await plugin.stop();
  const again = await load<typeof import("./hello.ts")>(host, "hello.ts", "hello");
  const calls = 2_000, times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const started = performance.now();
    await again.plugin.api.greet("you");
    times.push(performance.now() - started);
  }
  const started = performance.now();
  await Promise.all(Array.from({ length: calls }, () => again.plugin.api.greet("you")));
  const perSecond = calls / (performance.now() - started) * 1_000;
  const median = times.sort((a, b) => a - b)[calls / 2] ?? NaN;
  say(`load: ${ms(loadMs)} the first time, ${ms(again.loadMs)} again`);
  say(
    `call: ${(median * 1_000).toFixed(0)} µs there and back (median of ${calls}), ${
      perSecond.toFixed(0)
    } calls/s at once`,
  );
}
