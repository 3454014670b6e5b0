/** Small calls, throughput, rows and bytes, beside a raw socket echo and the libraries of the field. */

import { decode, encode } from "@msgpack/msgpack";
import { FrameReader } from "../src/rpc/frame_reader.ts";
import { DEFAULT_RPC_LIMITS, RpcSession, TypeRegistry } from "../src/rpc/mod.ts";
import { ReferenceTable } from "../src/rpc/references.ts";
import { SignalTable } from "../src/rpc/signal_table.ts";
import type { StreamTable } from "../src/rpc/stream_table.ts";
import { ValueWriter } from "../src/rpc/value_writer.ts";
import { memoryTransportPair } from "../src/transport/mod.ts";
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
  await memoryTable([cordon, sandbox]);
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
    for (const subject of subjects) push(rates, subject, await throughput(subject.call, inFlight));
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

/**
 * The codec's own time is one encode and one decode of the result in this process, without a session: by the npm
 * package, which checks nothing, and by Cordon's own writer and reader with their checks. One at a time, small calls
 * are taken off, so that what is left is what the rows cost: encoding, the way through the socket, decoding, and a
 * longer sleep on both sides. Many at once nobody sleeps, and nothing is taken off.
 */
async function rowsTable(subjects: readonly (Subject & { readonly api: BenchApi })[]): Promise<void> {
  const table = makeRows(100);
  const own = ownCodec();
  const times = await interleaved(300, {
    npm: () => Promise.resolve(decode(encode(table))),
    own: () => Promise.resolve(own(table)),
    ...Object.fromEntries(subjects.flatMap((subject) => [
      [`small ${subject.name}`, () => subject.call(1)],
      [`rows ${subject.name}`, () => subject.api.rows(100)],
    ])),
  });
  const codec = times.npm!.median;
  const lines = [
    ["@msgpack/msgpack alone, encode + decode", micro(codec), ratio(1)],
    ["Cordon's codec alone, with its checks", micro(times.own!.median), ratio(times.own!.median / codec)],
  ];
  for (const { name } of subjects) {
    const rows = times[`rows ${name}`]!.median - times[`small ${name}`]!.median;
    lines.push([`${name}, beyond a small call`, micro(rows), ratio(rows / codec)]);
  }
  for (const { name, api } of subjects) {
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rates.push(await throughput(() => api.rows(100), 64, 4_000));
    const each = 1000 / median(rates);
    lines.push([`${name}, 64 at once, each`, micro(each), ratio(each / codec)]);
  }
  print("a result of 100 rows", lines);
}

/** What a session does with a message, without a session. */
function ownCodec(): (value: unknown) => unknown {
  const session = new RpcSession(memoryTransportPair()[0], { role: "host", token: "bench" });
  const references = new ReferenceTable({
    callReference: () => Promise.reject(new TypeError("Cannot call: there is no session")),
    releaseReference: () => {},
  }, 1);
  const streams = undefined as unknown as StreamTable;
  const signals = new SignalTable(() => {}, 1);
  const writer = new ValueWriter({
    session,
    references,
    streams,
    signals,
    types: new TypeRegistry(),
    sendStacks: true,
    bytesInFlight: () => 0,
  });
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  return (value) => reader.read(writer.write([6, 1, value], "$", DEFAULT_RPC_LIMITS));
}

async function bytesTable(subjects: readonly (Subject & { readonly api: BenchApi })[]): Promise<void> {
  const bytes = new Uint8Array(MIB).fill(7);
  using keep = await rawBytes(bytes, "keep");
  using sink = await rawBytes(bytes, "sink");
  const times = await interleaved(60, {
    keep: keep.send,
    sink: sink.send,
    ...Object.fromEntries(subjects.map((subject) => [subject.name, () => subject.api.size(bytes)])),
  });
  const line = (name: string, { median, mean }: CallTimes) => [
    name,
    `median ${(1000 / median).toFixed(0).padStart(5)} MiB/s ${ratio(times.keep!.median / median)}`,
    `mean ${(1000 / mean).toFixed(0).padStart(5)} MiB/s ${ratio(times.keep!.mean / mean)}`,
  ];
  print("1 MiB of bytes as an argument, through a frame", [
    line("raw socket, every MiB in memory of its own", times.keep!),
    line("raw socket, one buffer over and over", times.sink!),
    ...subjects.map(({ name }) => line(name, times[name]!)),
  ]);
}

/** A MiB there and a byte back. */
async function rawBytes(
  bytes: Uint8Array,
  kind: "keep" | "sink",
): Promise<Disposable & { send(): Promise<void> }> {
  const connection = await connectedPeer(kind);
  const answer = new Uint8Array(1);
  return {
    async send() {
      const answered = connection.read(answer);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      await answered;
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

/** What is touched of the memory of both processes, before and after a million calls. */
async function memoryTable(subjects: readonly Subject[]): Promise<void> {
  const lines: string[][] = [];
  for (const subject of subjects) {
    await throughput(subject.call, 512, MEMORY_CALLS / 10);
    const before = residentMemory(subject);
    await throughput(subject.call, 512, MEMORY_CALLS);
    const after = residentMemory(subject);
    for (const [side, index] of [["caller", 0], ["callee", 1]] as const) {
      const [from, to] = [before[index], after[index]];
      lines.push([
        `${subject.name}, ${side}`,
        `${from.toFixed(0)} → ${to.toFixed(0)} MiB resident`,
        ratio(to / from),
      ]);
    }
  }
  print(`${MEMORY_CALLS.toLocaleString("en")} calls`, lines);
}

function residentMemory({ pid }: Subject): readonly [caller: number, callee: number] {
  return [Deno.pid, pid!].map((process) => {
    const status = Deno.readTextFileSync(`/proc/${process}/status`);
    return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]) / 1024;
  }) as [number, number];
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

/** Calls a second. */
async function throughput(
  call: (value: number) => Promise<unknown>,
  inFlight: number,
  calls = THROUGHPUT_CALLS,
): Promise<number> {
  const start = performance.now();
  let left = calls;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (left-- > 0) await call(left);
  }));
  return calls / (performance.now() - start) * 1000;
}

/** Milliseconds a call. The mean has what the collector and fresh memory cost now and then, the median does not. */
interface CallTimes {
  readonly median: number;
  readonly mean: number;
}

/** Everybody has a turn in each round: a busy moment hits them all. */
async function interleaved(
  calls: number,
  subjects: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Record<string, CallTimes>> {
  const times: Record<string, number[]> = {};
  const means: Record<string, number[]> = {};
  for (let round = 0; round < 2 * ROUNDS; round++) {
    for (const [name, call] of Object.entries(subjects)) {
      const taken: number[] = [];
      for (let index = 0; index < calls; index++) {
        const start = performance.now();
        await call();
        taken.push(performance.now() - start);
      }
      // The first rounds warm up.
      if (round < 2) continue;
      (times[name] ??= []).push(...taken);
      (means[name] ??= []).push(taken.reduce((sum, ms) => sum + ms, 0) / calls);
    }
  }
  const names = Object.keys(subjects);
  return Object.fromEntries(
    names.map((name) => [name, { median: median(times[name]!), mean: median(means[name]!) }]),
  );
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
