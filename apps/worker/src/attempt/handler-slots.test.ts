import { expect, test } from 'vitest';
import { createHandlerSlots } from './handler-slots.ts';

function setUp() {
  const clock = { ms: 0 };
  const slots = createHandlerSlots({ slots: 2, ahead: true }, () => clock.ms);
  const runFor = (ms: number) =>
    slots.run(async () => {
      clock.ms += ms;
    });
  return { clock, slots, runFor };
}

test('no more handlers run at once than there are slots, and the next one follows', async () => {
  const { slots } = setUp();
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const ended = gates.map((gate, index) =>
    slots.run(() => {
      started.push(index);
      return gate.promise;
    }),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  gates[0]?.resolve();
  await ended[0];
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(ended);
});

test('jobs are taken ahead once handlers have proved to be quick, and no longer when they are slow', async () => {
  const { slots, runFor } = setUp();
  expect(slots.deliveriesAtOnce()).toBe(2);
  for (let job = 0; job < 200; job += 1) await runFor(0);
  expect(slots.deliveriesAtOnce()).toBe(10);
  for (let job = 0; job < 5; job += 1) await runFor(1_000);
  expect(slots.deliveriesAtOnce()).toBe(2);
});

test('a handler that has not ended yet is slow already', async () => {
  const { clock, slots, runFor } = setUp();
  for (let job = 0; job < 200; job += 1) await runFor(0);
  const gate = Promise.withResolvers<void>();
  const running = slots.run(() => gate.promise);
  await Promise.resolve();
  clock.ms += 1_000;
  expect(slots.deliveriesAtOnce()).toBe(2);
  gate.resolve();
  await running;
});
