import { expect, test } from 'vitest';
import { limitUnderWay } from './outcomes-under-way.ts';

test('nobody waits up to the limit; whoever is beyond it waits for his own', async () => {
  const unlessTooMany = limitUnderWay(2);
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  await unlessTooMany(first?.promise ?? Promise.reject());
  await unlessTooMany(second?.promise ?? Promise.reject());
  let hasEnded = false;
  const beyond = unlessTooMany(third?.promise ?? Promise.reject())?.then(() => {
    hasEnded = true;
  });
  first?.resolve();
  await first?.promise;
  expect(hasEnded).toBe(false);
  third?.resolve();
  await beyond;
  expect(hasEnded).toBe(true);
  await unlessTooMany(fourth?.promise ?? Promise.reject());
});
