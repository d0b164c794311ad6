import { expect, test } from 'vitest';
import { StopSwitch } from './stop-signal.ts';

test('whoever listens is told once, with the first reason, and whoever left is not', () => {
  const signal = new StopSwitch();
  const told: unknown[] = [];
  const listener = () => {
    told.push(signal.reason);
    signal.removeEventListener('abort', listener);
  };
  const another = () => told.push('another');
  const gone = () => told.push('gone');
  for (const one of [listener, another, gone]) signal.addEventListener('abort', one);
  signal.removeEventListener('abort', gone);
  expect(signal.aborted).toBe(false);
  signal.stop('canceled');
  signal.stop('shutdown');
  expect(told).toEqual(['canceled', 'another']);
  expect(signal).toMatchObject({ aborted: true, reason: 'canceled' });
});
