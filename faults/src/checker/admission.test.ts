import { expect, test } from 'vitest';
import type { JobKind } from '../kinds.ts';
import type { LedgerJob } from '../ledger-rows.ts';
import { checkAdmission } from './admission.ts';
import { ack, job, soundRun } from './testing/sound-run.ts';

/** A run in which jobs of a kind were accepted at these times, and finished then. */
function runOf(kind: JobKind, times: { createdAt: number; finishedAt?: number }[], size = 'small') {
  const jobs = times.map(
    ({ createdAt, finishedAt = createdAt + 1 }, n): LedgerJob =>
      job({ jobId: `job_${n}`, createdAt, finishedAt }),
  );
  const acks = jobs.map(({ jobId, createdAt: at }) => ack({ kind, jobId, at, key: jobId }));
  const sound = soundRun();
  return soundRun({ jobs, acks, run: { ...sound.run, size } });
}

const evenly = (count: number, everyMs: number) =>
  Array.from({ length: count }, (_, n) => ({ createdAt: n * everyMs }));

test('a rate with what may come at once is sound, and a tenth more', () => {
  expect(checkAdmission(runOf('rated', evenly(600, 50)))).toMatchObject({
    figures: { mostInWindow: 200 },
    violations: [],
  });
  expect(checkAdmission(runOf('rated', evenly(242, 1))).violations).toEqual([]);
});

test('more is a violation, wherever the window is', () => {
  const later = evenly(243, 41).map(({ createdAt }) => ({ createdAt: createdAt + 7_777 }));
  expect(checkAdmission(runOf('rated', later)).violations).toEqual([
    '243 jobs were accepted in ten seconds, where 220 may be.',
  ]);
});

test('a bound holds for what is not finished', () => {
  const live = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ createdAt: n, finishedAt: 1_000 + n }));
  expect(checkAdmission(runOf('crowded', live(33))).violations).toEqual([]);
  expect(checkAdmission(runOf('crowded', live(34))).violations).toEqual([
    '34 jobs were not finished, where 30 may be.',
  ]);
  const oneAfterTheOther = Array.from({ length: 100 }, (_, n) => ({
    createdAt: n * 10,
    finishedAt: n * 10 + 10,
  }));
  expect(checkAdmission(runOf('crowded', oneAfterTheOther)).figures.mostLive).toBe(1);
});

test('whoever is refused for a minute and more is refused for ever', () => {
  const sound = soundRun();
  const refused = [0, 30_000, 60_001].map((at) =>
    ack({ kind: 'rated', key: 'one', at, outcome: 'refused', jobId: null }),
  );
  expect(checkAdmission({ ...sound, acks: refused }).violations).toEqual([
    'Somebody was refused for 60001 ms; 60000 ms are allowed.',
  ]);
});

test('a large run in which nothing was used up proves nothing', () => {
  expect(checkAdmission(runOf('rated', evenly(300, 1_000), 'standard')).violations).toHaveLength(1);
});
