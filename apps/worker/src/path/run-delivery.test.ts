import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createDeliveryRunner } from './run-delivery.ts';

function setUp({ turnover = (): Promise<void> => Promise.resolve() } = {}) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const runDelivery = createDeliveryRunner({
    slotsIn: () => 2,
    slotsOf: () => ({ turnover }),
    runOne({ id }) {
      begun.push(id);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.set(id, resolve);
      return promise;
    },
  });
  const end = (id: string) => ends.get(id)?.();
  return { runDelivery, begun, end };
}

const delivery = (queue: string, jobs: number) =>
  Array.from({ length: jobs }, (_, index) => ({ id: `${queue}${index}`, dispatchNo: 1 }));

test('ten jobs a slot are claimed at once, over all deliveries of the queue, and the next when one has ended', async () => {
  const { runDelivery, begun, end } = setUp();
  const deliveries = [runDelivery('a', delivery('a', 15)), runDelivery('a', delivery('b', 15))];
  await endOfTurn();
  expect(begun).toHaveLength(20);
  end('a3');
  await endOfTurn();
  expect(begun).toHaveLength(21);
  for (let job = 0; job < 15; job += 1) {
    for (const queue of ['a', 'b']) end(`${queue}${job}`);
    await endOfTurn();
  }
  for (let job = 0; job < 15; job += 1) end(`b${job}`);
  await Promise.all(deliveries);
  expect(new Set(begun).size).toBe(30);
});

test('queues do not take the room of each other', async () => {
  const { runDelivery, begun } = setUp();
  void runDelivery('a', delivery('a', 20));
  void runDelivery('b', delivery('b', 1));
  await endOfTurn();
  expect(begun).toContain('b0');
});

test('while all handlers are taken, a job that has ended makes no room', async () => {
  const turned = Promise.withResolvers<void>();
  const { runDelivery, begun, end } = setUp({ turnover: () => turned.promise });
  void runDelivery('a', delivery('a', 30));
  await endOfTurn();
  end('a0');
  await endOfTurn();
  expect(begun).toHaveLength(20);
  turned.resolve();
  await endOfTurn();
  expect(begun).toHaveLength(21);
});
