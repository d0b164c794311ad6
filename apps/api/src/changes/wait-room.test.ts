import { expect, test } from 'vitest';
import { createWaitRoom } from './wait-room.ts';

test('there is room for so many, and for fewer of one tenant; who leaves makes room', () => {
  const room = createWaitRoom({ max: 3, maxPerTenant: 2 });
  const leave = room.enter('a');
  room.enter('a');
  expect(room.hasRoom('a')).toBe(false);
  expect(room.hasRoom('b')).toBe(true);
  room.enter('b');
  expect(room.hasRoom('b')).toBe(false);
  leave();
  expect(room.hasRoom('a')).toBe(true);
});
