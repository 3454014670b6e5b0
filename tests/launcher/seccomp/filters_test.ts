import assert from "node:assert/strict";
import { SandboxUnavailableError } from "../../../src/errors.ts";
import { syscallAbi } from "../../../src/launcher/seccomp/architecture.ts";
import { filterRules } from "../../../src/launcher/seccomp/filters.ts";
import { bwrapFilter, describeFilter, guestFilter } from "../../../src/launcher/seccomp/mod.ts";
import { GENERIC_ARGUMENTS } from "./cases.ts";
import { verdict } from "./interpreter.ts";
import { columns, FOREIGN_ARCHITECTURES, PROFILES, snapshot, snapshotFile } from "./snapshot.ts";

const ARCHITECTURES = ["x86_64", "aarch64"] as const;

/** Refused whatever the arguments, whatever the policy, from the first instruction on. */
const NEVER =
  ("execveat fork vfork ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal " +
    "kcmp kill tkill rt_sigqueueinfo rt_tgsigqueueinfo unshare setns mount umount2 pivot_root chroot open_tree move_mount " +
    "fsopen fsconfig fsmount fspick mount_setattr bpf perf_event_open io_uring_setup io_uring_enter io_uring_register " +
    "userfaultfd add_key request_key keyctl init_module finit_module delete_module kexec_load kexec_file_load reboot " +
    "syslog personality modify_ldt iopl ioperm name_to_handle_at open_by_handle_at fanotify_init shmget shmat semget msgget " +
    "mq_open memfd_secret mknod mknodat swapon swapoff quotactl acct settimeofday clock_settime adjtimex clock_adjtime " +
    "sethostname setdomainname setuid setgid setresuid setresgid setgroups capset setrlimit vhangup process_madvise " +
    "process_mrelease migrate_pages move_pages vmsplice clone3 openat2 lookup_dcookie uselib ustat sysfs nfsservctl " +
    "setsid setpgid ioprio_set sched_setscheduler sched_setattr").split(" ");

/** What the second filter takes away on top, unless the policy grants it. */
const NEVER_IN_GUEST =
  "execve socket connect bind listen accept accept4 setsockopt seccomp landlock_create_ruleset " +
  "landlock_add_rule landlock_restrict_self arch_prctl mlock mbind sched_setaffinity";

for (const architecture of ARCHITECTURES) {
  Deno.test(`filters on ${architecture} say what the reviewed list says about every call`, async () => {
    assert.equal(snapshot(architecture), await Deno.readTextFile(snapshotFile(architecture)));
  });

  Deno.test(`filters on ${architecture} that allow one call more differ from the reviewed list`, async () => {
    const reviewed = await Deno.readTextFile(snapshotFile(architecture));
    for (const index of columns(architecture).keys()) {
      const mutated = columns(architecture).map((column, i) =>
        i === index ? { ...column, filter: withOneRefusalTurnedIntoAllow(column.filter) } : column
      );
      assert.notEqual(snapshot(architecture, mutated), reviewed);
    }
  });

  Deno.test(`filters on ${architecture} refuse what no plugin may ever call, whatever the arguments`, () => {
    const { numbers, auditArch } = syscallAbi(architecture);
    for (const { title, filter } of columns(architecture)) {
      for (const name of NEVER.filter((name) => name in numbers)) {
        for (const args of GENERIC_ARGUMENTS) {
          const answer = verdict(filter, { number: numbers[name]!, auditArch, args });
          assert.ok(answer === "EPERM" || answer === "ENOSYS", `${title}: ${name} gets ${answer}`);
        }
      }
    }
  });

  Deno.test(`guestFilter() on ${architecture} takes away what only the start needed`, () => {
    const { numbers, auditArch } = syscallAbi(architecture);
    const none = guestFilter(PROFILES.none!, architecture);
    const names = NEVER_IN_GUEST.split(" ").filter((name) => name in numbers);
    assert.ok(names.length > 10);
    for (const name of names) {
      for (const args of GENERIC_ARGUMENTS) {
        assert.notEqual(verdict(none, { number: numbers[name]!, auditArch, args }), "allow", name);
      }
    }
  });

  Deno.test(`filters on ${architecture} kill another architecture's calls, whatever their number`, () => {
    const { numbers } = syscallAbi(architecture);
    for (const { filter } of columns(architecture)) {
      for (const auditArch of FOREIGN_ARCHITECTURES[architecture]) {
        for (const number of [...Object.values(numbers), 1000, 0x40000000, 0xffffffff]) {
          assert.equal(verdict(filter, { number, auditArch }), "kill");
        }
      }
    }
  });

  Deno.test(`guestFilter() on ${architecture} never allows what the first filter refuses`, () => {
    const { numbers, auditArch } = syscallAbi(architecture);
    for (const profile of Object.values(PROFILES)) {
      const first = bwrapFilter(profile, architecture);
      const second = guestFilter(profile, architecture);
      for (const [name, number] of Object.entries(numbers)) {
        for (const args of GENERIC_ARGUMENTS) {
          const event = { number, auditArch, args };
          if (verdict(second, event) === "allow") assert.equal(verdict(first, event), "allow", name);
        }
      }
    }
  });

  Deno.test(`filters on ${architecture} answer "no such call" to numbers that they do not know`, () => {
    const { numbers, auditArch } = syscallAbi(architecture);
    const known = new Set(Object.values(numbers));
    for (const { filter } of columns(architecture)) {
      for (let number = 0; number < 2048; number++) {
        if (!known.has(number)) {
          assert.equal(verdict(filter, { number, auditArch }), "ENOSYS", String(number));
        }
      }
    }
  });
}

