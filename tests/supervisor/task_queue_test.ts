import assert from "node:assert/strict";
import fc from "fast-check";
import { TaskQueue } from "../../src/supervisor/task_queue.ts";

Deno.test("TaskQueue takes higher priorities first and equals in their order", () => {
  const queue = new TaskQueue<string>();
  for (const [item, priority] of [["a", 0], ["b", 5], ["c", 0], ["d", 5], ["e", -1]] as const) {
    queue.push(item, priority);
  }
  assert.deepEqual(Array.from({ length: 6 }, () => queue.shift()), ["b", "d", "a", "c", "e", undefined]);
});

Deno.test("TaskQueue drops the oldest of the least urgent", () => {
  const queue = new TaskQueue<string>();
  for (const [item, priority] of [["a", 1], ["b", 0], ["c", 0]] as const) queue.push(item, priority);
  assert.deepEqual([queue.dropOldest(), queue.dropOldest(), queue.dropOldest(), queue.dropOldest()], [
    "b",
    "c",
    "a",
    undefined,
  ]);
});

Deno.test("TaskQueue behaves like a stable sort, whatever is done with it", () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), priority: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ kind: fc.constant("shift" as const) }),
    fc.record({ kind: fc.constant("drop" as const) }),
    fc.record({ kind: fc.constant("remove" as const), id: fc.nat(30) }),
  );
  fc.assert(fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
    const queue = new TaskQueue<number>();
    let model: { readonly id: number; readonly priority: number }[] = [];
    operations.forEach((step, id) => {
      if (step.kind === "push") {
        queue.push(id, step.priority);
        model = [...model, { id, priority: step.priority }].sort((a, b) =>
          b.priority - a.priority || a.id - b.id
        );
      } else if (step.kind === "shift") {
        assert.equal(queue.shift(), model.shift()?.id);
      } else if (step.kind === "drop") {
        const lowest = model.at(-1)?.priority;
        const oldest = model.find((one) => one.priority === lowest);
        assert.equal(queue.dropOldest(), oldest?.id);
        model = model.filter((one) => one !== oldest);
      } else {
        assert.equal(queue.remove(step.id), model.some((one) => one.id === step.id));
        model = model.filter((one) => one.id !== step.id);
      }
      assert.equal(queue.size, model.length);
    });
  }));
});
