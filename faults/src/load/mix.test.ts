import { expect, test } from 'vitest';
import { JOB_KINDS, type JobKind } from '../kinds.ts';
import { createRandom } from '../random.ts';
import { makeJob, planJob } from './mix.ts';

const RECEIVERS = {
  own: 'http://receiver/hooks',
  tls: 'https://receiver/hooks',
  neighbour: 'http://neighbour/hooks',
};

const planAll = (seed: number, jobs: number) => {
  const random = createRandom(seed);
  return Array.from({ length: jobs }, (_, n) => planJob(n, random, RECEIVERS));
};

test('the same seed gives the same jobs, each under a key of its own', () => {
  expect(planAll(3, 500)).toEqual(planAll(3, 500));
  expect(planAll(4, 500)).not.toEqual(planAll(3, 500));
  expect(new Set(planAll(3, 500).map((job) => job.key)).size).toBe(500);
});

const BUILDS: JobKind[] = ['firstBuild', 'secondBuild', 'thirdBuild', 'addedBySecond', 'addedByThird'];

test('most jobs are plain, and every ordinary kind is among 5,000', () => {
  const jobs = planAll(1, 5_000);
  const kinds = new Set(jobs.map((job) => job.kind));
  const extra: JobKind[] = [
    'probe',
    'blocking',
    'poison',
    'leaking',
    'long',
    'tlsWebhook',
    'bystander',
    'throwing',
    'weighedLight',
    'weighedHeavy',
    'steadyLight',
    'steadyHeavy',
    'rated',
    'crowded',
    ...BUILDS,
  ];

  expect(jobs.filter((job) => job.kind === 'plain').length).toBeGreaterThan(4_000);
  expect(kinds).toEqual(new Set(Object.keys(JOB_KINDS).filter((kind) => !extra.includes(kind as JobKind))));
});

test('only jobs that kill their worker, or that a deploy must not touch, can run out of attempts soon', () => {
  const kinds = Object.keys(JOB_KINDS) as JobKind[];
  const few = kinds.filter(
    (kind) => makeJob(kind, 1, createRandom(1), RECEIVERS).body.retry.maxAttempts < 10,
  );

  expect(few.sort()).toEqual([...BUILDS, 'leaking', 'poison'].sort());
});
