import { expect, test } from 'vitest';
import { createReadyAnnouncer } from './announce-ready.ts';

test('never more than one is in flight, and what is announced meanwhile goes out once', async () => {
  const sent: string[] = [];
  const gates: (() => void)[] = [];
  const send = async (queue: string) => {
    sent.push(queue);
    const { promise, resolve } = Promise.withResolvers<void>();
    gates.push(resolve);
    await promise;
  };
  const announcer = createReadyAnnouncer(send, () => undefined);

  for (const queue of ['a', 'a', 'b', 'a', 'b']) announcer.announce(queue);
  expect(sent).toEqual(['a']);
  const drained = announcer.drain();
  for (let turn = 0; turn < 20; turn += 1) {
    gates.shift()?.();
    await Promise.resolve();
  }
  await drained;
  expect(sent.slice(1).sort()).toEqual(['a', 'b']);
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
