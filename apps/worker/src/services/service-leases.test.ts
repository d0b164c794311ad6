import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createServiceLeases, SERVICE_LEASE_MS } from './service-leases.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a service is held for a lease from when the beat was sent, and whoever asks for its changes hears of them once', () => {
  const leases = createServiceLeases();
  const service = leases.one('a');
  const heard: string[] = [];
  service.onGained(() => heard.push('gained'));
  service.onLost(() => heard.push('lost'));
  expect([service.isHeld(), leases.holdsAny()]).toEqual([false, false]);
  const sentAtMs = performance.now();
  vi.advanceTimersByTime(1_000);
  leases.beaten(['a', 'unknown'], sentAtMs);
  expect([service.isHeld(), leases.holdsAny()]).toEqual([true, true]);
  leases.beaten(['a'], sentAtMs);
  vi.advanceTimersByTime(SERVICE_LEASE_MS - 1_000);
  expect(service.isHeld()).toBe(false);
  leases.beaten([], performance.now());
  expect(heard).toEqual(['gained', 'lost']);
});

test('whoever could not beat for a lease, and has the service still, hears that it is held again', () => {
  const leases = createServiceLeases();
  let gained = 0;
  leases.one('a').onGained(() => {
    gained += 1;
  });
  leases.beaten(['a'], performance.now());
  vi.advanceTimersByTime(2 * SERVICE_LEASE_MS);
  leases.beaten(['a'], performance.now());
  expect([leases.one('a').isHeld(), gained]).toEqual([true, 2]);
});

test('a service is left to others as soon as one of its conditions does not hold', () => {
  const leases = createServiceLeases();
  let [isReady, isQuick] = [true, true];
  leases.one('a').onlyWhile(() => isReady);
  leases.one('a').onlyWhile(() => isQuick);
  leases.one('b');
  expect(leases.wanted()).toEqual([
    { name: 'a', isAble: true },
    { name: 'b', isAble: true },
  ]);
  isQuick = false;
  expect(leases.wanted()[0]).toEqual({ name: 'a', isAble: false });
  [isReady, isQuick] = [false, true];
  expect(leases.wanted()[0]).toEqual({ name: 'a', isAble: false });
});
