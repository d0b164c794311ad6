import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createTeller } from './teller.ts';

test('what is told in one turn goes out once, and never more than one is in flight', async () => {
  const sent: string[] = [];
  const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const send = async (queue: string) => {
    sent.push(queue);
    await gates[sent.length - 1]?.promise;
  };
  const teller = createTeller(send, () => undefined);

  for (const queue of ['a', 'a', 'b', 'a', 'b']) teller.tell(queue);
  await endOfTurn();
  expect(sent).toEqual(['a']);
  for (let again = 0; again < 3; again += 1) teller.tell('a');
  gates[0]?.resolve();
  await endOfTurn();
  expect(sent).toEqual(['a', 'b']);
  gates[1]?.resolve();
  await teller.drain();
  expect(sent).toEqual(['a', 'b', 'a']);
});

test('an error is reported and does not stop the others, nor later ones', async () => {
  const errors: unknown[] = [];
  const sent: string[] = [];
  const send = async (queue: string) => {
    sent.push(queue);
    if (queue === 'a') throw new Error('gone');
  };
  const teller = createTeller(send, (error) => errors.push(error));
  teller.tell('a');
  teller.tell('b');
  await teller.drain();
  teller.tell('c');
  await teller.drain();

  expect(sent).toEqual(['a', 'b', 'c']);
  expect(errors).toHaveLength(1);
});

test('a commit tells in passing when nobody was told for a moment, and nobody else does meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const teller = createTeller(
    async () => undefined,
    () => undefined,
  );
  expect([teller.tellsInPassing(), teller.tellsInPassing()]).toEqual([true, false]);
  vi.advanceTimersByTime(100);
  teller.tell('a');
  expect(teller.tellsInPassing()).toBe(false);
  await teller.drain();
  expect(teller.tellsInPassing()).toBe(false);
  vi.advanceTimersByTime(100);
  expect(teller.tellsInPassing()).toBe(true);
});
