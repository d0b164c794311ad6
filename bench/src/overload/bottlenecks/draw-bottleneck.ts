import { drawLines, type Series } from '../report/draw-lines.ts';
import { BOUND_SECONDS } from './bottleneck.ts';
import type { Overloaded } from './measure-bottleneck.ts';
import type { OfferedTimes } from './offered.ts';

/** Draws over what is offered what is done a second, and how long who was accepted waits: for the start where a worker runs. */
export function drawBottleneck(all: readonly Overloaded[]): { title: string; svg: string }[] {
  const offered = {
    label: 'offered, in times of what can be done',
    ticks: all[0]?.steps.map(({ times }) => times) ?? [],
    isLog: true,
  };
  const starts = all.some(({ steps }) => steps.some(({ startP99Ms }) => startP99Ms !== undefined));
  const done = starts ? 'Jobs started a second' : 'Jobs accepted a second';
  const waited = starts ? 'Until an accepted job starts' : 'Until a job is accepted';
  const bound = { label: `bound of ${BOUND_SECONDS} s`, value: BOUND_SECONDS };
  return [
    {
      title: done,
      svg: drawLines({
        ...{ title: done, x: offered, y: { label: 'jobs/s' } },
        series: seriesOf(all, ({ goodPerSecond }) => goodPerSecond),
      }),
    },
    {
      title: waited,
      svg: drawLines({
        ...{ title: waited, x: offered, y: { label: 's, p99', isLog: true } },
        series: seriesOf(all, ({ acceptP99Ms, startP99Ms = acceptP99Ms }) => startP99Ms / 1_000),
        ...(starts && { bound }),
      }),
    },
  ];
}

function seriesOf(all: readonly Overloaded[], of: (step: OfferedTimes) => number): Series[] {
  return all.map(({ contender, title, steps }) => ({
    label: title,
    points: steps.map((step) => [step.times, of(step)] as const),
    isMain: contender.startsWith('accepted'),
  }));
}
