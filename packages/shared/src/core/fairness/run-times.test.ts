import { expect, test } from 'vitest';
import { createRunTimes } from './run-times.ts';

const of = (tenantId: string, type = 'a') => ({ tenantId, type });

test("a job is expected to take what its tenant's last ones took, however few or many end at once", () => {
  const times = createRunTimes();
  expect(times.add({ ...of('one'), jobs: 4, ms: 400 })).toBe(400);
  expect(times.expected(of('one'))).toBe(100);
  times.add({ ...of('one'), jobs: 20, ms: 4_000 });
  expect(times.expected(of('one'))).toBeCloseTo(150);
});

test('of a tenant that has had none, those of all others say what to expect', () => {
  const times = createRunTimes();
  expect(times.expected(of('one'))).toBe(10);
  times.add({ ...of('one'), jobs: 1, ms: 50 });
  expect(times.expected(of('other'))).toBe(50);
  times.add({ ...of('other'), jobs: 1, ms: 500 });
  expect(times.expected(of('one'))).toBe(50);
  expect(times.expected(of('other', 'new'))).toBe(10);
});

test('however quick a job is, to bring it there and back counts', () => {
  const times = createRunTimes();
  expect(times.add({ ...of('one'), jobs: 5, ms: 0.1 })).toBe(5);
  expect(times.expected(of('one'))).toBe(1);
});

test('jobs that were never started count for nothing', () => {
  const times = createRunTimes();
  expect(times.add({ ...of('one'), jobs: 0, ms: 0 })).toBe(0);
  expect(times.expected(of('one'))).toBe(10);
});

test('of many tenants those are remembered that were heard of last', () => {
  const times = createRunTimes();
  times.add({ ...of('first'), jobs: 1, ms: 1_000 });
  for (let other = 0; other < 10_000; other += 1) times.add({ ...of(String(other)), jobs: 1, ms: 5 });
  expect(times.expected(of('first'))).toBeCloseTo(5);
});

test('a type is quick once one of it has run so, until others run for long, in whatever worker', () => {
  const times = createRunTimes();
  const known = () => [times.quickTypes(), times.quickMs(), times.slowMs()];
  expect(known()).toEqual([[], undefined, undefined]);
  times.add({ ...of('one', 'slow'), jobs: 10, ms: 10_000 });
  expect(known()).toEqual([[], undefined, 1_000]);
  times.add({ ...of('one', 'quick'), jobs: 20, ms: 200 });
  times.add({ ...of('other', 'slow'), jobs: 100, ms: 100_000 });
  expect(known()).toEqual([['quick'], 10, 1_000]);
  times.add({ ...of('other', 'quick'), jobs: 100, ms: 100_000 });
  expect(known()).toEqual([[], undefined, 1_000]);
});
