import { expect, test } from 'vitest';
import { acceptLatencies } from './accept-latencies.ts';
import { ack } from './testing/sound-run.ts';

const redisAway = { at: 10_000, latencyMs: 600, during: ['redis-killed-unpersisted' as const] };
const refused = { outcome: 'refused' as const, status: 503, latencyMs: 0 };

test('a 202 counts for Redis when nothing else was away, and as undisturbed when nothing was', () => {
  const acks = [
    ack(redisAway),
    ack({ latencyMs: 30, during: null }),
    ack({ latencyMs: 900, during: ['redis-flushed', 'api-killed'] }),
    ack({ latencyMs: 800, during: ['postgres-crashed'] }),
  ];
  expect(acceptLatencies(acks)).toEqual({ withoutRedis: [600], undisturbed: [30] });
});

test.each([
  ['Postgres crashed', ['postgres-crashed' as const]],
  ['a fault was over', null],
])('a 202 tells nothing of Redis while those return who were refused as %s', (_, during) => {
  const withoutRedis = (sinceRefusalMs: number) =>
    acceptLatencies([ack({ ...refused, at: 9_400 - sinceRefusalMs, during }), ack(redisAway)]).withoutRedis;
  expect(withoutRedis(1_499)).toEqual([]);
  expect(withoutRedis(1_500)).toEqual([600]);
});

test('nor does it tell what undisturbed is', () => {
  const undisturbed = { at: 10_000, latencyMs: 600, during: null };
  const acks = [ack({ ...refused, at: 9_000, during: ['postgres-crashed'] }), ack(undisturbed)];
  expect(acceptLatencies(acks).undisturbed).toEqual([]);
});

test('a refusal because Redis is away, or one that came later, excuses nothing', () => {
  const acks = [
    ack({ ...refused, at: 9_399, during: ['redis-flushed'] }),
    ack({ ...refused, at: 9_401, during: ['postgres-crashed'] }),
    ack(redisAway),
  ];
  expect(acceptLatencies(acks).withoutRedis).toEqual([600]);
});