Deno.test("filters on x86_64 kill calls of the x32 ABI", () => {
  const { numbers, auditArch } = syscallAbi("x86_64");
  for (const { filter } of columns("x86_64")) {
    for (const number of Object.values(numbers)) {
      assert.equal(verdict(filter, { number: 0x40000000 + number, auditArch }), "kill");
    }
    assert.equal(verdict(filter, { number: 0x3fffffff, auditArch }), "ENOSYS");
  }
});

Deno.test("bwrapFilter() and guestFilter() refuse an architecture that they do not know", () => {
  for (const build of [bwrapFilter, guestFilter]) {
    for (const architecture of ["riscv64", "", "constructor", "__proto__"]) {
      assert.throws(
        () => build(PROFILES.none!, architecture),
        (error: unknown) =>
          error instanceof SandboxUnavailableError && error.findings[0]?.id === "seccomp-architecture" &&
          error.message.includes(`"${architecture}"`),
      );
    }
  }
});

Deno.test("filterRules() names only calls that some architecture has", () => {
  const known = new Set(
    ARCHITECTURES.flatMap((architecture) => Object.keys(syscallAbi(architecture).numbers)),
  );
  for (const stage of ["bwrap", "guest"] as const) {
    for (const profile of Object.values(PROFILES)) {
      const unknown = [...filterRules(stage, profile).keys()].filter((name) => !known.has(name));
      assert.deepEqual(unknown, []);
    }
  }
  const misspelt = NEVER.concat(NEVER_IN_GUEST.split(" ")).filter((name) => !known.has(name));
  assert.deepEqual(misspelt, []);
});

Deno.test("syscallAbi() gives every call a number of its own", () => {
  for (const architecture of ARCHITECTURES) {
    const numbers = Object.values(syscallAbi(architecture).numbers);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.ok(numbers.length > 300);
  }
});

Deno.test("describeFilter() agrees with the filter that it describes", () => {
  for (const architecture of ARCHITECTURES) {
    const { numbers, auditArch } = syscallAbi(architecture);
    for (const [name, profile] of Object.entries(PROFILES)) {
      const filter = guestFilter(profile, architecture);
      for (const call of describeFilter("guest", profile, architecture)) {
        if (call.verdict === "checked") continue;
        assert.equal(
          verdict(filter, { number: numbers[call.name]!, auditArch }),
          call.verdict,
          `${name} ${call.name}`,
        );
      }
    }
  }
});

/** Makes the first "return EPERM" of the search allow, as a wrong table entry would. */
function withOneRefusalTurnedIntoAllow(filter: Uint8Array): Uint8Array {
  const copy = filter.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at < copy.byteLength; at += 8) {
    const isRefusal = view.getUint16(at, true) === 0x06 && view.getUint32(at + 4, true) === 0x00050001;
    if (!isRefusal) continue;
    view.setUint32(at + 4, 0x7fff0000, true);
    return copy;
  }
  throw new Error("the filter refuses nothing");
}
