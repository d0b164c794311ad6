import { expect, test } from 'vitest';
import { createHandlerSlots, type HandlerSlots } from './handler-slots.ts';
import { createHandlerTimes } from './handler-times.ts';

const JOB = { tenantId: 'a', type: 'test' };
const PATIENT = { maxWaitMs: { quick: 60_000, slow: 60_000 } };
const never = new AbortController().signal;

function setUp() {
  const clock = { ms: 0 };
  const slots = createHandlerSlots({
    slots: 2,
    times: createHandlerTimes({ slots: 2, now: () => clock.ms }),
  });
  const runFor = (ms: number) =>
    slots.run(
      JOB,
      async () => {
        clock.ms += ms;
      },
      never,
    );
  return { clock, slots, runFor };
}

/** Takes both slots until `end` is called. */
function occupy({ slots }: ReturnType<typeof setUp>) {
  const gate = Promise.withResolvers<void>();
  const running = [1, 2].map(() => slots.run(JOB, () => gate.promise, never));
  return {
    async end() {
      gate.resolve();
      await Promise.all(running);
    },
  };
}

test('no more handlers run at once than there are slots, and the next one follows', async () => {
  const { slots } = setUp();
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const ended = gates.map((gate, index) =>
    slots.run(
      JOB,
      () => {
        started.push(index);
        return gate.promise;
      },
      never,
    ),
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

test('a slot is free again after a handler that failed', async () => {
  const { slots } = setUp();
  const failing = () => slots.run(JOB, () => Promise.reject(new Error('no')), never).catch(() => 'failed');
  expect(await Promise.all([failing(), failing(), failing(), failing()])).toEqual(Array(4).fill('failed'));
});

test('a job that waits for a slot gives up when it is aborted, and its handler never runs', async () => {
  const rig = setUp();
  const occupied = occupy(rig);
  const abort = new AbortController();
  const waiting = rig.slots.run(JOB, () => Promise.reject(new Error('must not run')), abort.signal);
  abort.abort();
  expect(await waiting).toBeUndefined();
  expect(
    await rig.slots.run(JOB, () => Promise.reject(new Error('must not run')), abort.signal),
  ).toBeUndefined();
  await occupied.end();
  expect(await rig.slots.run(JOB, async () => 'runs', never)).toBe('runs');
});

test('a job that was came with slow ones gives up soon', async () => {
  const rig = setUp();
  const occupied = occupy(rig);
  const startedMs = performance.now();
  expect(await rig.slots.run(JOB, () => Promise.reject(new Error('must not run')), never)).toBeUndefined();
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  await occupied.end();
});

test('whoever waits for a turnover waits until a handler ends, and not at all while a slot is free', async () => {
  const rig = setUp();
  await rig.slots.turnover();
  const occupied = occupy(rig);
  let turned = false;
  const turnover = rig.slots.turnover().then(() => {
    turned = true;
  });
  await Promise.resolve();
  expect(turned).toBe(false);
  await occupied.end();
  await turnover;
});

/** Starts handlers of tenants, which run until they are ended; tells which have begun. */
function startHandlers(slots: HandlerSlots, tenantIds: string[]) {
  const begun: string[] = [];
  const gates = tenantIds.map(() => Promise.withResolvers<void>());
  const ended = tenantIds.map((tenantId, index) =>
    slots.run(
      { tenantId, type: 'test' },
      async () => {
        begun.push(tenantId);
        await gates[index]?.promise;
        return 'ran';
      },
      never,
    ),
  );
  const end = async (index: number) => {
    gates[index]?.resolve();
    return await ended[index];
  };
  return { begun, ended, end };
}

test('a tenant has no more slots than its share, however many are free, and others pass it', async () => {
  const slots = createHandlerSlots({ slots: 4, mostPerTenant: () => 3, ...PATIENT });
  const { begun, end } = startHandlers(slots, ['a', 'a', 'a', 'a', 'b']);
  await Promise.resolve();
  expect(begun).toEqual(['a', 'a', 'a', 'b']);
  expect(await end(4)).toBe('ran');
  expect(begun).toHaveLength(4);
  expect(await end(0)).toBe('ran');
  expect(begun).toEqual(['a', 'a', 'a', 'b', 'a']);
  for (const index of [1, 2, 3]) await end(index);
});

test('a job beyond the share of its tenant is left to other workers soon, and no free slot waits for a turnover', async () => {
  const slots = createHandlerSlots({
    slots: 4,
    mostPerTenant: () => 3,
    maxWaitMs: { quick: 60_000, slow: 20 },
  });
  const { ended, end } = startHandlers(slots, ['a', 'a', 'a', 'a']);
  expect(await ended[3]).toBeUndefined();
  await slots.turnover();
  for (const index of [0, 1, 2]) await end(index);
});

test('a tenant that waits for its share does not keep a slot that came free from the next', async () => {
  const slots = createHandlerSlots({ slots: 2, mostPerTenant: () => 1, ...PATIENT });
  const { begun, end } = startHandlers(slots, ['a', 'b', 'a', 'c']);
  await Promise.resolve();
  expect(await end(1)).toBe('ran');
  expect(begun).toEqual(['a', 'b', 'c']);
  expect(await end(0)).toBe('ran');
  for (const index of [2, 3]) expect(await end(index)).toBe('ran');
});
