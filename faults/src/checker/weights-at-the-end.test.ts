import { expect, test } from 'vitest';
import type { EffectLine } from '../logs.ts';
import { ack, effect, soundRun } from './testing/sound-run.ts';
import { checkWeightsAtTheEnd } from './weights-at-the-end.ts';

/** Some hundred jobs of each tenant in one slot, of which the heavy one's go so many times as often while both wait. */
function runWith(times: number, size: 'small' | 'standard' = 'standard', jobs = 600) {
  const acks = Array.from({ length: 2 * jobs }, (_, n) =>
    ack({ jobId: `job_${n}`, kind: n < jobs ? 'weighedLight' : 'weighedHeavy' }),
  );
  const effects: EffectLine[] = [];
  const left = { light: 0, heavy: jobs };
  const run = (n: number) => {
    const at = 1_000 + effects.length * 5;
    effects.push(
      effect({ jobId: `job_${n}`, at, phase: 'start' }),
      effect({ jobId: `job_${n}`, at: at + 9 }),
    );
  };
  while (left.light < jobs || left.heavy < 2 * jobs) {
    if (left.light < jobs) run(left.light++);
    for (let turn = 0; turn < times && left.heavy < 2 * jobs; turn += 1) run(left.heavy++);
  }
  return checkWeightsAtTheEnd(soundRun({ run: { ...soundRun().run, size }, acks, effects }));
}

test('who has thrice the weight gets thrice the time while both wait, whatever comes after', () => {
  expect(runWith(3)).toMatchObject({ violations: [], figures: { weighedJobs: 1_200 } });
});

test('who gets as much as one of a third of its weight is a violation', () => {
  expect(runWith(1).violations).toEqual([
    expect.stringMatching(/^A tenant of weight 3 got [\d.]+ times what one of weight 1 got/),
  ]);
});

test('a run in which hardly any waited together proves nothing, which a small one may', () => {
  expect(runWith(3, 'standard', 5).violations).toEqual([
    '10 jobs of two tenants that waited together prove nothing of weights.',
  ]);
  expect(runWith(3, 'small', 5).violations).toEqual([]);
});
