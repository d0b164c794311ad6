import { expect, test } from 'vitest';
import { checkNeighbours } from './neighbours.ts';
import { ack, fault, hit, job, soundRun } from './testing/sound-run.ts';

/** Jobs of the other tenant that end at 1,200, and their webhooks some time later. */
const run = (delaysMs: number[], over: Parameters<typeof soundRun>[0] = {}) => {
  const ids = delaysMs.map((_, n) => `job_n${n}`);
  return checkNeighbours(
    soundRun({
      run: { ...soundRun().run, size: 'standard' },
      faults: [fault({ kind: 'receiver-hangs', at: 1_100, endedAt: 4_000 })],
      acks: ids.map((jobId) => ack({ jobId, key: jobId, kind: 'neighbour' })),
      jobs: ids.map((jobId) => job({ jobId })),
      hits: ids.map((jobId, n) => hit({ jobId, at: 1_200 + (delaysMs[n] ?? 0) })),
      ...over,
    }),
  );
};
const times = (count: number, delayMs: number) => Array.from({ length: count }, () => delayMs);

test('webhooks of another tenant that wait for a bad receiver are a violation', () => {
  expect(run(times(20, 10_000)).violations).toEqual([
    "Beside a bad receiver, another tenant's webhooks took 10000 ms (p50).",
  ]);
  expect(run([...times(19, 40), 10_000])).toMatchObject({
    violations: [],
    figures: { besideBadReceiver: 20, besideBadReceiverP50Ms: 40, besideBadReceiverP99Ms: 10_000 },
  });
});

test('a run without events of another tenant beside a bad receiver proves nothing', () => {
  expect(run(times(19, 40)).violations).toEqual([
    '19 events of another tenant beside a bad receiver prove nothing.',
  ]);
  expect(run(times(20, 40), { faults: [fault()] }).violations).toEqual([
    '0 events of another tenant beside a bad receiver prove nothing.',
  ]);
});
