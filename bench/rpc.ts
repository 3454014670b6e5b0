/** Small calls, throughput, rows and bytes, beside a raw socket echo and the libraries of the field. */

import { decode, encode } from "@msgpack/msgpack";
import { median } from "./median.ts";
import { rows as makeRows } from "./rpc_plugin.ts";
import {
  type BenchApi,
  birpcSubject,
  capnwebSubject,
  comlinkSubject,
  connectedPeer,
  cordonSubject,
  rawSubject,
  sandboxSubject,
  type Subject,
} from "./rpc_subjects.ts";

const ROUNDS = 7;
const LATENCY_CALLS = 2_000;
const THROUGHPUT_CALLS = 30_000;
const MEMORY_CALLS = 1_000_000;
const MIB = 1024 * 1024;

/** Measure and print the RPC benchmark. */
export async function rpcBench(): Promise<void> {
  await using raw = await rawSubject();
  await using cordon = await cordonSubject();
  await using sandbox = await sandboxSubject();
  await using capnweb = await capnwebSubject();
  await using birpc = await birpcSubject();
  await using comlink = await comlinkSubject();
  const subjects = [raw, cordon, sandbox, capnweb, birpc, comlink];
  for (const subject of subjects) await latencies(subject, LATENCY_CALLS);
  await latencyTable(subjects);
  for (const inFlight of [64, 512]) await throughputTable(subjects.slice(1), inFlight);
  await rowsTable([cordon, sandbox]);
  await bytesTable([cordon, sandbox]);
  await memoryTable(cordon);
}

/** Rounds are interleaved, so that a busy moment of the machine hits everybody. */
async function latencyTable(subjects: readonly Subject[]): Promise<void> {
  const p50 = new Map<Subject, number[]>();
  const p99 = new Map<Subject, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const subject of subjects) {
      const sorted = (await latencies(subject, LATENCY_CALLS)).sort((a, b) => a - b);
      push(p50, subject, sorted[sorted.length >> 1]!);
      push(p99, subject, sorted[Math.floor(sorted.length * 0.99)]!);
    }
  }
  const base = subjects[0]!;
  print(
    "one small call at a time, medians of " + ROUNDS,
    subjects.map((subject) => {
      const half = median(p50.get(subject)!);
      const tail = median(p99.get(subject)!);
      return [
        subject.name,
        `p50 ${micro(half)}  ${ratio(half / median(p50.get(base)!))}`,
        `p99 ${micro(tail)}  ${ratio(tail / median(p99.get(base)!))}`,
      ];
    }),
  );
}

async function throughputTable(subjects: readonly Subject[], inFlight: number): Promise<void> {
  const rates = new Map<Subject, number[]>();
  for (let round = 0; round < 3; round++) {
    for (const subject of subjects) push(rates, subject, await throughput(subject, inFlight));
  }
  const best = median(rates.get(subjects[0]!)!);
  print(
    `small calls, ${inFlight} in flight`,
    subjects.map((subject) => {
      const rate = median(rates.get(subject)!);
      return [subject.name, `${Math.round(rate).toLocaleString("en")} calls/s`, ratio(rate / best)];
    }),
  );
}

/** The codec's own time is one encode and one decode of the result in this process. */
async function rowsTable(subjects: readonly (Subject & { readonly api: BenchApi })[]): Promise<void> {
  const table = makeRows(100);
  const codec = await perCall(1_000, () => Promise.resolve(decode(encode(table))));
  const lines = [["codec alone", micro(codec), ratio(1)]];
  for (const subject of subjects) {
    const small = await perCall(1_000, () => subject.call(1));
    const whole = await perCall(1_000, () => subject.api.rows(100));
    lines.push([
      `${subject.name}, beyond a small call`,
      micro(whole - small),
      ratio((whole - small) / codec),
    ]);
  }
  print("a result of 100 rows", lines);
}

async function bytesTable(subjects: readonly (Subject & { readonly api: BenchApi })[]): Promise<void> {
  const bytes = new Uint8Array(MIB).fill(7);
  const raw = await rawBandwidth(bytes, "keep");
  const reused = await rawBandwidth(bytes, "sink");
  const lines = [
    ["raw socket, every MiB in memory of its own", `${(1000 / raw).toFixed(0)} MiB/s`, ratio(1)],
    ["raw socket, one buffer over and over", `${(1000 / reused).toFixed(0)} MiB/s`, ratio(raw / reused)],
  ];
  for (const subject of subjects) {
    const ms = await perCall(100, () => subject.api.size(bytes));
    lines.push([subject.name, `${(1000 / ms).toFixed(0)} MiB/s`, ratio(raw / ms)]);
  }
  print("1 MiB of bytes as an argument", lines);
}

/** A MiB there and a byte back. */
async function rawBandwidth(bytes: Uint8Array, kind: "keep" | "sink"): Promise<number> {
  const connection = await connectedPeer(kind);
  const answer = new Uint8Array(1);
  const ms = await perCall(100, async () => {
    const answered = connection.read(answer);
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    await answered;
  });
  connection.close();
  return ms;
}

async function memoryTable(subject: Subject): Promise<void> {
  await throughput(subject, 512, MEMORY_CALLS / 10);
  const before = Deno.memoryUsage().rss;
  await throughput(subject, 512, MEMORY_CALLS);
  const after = Deno.memoryUsage().rss;
  print(`${MEMORY_CALLS.toLocaleString("en")} calls`, [
    [
      subject.name,
      `${(before / MIB).toFixed(0)} → ${(after / MIB).toFixed(0)} MiB resident`,
      ratio(after / before),
    ],
  ]);
}

async function latencies(subject: Subject, calls: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const start = performance.now();
    await subject.call(call);
    times.push(performance.now() - start);
  }
  return times;
}

async function throughput(subject: Subject, inFlight: number, calls = THROUGHPUT_CALLS): Promise<number> {
  const start = performance.now();
  let left = calls;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (left-- > 0) await subject.call(left);
  }));
  return calls / (performance.now() - start) * 1000;
}

async function perCall(calls: number, call: () => Promise<unknown>): Promise<number> {
  for (let index = 0; index < calls / 2; index++) await call();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let index = 0; index < calls; index++) await call();
    rounds.push((performance.now() - start) / calls);
  }
  return median(rounds);
}

function push(map: Map<Subject, number[]>, subject: Subject, value: number): void {
  const values = map.get(subject) ?? [];
  values.push(value);
  map.set(subject, values);
}

function micro(ms: number): string {
  return `${(ms * 1000).toFixed(1).padStart(7)} µs`;
}

function ratio(value: number): string {
  return `${value.toFixed(2).padStart(6)} ×`;
}

function print(title: string, rows: readonly (readonly string[])[]): void {
  // deno-lint-ignore no-console -- a benchmark prints
  console.log(
    [`\n${title}`, ...rows.map(([name, ...cells]) => `  ${name!.padEnd(44)} ${cells.join("   ")}`)].join(
      "\n",
    ),
  );
}
