import { drawFrame, lineMark, PLOT, path, text } from '@accepted/faults/report/plots/frame';
import { scaleLinear, scaleSymlog } from 'd3-scale';
import { line as linePath } from 'd3-shape';
import { type ServiceByWeight, WEIGHED, WEIGHTS } from './measure-service.ts';
import type { TurnTime } from './time-turns.ts';

const RIGHT = PLOT.width - PLOT.right;
const BOTTOM = PLOT.height - PLOT.bottom;
const TOP = PLOT.top + 12;

/** Draws what a turn takes over what waits. */
export function drawTurnTimes(behindKey: readonly TurnTime[], ofTenants: readonly TurnTime[]): string {
  const all = [...behindKey, ...ofTenants];
  const x = scaleSymlog([0, Math.max(...all.map(({ waiting }) => waiting))], [PLOT.left, RIGHT]);
  const y = scaleLinear([0, Math.max(...all.map(({ medianMs }) => medianMs))], [BOTTOM, TOP]).nice();
  const curve = linePath<TurnTime>(
    ({ waiting }) => x(waiting),
    ({ medianMs }) => y(medianMs),
  );
  const describe = (what: string) => (turn: TurnTime) =>
    `${turn.waiting} ${what}: ${turn.medianMs.toFixed(2)} ms.`;
  const frame = {
    title: 'A turn for 20 jobs, beside what waits',
    description: [
      ...behindKey.map(describe('jobs behind a full key')),
      ...ofTenants.map(describe('tenants')),
    ].join(' '),
    legend: [
      { label: 'tenants with jobs waiting', mark: lineMark('line first') },
      { label: 'jobs behind a full key', mark: lineMark('line second') },
    ],
    x: { scale: x, label: 'how many', ticks: [...new Set(all.map(({ waiting }) => waiting))] },
    y: { scale: y, label: 'ms, median' },
  };
  return drawFrame(frame, [
    path(curve([...behindKey]), 'line second'),
    path(curve([...ofTenants]), 'line first'),
  ]);
}

/** Draws what tenants of different weights have had over time. */
export function drawService({ samples }: ServiceByWeight): string {
  const last = samples.at(-1);
  const most = Math.max(...WEIGHED.map((name) => last?.[name] ?? 0));
  const x = scaleLinear([0, last?.atSeconds ?? 1], [PLOT.left, RIGHT]);
  const y = scaleLinear([0, most], [BOTTOM, TOP]).nice();
  const frame = {
    title: 'Service by weight',
    description: WEIGHED.map(
      (name) => `Weight ${WEIGHTS[name]}: ${(last?.[name] ?? 0).toFixed(1)} s of handlers.`,
    ).join(' '),
    legend: [{ label: 'a tenant each', mark: lineMark('line first') }],
    x: { scale: x, label: 'seconds' },
    y: { scale: y, label: 's of handlers' },
  };
  return drawFrame(
    frame,
    WEIGHED.flatMap((name) => {
      const curve = linePath<ServiceByWeight['samples'][number]>(
        ({ atSeconds }) => x(atSeconds),
        (sample) => y(sample[name]),
      );
      const end = text(RIGHT - 4, y(last?.[name] ?? 0) - 8, `weight ${WEIGHTS[name]}`, 'end small');
      return [path(curve([...samples]), 'line first'), end];
    }),
  );
}
