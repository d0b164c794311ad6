import { setImmediate as endOfTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createReadyAnnouncer } from './announce-ready.ts';

test('what is announced in one turn goes out once, and never more than one is in flight', async () => {
  const sent: string[] = [];
  const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const send = async (queue: string) => {
    sent.push(queue);
    await gates[sent.length - 1]?.promise;
  };
  const announcer = createReadyAnnouncer(send, () => undefined);

  for (const queue of ['a', 'a', 'b', 'a', 'b']) announcer.announce(queue);
  await endOfTurn();
  expect(sent).toEqual(['a']);
  for (let again = 0; again < 3; again += 1) announcer.announce('a');
  gates[0]?.resolve();
  await endOfTurn();
  expect(sent).toEqual(['a', 'b']);
  gates[1]?.resolve();
  await announcer.drain();
  expect(sent).toEqual(['a', 'b', 'a']);
});

test('an error is reported and does not stop the others, nor later ones', async () => {
  const errors: unknown[] = [];
  const sent: string[] = [];
  const send = async (queue: string) => {
    sent.push(queue);
    if (queue === 'a') throw new Error('gone');
  };
  const announcer = createReadyAnnouncer(send, (error) => errors.push(error));
  announcer.announce('a');
  announcer.announce('b');
  await announcer.drain();
  announcer.announce('c');
  await announcer.drain();

  expect(sent).toEqual(['a', 'b', 'c']);
  expect(errors).toHaveLength(1);
});
